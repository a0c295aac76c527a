"""Kura's broker in memory, with time that stands still: accounts, users and requests, and words for what is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    int32,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_name
from fleetrig.reference_server.platforms.kura.state.connections import connection_by_client
from fleetrig.reference_server.platforms.kura.state.credentials import new_credential, save_credential
from fleetrig.reference_server.platforms.kura.state.device_records import Device, DeviceConnection
from fleetrig.reference_server.platforms.kura.state.devices import device_by_client
from fleetrig.reference_server.platforms.kura.state.events import audit_of, events_of
from fleetrig.reference_server.platforms.kura.state.installation import open_installation
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT, grant
from fleetrig.reference_server.platforms.kura.state.provision_records import ProvisionJob, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.provision_requests import (
    RequestDraft,
    create_request,
    requests_for,
)
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, Permission, User
from fleetrig.reference_server.platforms.kura.state.settings import Account, Settings
from fleetrig.reference_server.platforms.kura.state.users import create_user
from fleetrig.reference_server.stores.interface import Blobs
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttSubscribe,
    MqttWill,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import Talk, lines

ACCOUNT = "acct"
PROVISION = "ec-provisioning"
PASSWORD = "Open-Sesame-1"
WRONG = "Open-Sesame-2"
NONCE = bytes(range(16))
GATEWAY = "gw-1"
BOOTSTRAP = "00600CAABBCC-SN1"


class NoBlobs:
    """The platform keeps no files."""


@dataclass(frozen=True)
class Told:
    """A message that a client has got."""

    session: int
    topic: str
    payload: KuraPayload
    data: bytes

    def text(self, name: str) -> str | None:
        return self.payload.text(name)

    @property
    def code(self) -> int | None:
        return self.payload.response_code


def told(outputs: Sequence[Output]) -> list[Told]:
    """The messages among outputs."""
    sent = [one for one in outputs if isinstance(one, Send) and isinstance(one.envelope, MqttPublish)]
    return [
        Told(one.session, one.envelope.topic, decode(one.envelope.payload), one.envelope.payload)
        for one in sent
        if isinstance(one.envelope, MqttPublish)
    ]


@dataclass
class BrokerRig(Talk):
    """Lines as `Talk` gives them: `1 CONNACK 0`, `1 PUBACK`, `1 closed`. Packet ids are 7."""

    settings: Settings = field(default_factory=lambda: Settings(accounts=(Account(ACCOUNT, "acct-admin", PASSWORD),)))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.start()

    def start(self) -> None:
        """A server over the store that there is: also what a restart is."""
        blobs: Blobs = NoBlobs()  # type: ignore[assignment]
        self.entropy = SeededEntropy(self.seed)
        self.seed += 1
        self.platform = KuraPlatform(self.store, blobs, self.entropy, self.settings)
        self.registry = self.platform.registry
        self.serve(self.platform)
        self.sessions: dict[int, Session] = {}
        open_installation(self.registry, self.now_us)

    # The administrator

    def account(self, name: str = ACCOUNT) -> AccountRecord:
        found = account_by_name(self.registry, name)
        assert found is not None
        return found

    def user(self, name: str = "dev", account: str = ACCOUNT, *permissions: Permission) -> User:
        """With the password PASSWORD; without permissions named it may connect to the broker."""
        scope_id = self.account(account).id
        user = create_user(self.registry, User(self.registry.new_id(), scope_id, name))
        save_credential(self.registry, new_credential(self.registry, scope_id, user.id, PASSWORD, self.now_us, ""))
        grant(self.registry, user, permissions or (Permission(*BROKER_CONNECT, scope_id),), self.now_us, "")
        return user

    def request(self, client_id: str = GATEWAY, **draft: Any) -> ProvisionRequest:
        fields = {"username": BOOTSTRAP, "password": PASSWORD, "retry_max_attempts": -1, **draft}
        scope_id = self.account(fields.pop("account", ACCOUNT)).id
        with self.store.transaction():
            return create_request(self.registry, RequestDraft(scope_id, client_id, **fields), self.now_us, "admin")

    def job(self, client_id: str = GATEWAY) -> ProvisionJob:
        """Of the newest request."""
        return requests_for(self.registry, client_id)[0].job

    def device(self, client_id: str = GATEWAY, account: str = ACCOUNT) -> Device:
        found = device_by_client(self.registry, self.account(account).id, client_id)
        assert found is not None
        return found

    def has_device(self, client_id: str = GATEWAY, account: str = ACCOUNT) -> bool:
        return device_by_client(self.registry, self.account(account).id, client_id) is not None

    def connection(self, client_id: str = GATEWAY, account: str = ACCOUNT) -> DeviceConnection:
        found = connection_by_client(self.registry, self.account(account).id, client_id)
        assert found is not None
        return found

    def resources(self, client_id: str = GATEWAY, account: str = ACCOUNT) -> list[str]:
        """Of the events of a device, in order."""
        device = self.device(client_id, account)
        return [event.resource for event in events_of(self.registry, device.scope_id, device.id)]

    def audited(self) -> list[tuple[str, str, str]]:
        """(stage, client id, reason)."""
        return [(one.stage, one.client_id, one.reason) for one in audit_of(self.registry)]

    def steps(self) -> list[str]:
        """Of the trace since the last call."""
        found = [event.name for event in self.events if event.kind == "step"]
        self.events.clear()
        return found

    def reasons(self) -> list[str]:
        """Why something was refused, since the last call."""
        found = [event.reason for event in self.events if event.kind == "refused"]
        self.events.clear()
        return found

    # Clients

    def join(
        self,
        session: int = 1,
        client_id: str = GATEWAY,
        user: str | None = "dev",
        password: str | None = PASSWORD,
        **connect: Any,
    ) -> list[str]:
        """Opens a session and says CONNECT."""
        self.sessions[session] = Session(id=session, listener="mqtt", peer="10.0.0.1")
        opened = self.server.opened(self.sessions[session], self.now_us)
        secret = None if password is None else password.encode()
        packet = MqttConnect(client_id, user, secret, **connect)
        return lines([*opened, *self.receive(session, packet)])

    def receive(self, session: int, packet: Any) -> list[Output]:
        return list(self.server.receive(self.sessions[session], packet, self.now_us))

    def leaves(self, session: int = 1) -> list[str]:
        said = lines(self.receive(session, MqttDisconnect()))
        self.server.closed(self.sessions.pop(session), self.now_us)
        return said

    def vanishes(self, session: int = 1) -> list[Output]:
        """Its connection is gone without a word."""
        return list(self.server.closed(self.sessions.pop(session), self.now_us))

    def hears(self, session: int, *topic_filters: str, qos: int = 1) -> list[str]:
        wanted = tuple(Subscription(one, qos) for one in topic_filters)
        return lines(self.receive(session, MqttSubscribe(wanted, packet_id=7)))

    def publish(self, session: int, topic: str, payload: KuraPayload | bytes = b"", qos: int = 1) -> list[Output]:
        data = payload if isinstance(payload, bytes) else encode(payload)
        return self.receive(session, MqttPublish(topic, data, qos, packet_id=7 if qos else 0))

    def later(self, seconds: float) -> list[Output]:
        """Everything that is sent by then."""
        until_us, said = self.now_us + round(seconds * 1_000_000), list[Output]()
        while (due_us := self.server.next_due_us()) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            said += self.server.advance(self.now_us)
        self.now_us = until_us
        return said

    # Gateways

    def birth(self, session: int = 1, client_id: str = GATEWAY, account: str = ACCOUNT, **metrics: str) -> list[Output]:
        said = {"display_name": "Gateway", "serial_number": "SN1", **metrics}
        payload = KuraPayload(self.now_us // US_PER_MS, metrics={name: string(text) for name, text in said.items()})
        return self.publish(session, f"$EDC/{account}/{client_id}/MQTT/BIRTH", payload)

    def bootstrap(self, session: int = 1, client_id: str = GATEWAY, **connect: Any) -> list[str]:
        """A device that comes to be provisioned, and subscribes to what its profile needs."""
        said = self.join(
            session, client_id, connect.pop("user", BOOTSTRAP), connect.pop("password", PASSWORD), **connect
        )
        if said[-1] == f"{session} CONNACK 0":
            below = f"$EDC/{PROVISION}/{client_id}/PROV-SIM1"
            self.hears(session, f"{below}/REPLY/#", f"{below}/EXEC/#")
        return said

    def ask(
        self,
        session: int = 1,
        client_id: str = GATEWAY,
        request_id: str = "r-1",
        nonce: bytes = NONCE,
        key: str | None = None,
        body: bytes | None = None,
        without: Sequence[str] = (),
        **changed: Metric,
    ) -> list[Told]:
        """POST/request; what it is told."""
        metrics = start_metrics(client_id, request_id, nonce)
        if key is not None:
            metrics["activation.key"] = string(key)
        metrics |= {name.replace("__", "."): metric for name, metric in changed.items()}
        return self.post(session, client_id, "request", {k: v for k, v in metrics.items() if k not in without}, body)

    def confirm(
        self,
        session: int = 1,
        client_id: str = GATEWAY,
        request_id: str = "r-2",
        result: str = "STAGED",
        job_id: str | None = None,
    ) -> list[Told]:
        metrics = {
            "request.id": string(request_id),
            "requester.client.id": string(client_id),
            "prov.job.id": string(job_id or self.job(client_id).id),
            "prov.result": string(result),
            "prov.reason": string("" if result == "STAGED" else "the disk is full"),
        }
        return self.post(session, client_id, "confirm", metrics)

    def post(
        self, session: int, client_id: str, what: str, metrics: Mapping[str, Metric], body: bytes | None = None
    ) -> list[Told]:
        topic = f"$EDC/{PROVISION}/{client_id}/PROV-SIM1/POST/{what}"
        return told(self.publish(session, topic, KuraPayload(metrics=metrics, body=body)))

    def provision(self, client_id: str = GATEWAY, session: int = 1) -> Told:
        """Up to the permission to commit; the device has left then."""
        assert self.bootstrap(session, client_id) == [f"{session} CONNACK 0"]
        (material,) = self.ask(session, client_id)
        (permission,) = self.confirm(session, client_id)
        assert (material.code, permission.code) == (200, 200)
        self.leaves(session)
        return material

    def go_to_account(self, material: Told, session: int = 1) -> list[Output]:
        """CONNECT, BIRTH and SUBSCRIBE with what it was given."""
        client_id, account = material.text("prov.client-id"), material.text("prov.account-name")
        assert client_id is not None
        assert account is not None
        said = self.join(session, client_id, material.text("prov.username"), material.text("prov.password"))
        assert said == [f"{session} CONNACK 0"]
        born = self.birth(session, client_id, account)
        self.hears(session, f"$EDC/{account}/{client_id}/#")
        return born


def start_metrics(client_id: str, request_id: str = "r-1", nonce: bytes = NONCE) -> dict[str, Metric]:
    """Everything that a request needs."""
    return {
        "request.id": string(request_id),
        "requester.client.id": string(client_id),
        "prov.profile": string("PROV-SIM1"),
        "prov.attempt": int32(1),
        "prov.nonce": octets(nonce),
    }


def lwt(client_id: str = GATEWAY, account: str = ACCOUNT) -> MqttWill:
    return MqttWill(f"$EDC/{account}/{client_id}/MQTT/LWT")
