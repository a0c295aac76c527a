"""The echo platform, served on a port of the CoAP front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.coap_rules import PLAIN_COAP, CoapRules
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.trace import TraceEvent
from tests.coap.echo_platform import CoapEcho
from tests.coap.peer import CoapPeer
from tests.reference_server.echo import ServerBench, running, traced


@dataclass
class ServedCoap:
    server: ReferenceServer
    bench: ServerBench
    events: list[TraceEvent]
    platforms: list[CoapEcho] = field(default_factory=list)
    listener: str = "coap"

    @property
    def platform(self) -> CoapEcho:
        return self.platforms[0]

    @property
    def port(self) -> int:
        return self.server.addresses["coap-echo"][self.listener].port

    @property
    def url(self) -> str:
        return f"{self.listener}://127.0.0.1:{self.port}"

    def peer(self) -> CoapPeer:
        return CoapPeer(self.port)

    def count(self) -> None:
        """Lets the platform count by itself, in its own loop."""
        self.platform.counts_us = 0

    def add_fault(self, kind: FaultKind, **fields: object) -> None:
        fault = Fault(kind, **fields)  # type: ignore[arg-type]
        self.bench.loop.call(lambda: self.server.add_fault(fault))

    def told(self, session: int) -> list[str]:
        """Kind and line or reason of what the trace says of a session."""
        return [
            f"{event.kind} {event.envelope.line if event.envelope is not None else event.reason}"
            for event in self.events
            if event.session == session and event.lane == "server"
        ]


@contextmanager
def served_coap(
    rules: CoapRules = PLAIN_COAP, address: Address = ANY_LOOPBACK_PORT, listener: str = "coap"
) -> Iterator[ServedCoap]:
    """Bugs fail the test, if it does not take them out of `server.bugs`."""
    platforms: list[CoapEcho] = []

    def build(store: Store, blobs: Blobs, entropy: Entropy) -> CoapEcho:
        platforms.append(CoapEcho(coap_rules=rules))
        return platforms[-1]

    with running() as bench:
        trace, events = traced()
        options = ServerOptions((PlatformOptions("coap-echo", build, {listener: address}),))
        server = bench.run(ReferenceServer(options, trace))
        yield ServedCoap(server, bench, events, platforms, listener)
        assert server.bugs == []
