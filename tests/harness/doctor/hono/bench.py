"""A Hono with all its listeners, seen by its operator: tenants, devices, certificates, all removed again."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.servers.serve_process import Ready
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate, as_pem

TENANT = "acme"
CA_DN = "CN=devices,OU=iot,O=ACME"
DEVICE_DN = "CN=device-1,OU=iot,O=ACME"
PASSWORD, OTHER = "hono-secret-0123", "another-secret-89ab"
LISTENERS = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps")
Options = tuple[str, ...]


@dataclass
class HonoBench:
    """The server's addresses and its management API."""

    ready: Ready
    folder: Path
    server_ca: str
    client: ExactClient | None = None
    files: int = 0

    @property
    def registry(self) -> str:
        return f"http://{self.ready['registry']}"

    def over(self, transport: str) -> str:
        """What a device calls."""
        return f"{transport}://{self.ready[transport]}"

    # -- the operator

    def api(self, method: str, path: str, body: object = None) -> Answer:
        client = self.client = self.client or ExactClient(self.registry)
        content = None if body is None else json.dumps(body).encode()
        return client.call(method, f"/v1{path}", {"Content-Type": "application/json"}, content)

    def close(self) -> None:
        if self.client is not None:
            self.client.close()

    def asked(self, method: str, path: str, body: object = None) -> Any:
        answer = self.api(method, path, body)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.text)
        return answer.json() if answer.body else None

    def tenant(self, document: Mapping[str, Any] | None = None, name: str = TENANT) -> None:
        """Makes it, or replaces it."""
        is_there = self.api("GET", f"/tenants/{name}").status == 200
        self.asked("PUT" if is_there else "POST", f"/tenants/{name}", dict(document or {}))

    def trusting(
        self, authority: CertificateAuthority, *, provisions: bool = True, name: str = TENANT, **members: Any
    ) -> None:
        """A tenant that trusts this authority. `members` with underscores: of its entry."""
        self.tenant({"trusted-ca": [self.entry(authority, provisions=provisions, **members)]}, name)

    def entry(self, authority: CertificateAuthority, *, provisions: bool = True, **members: Any) -> dict[str, Any]:
        named = {key.replace("_", "-"): value for key, value in members.items()}
        return {"cert": base64_of(authority), "auto-provisioning-enabled": provisions, **named}

    def device(
        self, device_id: str, entries: list[dict[str, Any]] | None = None, name: str = TENANT, **members: Any
    ) -> None:
        """Makes it, or replaces it."""
        is_there = self.api("GET", f"/devices/{name}/{device_id}").status == 200
        self.asked("PUT" if is_there else "POST", f"/devices/{name}/{device_id}", members)
        if entries is not None:
            self.asked("PUT", f"/credentials/{name}/{device_id}", entries)

    def tenants(self) -> list[str]:
        answer = self.api("GET", "/tenants?pageSize=200")
        return [] if answer.status == 404 else [one["id"] for one in answer.json()["result"]]

    def devices(self, name: str = TENANT) -> list[str]:
        answer = self.api("GET", f"/devices/{name}?pageSize=200")
        return [] if answer.status == 404 else [one["id"] for one in answer.json()["result"]]

    def footprint(self) -> list[tuple[str, str, object]]:
        """What a question could have changed."""
        return [
            (tenant, device, self.api("GET", f"/credentials/{tenant}/{device}").json())
            for tenant in sorted(self.tenants())
            for device in sorted(self.devices(tenant))
        ]

    def tidy(self) -> None:
        for tenant in self.tenants():
            self.asked("DELETE", f"/devices/{tenant}")
            self.asked("DELETE", f"/tenants/{tenant}")

    # -- files of the device

    def file(self, name: str, content: bytes | str) -> str:
        self.files += 1
        path = self.folder / f"{self.files}-{name}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def json_file(self, name: str, document: object) -> str:
        return self.file(name, json.dumps(document))

    def cert(self, leaf: ClientCertificate, *behind: CertificateAuthority) -> Options:
        """`--cert` and `--key`: the leaf, and the certificates of these authorities after it."""
        cert = self.file("cert.pem", as_pem(leaf.chain[0]) + b"".join(one.certificate_pem for one in behind))
        return "--cert", cert, "--key", self.file("key.pem", leaf.key_pem)

    def ca_file(self, authority: CertificateAuthority) -> Options:
        return "--ca", self.file("ca.pem", authority.certificate_pem)


def authority(name: str = CA_DN, **how: Any) -> CertificateAuthority:
    return CertificateAuthority(distinguished_name(name), now_us(), **how)


def leaf_of(issuer: CertificateAuthority, name: str = DEVICE_DN, **how: Any) -> ClientCertificate:
    return issuer.issue_client(distinguished_name(name), **how)


def base64_of(issuer: CertificateAuthority) -> str:
    return b64encode(issuer.certificate.public_bytes(Encoding.DER)).decode()


def leaf_base64(leaf: ClientCertificate) -> str:
    return b64encode(leaf.chain[0]).decode()


def loaded(leaf: ClientCertificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(leaf.chain[0])


def password(auth_id: str = "sensor1", secret: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """An entry with one password; `more` of its secret."""
    named = {key.replace("_", "-"): value for key, value in more.items()}
    return {"type": "hashed-password", "auth-id": auth_id, "secrets": [{"pwd-plain": secret, **named}]}


def psk(auth_id: str = "sensor1", secret: str = PASSWORD) -> dict[str, Any]:
    return {"type": "psk", "auth-id": auth_id, "secrets": [{"key": b64encode(secret.encode()).decode()}]}


def x509_entry(auth_id: str = DEVICE_DN, **secret: Any) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in secret.items()}
    return {"type": "x509-cert", "auth-id": auth_id, "secrets": [named]}


def now_us() -> int:
    return time.time_ns() // 1000


def days(begin: float, end: float) -> Validity:
    """From so many days from now until so many."""
    return Validity.from_us(*(now_us() + int(at * 86_400) * US_PER_S for at in (begin, end)))
