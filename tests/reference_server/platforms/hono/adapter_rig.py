"""Hono in memory, with time that stands still: an operator's calls, and words for what devices say and see."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.northbound import NorthboundCommand, NorthboundMessage
from fleetrig.reference_server.platforms.hono.northbound.messages import messages_after
from fleetrig.reference_server.platforms.hono.platform import HonoPlatform
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.records import DEVICE
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import Talk, lines

V5 = MqttVersion.V5
TENANT = "acme"
PASSWORD = "open sesame"
KEY = b"hono-secret"
JSON_TYPE = ("Content-Type", "application/json")
REGISTRY_URL = "http://h:28080"
OPERATOR = Session(id=1_000_000, listener="registry")


def authority(name: str = "O=ACME,CN=devices", seed: str = "1") -> CertificateAuthority:
    return CertificateAuthority(distinguished_name(name), VIRTUAL_EPOCH_US, 30, seed)


def chain(of: CertificateAuthority, name: str = "CN=device-1,O=ACME", **how: Any) -> tuple[bytes, ...]:
    """The chain that a device shows."""
    return of.issue_client(distinguished_name(name), **how).chain


class NoBlobs:
    """The platform keeps no files."""


@dataclass
class AdapterRig(Talk):
    """Lines as `Talk` gives them: `1 CONNACK 0`, `1 PUBACK`, `1 closed`, `1 2.04`. Packet ids are 7."""

    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        super().__post_init__()
        blobs: Blobs = NoBlobs()  # type: ignore[assignment]
        self.platform = HonoPlatform(self.store, blobs, SeededEntropy(1), self.settings)
        self.registry = self.platform.registry
        self.serve(self.platform)
        self.sessions: dict[int, Session] = {}

    # The operator

    def api(self, method: str, path: str, body: object = None) -> HttpResponse:
        """`path` below /v1. What it has led to has happened when it returns."""
        raw = b"" if body is None else json.dumps(body).encode()
        request = HttpRequest(method, REGISTRY_URL, f"/v1/{path}", (JSON_TYPE,) if body is not None else (), raw)
        delivery = self.server.exchange(request, OPERATOR, self.now_us)
        assert delivery.response is not None
        assert delivery.response.status < 300, (path, delivery.response)
        return delivery.response

    def tenant(self, tenant_id: str = TENANT, **members: object) -> None:
        self.api("POST", f"tenants/{tenant_id}", {_json_name(name): value for name, value in members.items()})

    def trusting(self, *authorities: CertificateAuthority, tenant_id: str = TENANT, **anchor: object) -> None:
        """A tenant whose devices are provisioned."""
        members = {_json_name(name): value for name, value in anchor.items()}
        anchors = [{"cert": certificate_text(one), "auto-provisioning-enabled": True, **members} for one in authorities]
        self.tenant(tenant_id, trusted_ca=anchors)

    def device(self, device_id: str, tenant_id: str = TENANT, **members: object) -> None:
        self.api("POST", f"devices/{tenant_id}/{device_id}", members)

    def password(self, device_id: str, tenant_id: str = TENANT, **entry: object) -> None:
        """A device with a password, its auth-id as its id."""
        self.device(device_id, tenant_id, **entry.pop("device", {}))  # type: ignore[arg-type]
        secret = {"pwd-hash": _base64(_sha256(PASSWORD)), "hash-function": "sha-256"}
        entries = [{"type": "hashed-password", "auth-id": device_id, "secrets": [secret], **entry}]
        self.api("PUT", f"credentials/{tenant_id}/{device_id}", entries)

    def key(self, device_id: str, tenant_id: str = TENANT, **device: object) -> None:
        """A device with a pre-shared key, its auth-id as its id."""
        self.device(device_id, tenant_id, **device)
        entries = [{"type": "psk", "auth-id": device_id, "secrets": [{"key": _base64(KEY)}]}]
        self.api("PUT", f"credentials/{tenant_id}/{device_id}", entries)

    def device_ids(self, tenant_id: str = TENANT) -> list[str]:
        return sorted(device.device_id for device in self.store.scan(DEVICE, tenant_id))

    def shown(self, path: str) -> Any:
        return json.loads(bytes(self.api("GET", path).body))  # type: ignore[arg-type]

    def northbound(self, tenant_id: str = TENANT) -> Sequence[NorthboundMessage]:
        return messages_after(self.registry, tenant_id, 0, 1_000)

    def heard_by_applications(self) -> list[tuple[str, str]]:
        """(topic without its beginning, content type) of all messages."""
        return [(one.topic.removeprefix("hono."), str(one.properties.get("content-type"))) for one in self.northbound()]

    # Applications

    def commands(self, device_id: str, name: str = "on", payload: bytes = b"{}", **how: Any) -> str:
        """The id of its response; it is on its way when time goes on (`after`)."""
        command = NorthboundCommand(TENANT, device_id, name, payload, **how)
        with self.store.transaction():
            return self.platform.send_command(command, self.now_us)

    # Devices over MQTT

    def opens(self, session: int) -> None:
        """And says nothing."""
        self.sessions[session] = Session(id=session, listener="mqtt")
        self.server.opened(self.sessions[session], self.now_us)

    def join(self, session: int = 1, user: str | None = None, password: str | None = PASSWORD, **how: Any) -> list[str]:
        """Opens a session and says CONNECT; `user` without `@` is one of the tenant. `certificates`: the chain."""
        chain, server_name = how.pop("certificates", ()), how.pop("server_name", "")
        self.sessions[session] = Session(
            id=session,
            listener="mqtts" if chain else "mqtt",
            tls=bool(chain),
            certificates=chain,
            server_name=server_name,
        )
        if chain and self.server.handshake(self.sessions[session], self.now_us) is not None:
            return [f"{session} refused in the handshake"]
        opened = list(self.server.opened(self.sessions[session], self.now_us))
        if user is not None:
            how["user_name"] = user if "@" in user else f"{user}@{TENANT}"
            how["password"] = None if password is None else password.encode()
        return lines([*opened, *self.to_server(session, MqttConnect(**{"client_id": "", **how}))])

    def to_server(self, session: int, envelope: Any) -> list[Output]:
        return list(self.server.receive(self.sessions[session], envelope, self.now_us))

    def publish(self, session: int, topic: str, payload: bytes = b"{}", qos: int = 1, **how: Any) -> list[str]:
        return lines(self.published(session, topic, payload, qos, **how))

    def published(self, session: int, topic: str, payload: bytes = b"{}", qos: int = 1, **how: Any) -> list[Output]:
        return self.to_server(session, MqttPublish(topic, payload, qos, packet_id=7 if qos else 0, **how))

    def wants(self, session: int, *topic_filters: str, qos: int = 0) -> list[str]:
        wanted = tuple(Subscription(one, qos) for one in topic_filters)
        return lines(self.to_server(session, MqttSubscribe(wanted, packet_id=9)))

    def drops(self, session: int, *topic_filters: str) -> list[str]:
        return lines(self.to_server(session, MqttUnsubscribe(topic_filters, packet_id=9)))

    def acknowledges(self, session: int, packet_id: int, kind: PublishAckKind = PublishAckKind.PUBACK) -> list[str]:
        return lines(self.to_server(session, MqttPublishAck(kind, packet_id)))

    def gone(self, session: int) -> list[str]:
        return lines(self.server.closed(self.sessions[session], self.now_us))

    # Devices over CoAP

    def shakes(
        self, session: int, *, key_of: str = "", certificates: tuple[bytes, ...] = (), server_name: str = ""
    ) -> TlsAlert | bytes | None:
        """A DTLS handshake: its alert, or the key that the server has. The session is open if it came to something."""
        opening = Session(
            id=session, listener="coaps", tls=True, certificates=certificates, server_name=server_name,
            psk_identity=key_of,
        )  # fmt: skip
        self.sessions[session] = opening
        if key_of:
            key = self.server.psk(opening, self.now_us)
            if key is not None:
                self.server.opened(opening, self.now_us)
            return key
        alert = self.server.handshake(opening, self.now_us)
        if alert is None:
            self.server.opened(opening, self.now_us)
        return alert

    def plain(self, session: int) -> None:
        """An endpoint without DTLS."""
        self.sessions[session] = Session(id=session, listener="coap")
        self.server.opened(self.sessions[session], self.now_us)

    def asks(self, session: int, method: str, target: str, payload: bytes = b"{}", **how: Any) -> list[Output]:
        request = CoapRequest(method, "coaps://h:5684", target, payload, token=b"t", **{"options": JSON_FORMAT, **how})
        return self.to_server(session, request)

    def answer(self, session: int, method: str, target: str, payload: bytes = b"{}", **how: Any) -> CoapResponse:
        (output,) = self.asks(session, method, target, payload, **how)
        return coap_answer(output)


JSON_FORMAT: CoapOptions = ((12, b"\x32"),)


def coap_answer(output: Output) -> CoapResponse:
    assert isinstance(output, Send)
    assert isinstance(output.envelope, CoapResponse)
    return output.envelope


def option(response: CoapResponse, number: int) -> list[bytes]:
    return [value for one, value in response.options if one == number]


def of_profile(profile: Profile) -> AdapterRig:
    return AdapterRig(settings=Settings(profile=profile))


def messages_in(outputs: Sequence[Output]) -> list[MqttPublish]:
    return [one.envelope for one in outputs if isinstance(one, Send) and isinstance(one.envelope, MqttPublish)]


def _json_name(name: str) -> str:
    return name.replace("_", "-")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def certificate_text(of: CertificateAuthority) -> str:
    """As the management API takes it."""
    return _base64(of.certificate.public_bytes(Encoding.DER))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
