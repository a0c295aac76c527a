"""Hono's management API in memory, with a clock that only moves when told, and words for the requests of tests."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.management.api import ManagementApi
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.stores.interface import Entropy, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

ORIGIN = "http://registry.hono.test:28080"
JSON = "application/json"
OIDS = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2035, 1, 1, tzinfo=UTC)


class Undo(Exception):
    """Leaves a transaction without keeping it, as `Server` does."""


@dataclass
class RegistryRig:
    settings: Settings = field(default_factory=Settings)
    now_us: int = VIRTUAL_EPOCH_US

    def __post_init__(self) -> None:
        self.use(MemoryStore(), SeededEntropy(1))

    def use(self, store: Store, entropy: Entropy) -> None:
        """Everything is in this store from now on."""
        self.registry = Registry(store, entropy, self.settings)
        self.api = ManagementApi(self.registry)

    def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> HttpAnswer:
        """One request and its transaction. `If_Match` stands for `If-Match`."""
        sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        answer = None
        with suppress(Undo), self.registry.store.transaction():
            answer = self.api.handle(HttpRequest(method, ORIGIN, target, sent, body), Session(), self.now_us)
            if answer.rollback:
                raise Undo
        assert answer is not None
        return answer

    def ask(self, method: str, target: str, document: Any = None, **headers: str) -> HttpAnswer:
        """A JSON document, or no body."""
        if document is None:
            return self.send(method, target, b"", **headers)
        return self.send(method, target, json.dumps(document).encode(), Content_Type=JSON, **headers)

    def done(self, method: str, target: str, document: Any = None) -> str:
        """It is accepted; gives the ETag."""
        answer = self.ask(method, target, document)
        assert answer.response.status in (201, 204), (answer.response, answer.reason)
        return answer.response.header("etag") or ""

    def shown(self, target: str) -> Any:
        answer = self.send("GET", target)
        assert answer.response.status == 200, (answer.response, answer.reason)
        return document_of(answer)

    def status(self, target: str) -> int:
        return self.send("GET", target).response.status

    def with_device(self, tenant: str = "t", device: str = "d") -> RegistryRig:
        """The same, with a tenant and a device."""
        if self.status(f"/v1/tenants/{tenant}") == 404:
            self.done("POST", f"/v1/tenants/{tenant}", {})
        self.done("POST", f"/v1/devices/{tenant}/{device}", {})
        return self


def rig_of(profile: str) -> RegistryRig:
    return RegistryRig(Settings(profile=Profile(profile)))


def document_of(answer: HttpAnswer) -> Any:
    return json.loads(body_bytes(answer.response.body))


def told(answer: HttpAnswer) -> tuple[int, str]:
    """Status and text of a refusal, which also has a reason."""
    assert answer.reason
    return answer.response.status, document_of(answer)["error"]


def name_of(**attributes: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(OIDS[keyword], value) for keyword, value in attributes.items()])


def authority(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(BEGINS).not_valid_after(ENDS - timedelta(seconds=1))
    return builder.sign(key, hashes.SHA256())


def base64_of(certificate: x509.Certificate) -> str:
    return b64encode(certificate.public_bytes(Encoding.DER)).decode()


def public_key_of(key: Any) -> str:
    """SubjectPublicKeyInfo in Base64."""
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
