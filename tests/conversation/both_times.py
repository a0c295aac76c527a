"""The gateway and the echo platform, in virtual and in real time: what happened, and what the harness makes of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from fleetrig.harness.checks.event_folds import AttemptsFold, NeverFold, OrderFold, TimesPerDeviceFold
from fleetrig.harness.checks.fold import Fold
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.scenario_file.values import Times
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.front import ListenerKind
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.listener_kinds import LISTENER_KINDS
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.transports.connection import Opener
from fleetrig.simulator.transports.openers import OPENERS
from tests.conversation.echo_platform import EchoPlatform
from tests.conversation.gateway import PINGS, Gateway
from tests.conversation.toy_front import TOY_LISTENER_KINDS
from tests.conversation.toy_link import open_toy

SERIAL = "gw-1"
LIMIT_S = 60.0


@dataclass(frozen=True)
class Script:
    """What is done to the gateway, and the certificate that it shows."""

    faults: tuple[Fault, ...] = ()
    cut: Callable[[], PowerCutTrigger | None] = lambda: None
    patience_s: float = 20.0
    shows: ClientCertificate | None = None
    platform: Callable[..., EchoPlatform] = EchoPlatform
    """A `PlatformBuilder`."""


@dataclass(frozen=True)
class Carrier:
    """How packets go over sockets: a kind of listener, and who opens connections to it."""

    scheme: str
    kinds: Mapping[str, ListenerKind]
    openers: Mapping[str, Opener]


TOY = Carrier("toy", TOY_LISTENER_KINDS, {"toy": open_toy})
MQTT, MQTTS = (Carrier(scheme, LISTENER_KINDS, OPENERS) for scheme in ("mqtt", "mqtts"))
"""The server's own codec on one side, paho-mqtt on the other."""


@dataclass(frozen=True)
class Story:
    """All events of one run."""

    events: list[TraceEvent]

    @property
    def device_lane(self) -> list[tuple[str, str, str, str, str]]:
        """(kind, name, stage, line of the envelope, reason) of each event: everything but the time it took."""
        return [
            (
                event.kind,
                event.name,
                event.stage,
                event.envelope.line if event.envelope is not None else "",
                "" if event.kind == "connected" else event.reason,
            )
            for event in self.events
            if event.lane is Lane.DEVICE
        ]

    @property
    def verdicts(self) -> dict[str, str]:
        """What the harness's checks say at the end."""
        checks = expectations()
        for event in self.events:
            for check in checks.values():
                check.step(event)
        return {name: check.status().value for name, check in checks.items()}

    def of(self, kind: str, name: str = "*", lane: Lane = Lane.DEVICE) -> list[TraceEvent]:
        pattern = Pattern(kind, name=name, lane=lane)
        return [event for event in self.events if pattern.fits(event)]


def lives() -> Lives:
    return Lives([SERIAL])


def expectations() -> dict[str, Fold]:
    """What is expected of a gateway that nothing disturbs."""
    steps = [("sent", "connect"), ("connected", "connect"), ("received", "subscribe"), ("received", "publish"),
             ("received", "echo"), ("received", "push"), ("received", "ping"), ("sent", "goodbye")]  # fmt: skip
    return {
        "in order": OrderFold([Pattern(kind, name=name) for kind, name in steps], [SERIAL]),
        "connects once": TimesPerDeviceFold(Pattern("connected"), [SERIAL], Times(at_least=1, at_most=1), lives()),
        "hears its pings": TimesPerDeviceFold(
            Pattern("received", name="ping"), [SERIAL], Times(at_least=PINGS), lives()
        ),
        "gets every answer": NeverFold(Pattern("no_reply"), lives()),
        "is told nothing twice": NeverFold(Pattern("received", name="idle"), lives()),
        "never fails to connect": AttemptsFold("connect", SERIAL, Times(at_least=0, at_most=0)),
    }


def in_virtual_time(script: Script, scheme: str = MQTT.scheme) -> Story:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    store, plan = MemoryStore(), FaultPlan(Random(1).random)
    server = Server(script.platform(store), store, plan, trace, Secrets())
    bench = VirtualBench(server, trace, seed=1)
    for fault in script.faults:
        plan.add(fault, bench.now_us())
    bench.power_on(gateway(f"{scheme}://echo.test:1883", script), trigger=script.cut())
    assert bench.run(until_it_ends(events)), Story(events).device_lane
    return Story(events)


def over_sockets(script: Script, carrier: Carrier = MQTT) -> Story:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    asks = ClientAuth.NONE if script.shows is None else ClientAuth.ANY
    options = ServerOptions((PlatformOptions("echo", script.platform, {carrier.scheme: ANY_LOOPBACK_PORT}, asks),))

    async def told() -> None:
        async with (
            ReferenceServer(options, trace, listener_kinds=carrier.kinds) as server,
            RealBench(trace, seed=1, verify=trusting(server), openers=carrier.openers) as bench,
        ):
            for fault in script.faults:
                server.add_fault(fault)
            bench.power_on(gateway(server.url("echo", carrier.scheme), script), trigger=script.cut())
            assert await bench.run(until_it_ends(events)), Story(events).device_lane
            assert server.bugs == []

    asyncio.run(told())
    return Story(events)


def gateway(where: str, script: Script) -> Agent:
    return Agent(DeviceIdentity(SERIAL), Gateway(where, script.patience_s), script.shows)


def trusting(server: ReferenceServer) -> ssl.SSLContext | bool:
    """Whom devices trust: the throw-away authority of the server, where it has one."""
    return False if server.ca is None else ssl.create_default_context(cafile=server.ca)


def until_it_ends(events: list[TraceEvent]) -> Director[bool]:
    met = yield Until(lambda: any(event.kind == "ended" for event in events), LIMIT_S)
    assert isinstance(met, bool)
    return met
