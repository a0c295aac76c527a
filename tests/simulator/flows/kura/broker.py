"""A small broker for gateways in virtual time, written by these tests and not by the server: it notes all that comes.

What it sends is decided by the test: who is let in (`codes`), what becomes of a provisioning request (`answers`), and
messages of its own (`send`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US, to_s
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    PublishAckKind,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Pause, Remember
from fleetrig.simulator.flows.kura import codec, protobuf
from fleetrig.simulator.flows.kura.components import MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.keystore import certificate_pem
from fleetrig.simulator.flows.kura.naming import ControlTopic
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, int32, int64, string
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings
from fleetrig.simulator.flows.kura.signing import signed_input
from tests.simulator.scripted_server import ScriptedServer

PROVISION_URL = "mqtt://provision.test:1883"
OLD_URL = "mqtt://old.test:1883"
TARGET_URL = "mqtt://target.test:1883"
MAC = "00:60:0c:aa:bb:cc"
CLIENT_ID = "00600CAABBCC"
NOW = dt.datetime.fromtimestamp(VIRTUAL_EPOCH_US / US_PER_S, dt.UTC)
DAY = dt.timedelta(days=1)
Reply = Callable[["Broker", "Asked"], KuraPayload | None]


@dataclass(frozen=True)
class Asked:
    """A message of the provisioning application."""

    at_s: float
    resource: str
    payload: KuraPayload
    request_id: str


@dataclass
class Authority:
    """A root, an authority below it, and a leaf that signs control messages."""

    name: str = "acme"
    chain: list[x509.Certificate] = field(default_factory=list)
    keys: list[ed25519.Ed25519PrivateKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"{self.name}-root", f"{self.name}-int", f"{self.name}-dm"]
        self.keys = [ed25519.Ed25519PrivateKey.from_private_bytes(f"{one:<32.32}".encode()) for one in names]
        for level, name in enumerate(names):
            issuer = max(0, level - 1)
            self.chain.append(issued(name, self.keys[level], names[issuer], self.keys[issuer], ca=level < 2))

    @property
    def root_pem(self) -> str:
        return certificate_pem(self.chain[0])

    @property
    def leaf_pem(self) -> str:
        return certificate_pem(self.chain[2])

    @property
    def chain_pem(self) -> str:
        """Leaf first."""
        return "\n".join(certificate_pem(one) for one in reversed(self.chain)) + "\n"

    def signed(self, topic: str, payload: KuraPayload, *, alias: str = "dm-1", at_s: float = 0.0) -> KuraPayload:
        """By its leaf; `topic` is a whole control topic."""
        _, account, client_id, app_id, app_topic = topic.split("/", 4)
        more = {
            "sig.alg": string("Ed25519"),
            "sig.alias": string(alias),
            "sig.time": int64(VIRTUAL_EPOCH_US // 1_000 + int(at_s * 1_000)),
        }
        made = replace(payload, metrics={**payload.metrics, **more})
        data = signed_input(ControlTopic(account, client_id, app_id, app_topic), client_id, made)
        value = Metric(MetricType.BYTES, self.keys[2].sign(data))
        return replace(made, metrics={**made.metrics, "sig.value": value})


def issued(
    name: str,
    key: ed25519.Ed25519PrivateKey,
    issuer: str,
    issuer_key: ed25519.Ed25519PrivateKey,
    *,
    ca: bool,
    ends: dt.datetime = NOW + 3650 * DAY,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer)).public_key(key.public_key())
        .serial_number(1000 + len(name)).not_valid_before(NOW - 365 * DAY).not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )  # fmt: skip
    algorithm: hashes.HashAlgorithm | None = None
    return builder.sign(issuer_key, algorithm)  # type: ignore[arg-type]


ACME, OTHER = Authority("acme"), Authority("other")


class Broker:
    """All brokers at once: sessions are told apart by the host that they called."""

    def __init__(self) -> None:
        self.packets: list[tuple[float, int, Envelope]] = []
        """When, on which connection, what."""
        self.asked: list[Asked] = []
        self.codes: dict[str, int | None] = {}
        """Client id or user name -> CONNACK code; None for silence."""
        self.answers: dict[str, Reply] = {"request": material, "confirm": permission}
        self.acknowledges = True
        self.lets_go: set[int] = set()
        self.now_s = 0.0
        self.users: dict[int, str] = {}
        self.server = ScriptedServer(self._receive)
        self.bench: VirtualBench | None = None

    def _receive(self, session: Session, envelope: Envelope) -> Sequence[Output]:
        assert self.bench is not None
        self.now_s = to_s(self.bench.now_us() - VIRTUAL_EPOCH_US)
        self.packets.append((self.now_s, session.id, envelope))
        match envelope:
            case MqttConnect(client_id, user):
                code = self.codes.get(user or "", self.codes.get(client_id, 0))
                self.users[session.id] = user or ""
                return () if code is None else (Send(session.id, MqttConnack(code)),)
            case MqttSubscribe(subscriptions, packet_id):
                return (Send(session.id, MqttSuback(packet_id, tuple(one.qos for one in subscriptions))),)
            case MqttPublish():
                return self._published(session, envelope)
            case MqttPingreq():
                return (Send(session.id, MqttPingresp()),)
            case _:
                return ()

    def _published(self, session: Session, publish: MqttPublish) -> list[Output]:
        found: list[Output] = []
        if publish.qos and self.acknowledges:
            found.append(Send(session.id, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id)))
        parts = publish.topic.split("/")
        if "PROV-SIM1" in parts and parts[4] == "POST":
            payload = read(publish)
            one = Asked(self.now_s, parts[5], payload, payload.text("request.id") or "")
            self.asked.append(one)
            answer = self.answers[one.resource](self, one)
            if answer is not None:
                topic = f"$EDC/{parts[1]}/{parts[2]}/PROV-SIM1/REPLY/{one.request_id}"
                found.append(Send(session.id, MqttPublish(topic, protobuf.encode(answer))))
        return found

    # What came

    def of(self, kind: type[Any], connection: int | None = None) -> list[Any]:
        return [one for _, at, one in self.packets if isinstance(one, kind) and connection in (None, at)]

    def times(self, kind: type[Any]) -> list[float]:
        return [at_s for at_s, _, one in self.packets if isinstance(one, kind)]

    def topics(self) -> list[str]:
        return [one.topic for one in self.of(MqttPublish)]

    def lines(self, connection: int) -> list[str]:
        """What came on it, without pings."""
        return [one.line for _, at, one in self.packets if at == connection and not isinstance(one, MqttPingreq)]

    def said(self, topic: str) -> list[KuraPayload]:
        return [read(one) for one in self.of(MqttPublish) if one.topic == topic]


def read(publish: MqttPublish) -> KuraPayload:
    found = codec.from_wire(publish.payload, encoding="kura-protobuf")
    assert found is not None
    return found


def material(broker: Broker, asked: Asked) -> KuraPayload | None:
    """All that PROV-SIM1 has in a reply, of ACME."""
    return given(asked)


def given(
    asked: Asked,
    *,
    chain: str = ACME.chain_pem,
    client_id: str = CLIENT_ID,
    body: bytes | None = None,
    **more: Metric | None,
) -> KuraPayload:
    texts = {
        "prov.job.id": "job-1", "prov.broker-url": TARGET_URL, "prov.account-name": "acct",
        "prov.client-id": client_id, "prov.username": "dev-user", "prov.password": "dev-password",
        "prov.cert.chain": chain, "prov.dm.alias": "dm-1",
    }  # fmt: skip
    metrics = {name: string(value) for name, value in texts.items()}
    metrics |= {"response.code": int32(200), "prov.nonce": asked.payload.metrics["prov.nonce"], "prov.apps": int32(0)}
    for name, metric in more.items():
        key = name.replace("__", "-").replace("_", ".")
        if metric is None:
            metrics.pop(key)
        else:
            metrics[key] = metric
    return KuraPayload(metrics=metrics, body=body)


def permission(broker: Broker, asked: Asked) -> KuraPayload | None:
    return KuraPayload(metrics={"response.code": int32(200)})


def refusal(code: int, error: str, after_s: int | None = None) -> Reply:
    metrics = {"response.code": int32(code), "prov.error": string(error)}
    if after_s is not None:
        metrics["prov.retry-after"] = int32(after_s)
    return lambda broker, asked: KuraPayload(metrics=metrics)


def silence(broker: Broker, asked: Asked) -> KuraPayload | None:
    return None


class Run:
    """One gateway on a bench in virtual time."""

    def __init__(
        self,
        settings: KuraSettings,
        *,
        broker: Broker | None = None,
        serial: str = "SN1",
        remembered: dict[str, Any] | None = None,
        trigger: PowerCutTrigger | None = None,
        seed: int = 1,
        starts: bool = True,
    ) -> None:
        self.broker = broker or Broker()
        self.events: list[TraceEvent] = []
        trace = Trace()
        trace.listen(self.events.append)
        self.bench = self.broker.bench = VirtualBench(self.broker.server, trace, seed=seed)
        self.agent = Agent(DeviceIdentity(serial), KuraGateway(settings))
        if remembered is not None:
            self.agent.settle(Remember(remembered))
        if starts:
            self.bench.power_on(self.agent, trigger=trigger)

    @property
    def now_s(self) -> float:
        return to_s(self.bench.now_us() - VIRTUAL_EPOCH_US)

    def run(self, seconds: float) -> Run:
        self.bench.run_for(seconds)
        return self

    @property
    def memory(self) -> dict[str, Any]:
        return dict(self.agent.remembered)

    @property
    def flags(self) -> tuple[Any, Any]:
        """`enabled` and `provisioned`, as far as they were written."""
        of = self.memory.get("components", {}).get("org.eclipse.kura.provisioning.ProvisioningService", {})
        return of.get("enabled"), of.get("provisioned")

    @property
    def stage(self) -> str:
        return self.agent.stage.value

    @property
    def session(self) -> int:
        """The connection that is, or was last."""
        return self.broker.packets[-1][1]

    def push(self, topic: str, payload: KuraPayload, *, qos: int = 0, gzip: bool = False) -> None:
        """The broker sends a message to the gateway."""
        data = codec.shorter(protobuf.encode(payload)) if gzip else protobuf.encode(payload)
        self.server_sends(Send(self.session, MqttPublish(topic, data, qos, packet_id=9 if qos else 0)))

    def server_sends(self, *outputs: Output) -> None:
        self.broker.server.acts.append((self.bench.now_us(), outputs))
        self.bench.run(a_moment())

    def drop(self) -> None:
        """The broker ends the connection."""
        self.server_sends(Close(self.session, Ending.CLOSED))


def request(
    number: int = 1,
    *,
    requester: str = "SRV-1",
    body: bytes | None = None,
    metrics: Mapping[str, Metric] | None = None,
) -> KuraPayload:
    """A request with its two ids."""
    ids = {"request.id": string(f"r{number}"), "requester.client.id": string(requester)}
    return KuraPayload(metrics={**ids, **(metrics or {})}, body=body)


def a_moment() -> Director[None]:
    """The bench looks at what its server is to do now."""
    yield Pause(0.0, 0.0, "a moment")


HARDWARE = GatewayHardware(mac=MAC)


def provisioned_by(**settings: Any) -> KuraSettings:
    """A gateway that provisions itself; `provisioning` may hold more of its parameters."""
    more = {"retry_interval_s": 5, "timeout_s": 10, **settings.pop("provisioning", {})}
    service = ProvisioningService(enabled=True, broker_url=PROVISION_URL, password="bootstrap", **more)
    anchors = settings.pop("trust_anchors", {"acme": ACME.root_pem})
    chosen: dict[str, Any] = {"hardware": HARDWARE, "telemetry_interval_s": None, "trust_anchors": anchors, **settings}
    return KuraSettings(provisioning=service, **chosen)


def configured(**settings: Any) -> KuraSettings:
    """One that was configured by hand."""
    of = {"broker_url": OLD_URL, "account_name": "acct", "username": "dev", "password": "pw", "client_id": "gw-1"}
    transport = MqttDataTransport(**{**of, **settings.pop("transport", {})})
    chosen: dict[str, Any] = {"hardware": HARDWARE, "telemetry_interval_s": None, **settings}
    return KuraSettings(transport=transport, **chosen)
