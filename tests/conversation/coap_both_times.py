"""The sensor and the CoAP echo platform, in virtual time, over UDP and over DTLS: what happened to the device."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import trustme

from fleetrig.harness.checks.event_folds import NeverFold, OrderFold, TimesPerDeviceFold
from fleetrig.harness.checks.fold import Fold
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.scenario_file.values import Times
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity, PreSharedKey, TlsCredential
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.coap.echo_platform import CoapEcho
from tests.conversation.both_times import LIMIT_S, SERIAL, Story
from tests.conversation.sensor import Sensor


@dataclass(frozen=True)
class CoapScript:
    """What is done to the sensor. `keys` and `known` are the pre-shared keys and certificates that the server knows."""

    scheme: str = "coap"
    faults: tuple[Fault, ...] = ()
    cut: Callable[[], PowerCutTrigger | None] = lambda: None
    patience_s: float = 20.0
    shows: TlsCredential | None = None
    keys: Mapping[str, bytes] = field(default_factory=dict)
    known: tuple[bytes, ...] = ()
    until: str = "ended"
    """The kind of the event of the device that ends the story."""


@dataclass
class JudgingEcho(CoapEcho):
    """It lets in whose key or certificate it knows, and everybody without."""

    keys: Mapping[str, bytes] = field(default_factory=dict)
    known: tuple[bytes, ...] = ()

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        if session.psk_identity:
            return HandshakeAnswer(psk=self.keys.get(session.psk_identity))
        if session.certificates[0] in self.known:
            return ACCEPTED
        return HandshakeAnswer(TlsAlert.UNKNOWN_CA, reason="nobody knows this certificate")


def built(script: CoapScript) -> Callable[..., JudgingEcho]:
    return lambda *_: JudgingEcho(keys=script.keys, known=script.known)


def told(script: CoapScript) -> tuple[Story, Story]:
    """In virtual and in real time."""
    return in_virtual_time(script), over_datagrams(script)


def in_virtual_time(script: CoapScript) -> Story:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    plan = FaultPlan(Random(1).random)
    bench = VirtualBench(Server(built(script)(), MemoryStore(), plan, trace, Secrets()), trace, seed=1)
    for fault in script.faults:
        plan.add(fault, bench.now_us())
    bench.power_on(sensor(f"{script.scheme}://127.0.0.1:5683", script), trigger=script.cut())
    assert bench.run(until_there_is(script.until, events)), Story(events).device_lane
    return story_until(script.until, events)


def over_datagrams(script: CoapScript) -> Story:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    options = ServerOptions((PlatformOptions("echo", built(script), {script.scheme: ANY_LOOPBACK_PORT}),))

    async def live() -> None:
        async with ReferenceServer(options, trace) as server:
            for fault in script.faults:
                server.add_fault(fault)
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if server.ca is not None:
                verify.load_verify_locations(server.ca)
            async with RealBench(trace, seed=1, verify=verify) as bench:
                bench.power_on(sensor(server.url("echo", script.scheme), script), trigger=script.cut())
                assert await bench.run(until_there_is(script.until, events)), Story(events).device_lane
            assert server.bugs == []

    asyncio.run(live())
    return story_until(script.until, events)


def until_there_is(kind: str, events: list[TraceEvent]) -> Director[bool]:
    met = yield Until(lambda: any(event.kind == kind and event.lane is Lane.DEVICE for event in events), LIMIT_S)
    assert isinstance(met, bool)
    return met


def story_until(kind: str, events: list[TraceEvent]) -> Story:
    """Without what has happened before everything stood still."""
    last = next(at for at, event in enumerate(events) if event.kind == kind and event.lane is Lane.DEVICE)
    return Story(events[: last + 1])


def sensor(where: str, script: CoapScript) -> Agent:
    return Agent(DeviceIdentity(SERIAL), Sensor(where, script.patience_s), script.shows)


def verdicts(story: Story) -> dict[str, str]:
    """What the harness's checks say at the end."""
    checks = expectations()
    for event in story.events:
        for check in checks.values():
            check.step(event)
    return {name: check.status().value for name, check in checks.items()}


def expectations() -> dict[str, Fold]:
    """What is expected of a sensor that nothing disturbs."""
    lives = Lives([SERIAL])
    names = ("hello", "download", "upload", "reported", "watch", "count", "counted", "unwatch", "refused")
    return {
        "in order": OrderFold([Pattern("received", name=name) for name in names], [SERIAL]),
        "reports once": TimesPerDeviceFold(
            Pattern("received", name="reported"), [SERIAL], Times(at_least=1, at_most=1), lives
        ),
        "gets every answer": NeverFold(Pattern("no_reply"), Lives([SERIAL])),
        "is told nothing twice": NeverFold(Pattern("received", name="idle"), Lives([SERIAL])),
    }


def certificate_of_its_own() -> ClientCertificate:
    issued = trustme.CA().issue_cert("gw-1.test")
    chain = tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in issued.cert_chain_pems)
    return ClientCertificate(chain, issued.private_key_pem.bytes())


CERTIFICATE = certificate_of_its_own()
KEY = PreSharedKey(SERIAL, b"a key of sixteen")
