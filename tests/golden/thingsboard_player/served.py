"""Our server on real sockets, with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line
from tests.reference_server.echo import ServerBench, running

LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")
ROUNDS = 20
"""Turns of the event loop in which everything that has arrived is read, understood and answered."""


class StandingClock:
    """It goes when the server's own clock is moved, and never else."""

    def now_us(self) -> int:
        return VIRTUAL_EPOCH_US


@dataclass
class Served:
    server: ReferenceServer
    bench: ServerBench
    told: list[str] = field(default_factory=list)
    """The trace, line by line, as it was written when things happened: secrets that were known by then are masked."""
    raw: list[TraceEvent] = field(default_factory=list)

    def note(self, event: TraceEvent) -> None:
        self.raw.append(event)
        self.told.append(to_line(event, self.server.secrets))

    def port(self, listener: str) -> int:
        return self.server.addresses["thingsboard"][listener].port

    @property
    def now_us(self) -> int:
        return self.server.clock.now_us()

    @property
    def holds_requests(self) -> bool:
        """Somebody waits over HTTP for what has not happened yet."""
        fronts = self.server._scheduler._fronts
        return any(isinstance(front, HttpFront) and front.held_requests for front in fronts)

    def do_what_is_due(self) -> None:
        """A request may have made something due at once."""
        self.bench.loop.run(self.server._scheduler.run_due_now())

    def move_to(self, until_us: int) -> None:
        """Moves the clock to the next thing that is due, but not beyond, and does it."""
        self.bench.loop.run(self._move_to(until_us))

    def wait(self, for_s: float) -> None:
        """The clock goes on, and all that is due meanwhile happens in its time."""
        until_us = self.now_us + to_us(for_s)
        while self.now_us < until_us:
            self.move_to(until_us)

    async def _move_to(self, until_us: int) -> None:
        due_us = self.server._scheduler._next_due_us()
        target_us = until_us if due_us is None else min(until_us, max(due_us, self.now_us))
        self.server._clock.skip(target_us - self.now_us)
        await self.server._scheduler.run_due_now()
        due_us = self.server._scheduler._next_due_us()
        assert due_us is None or due_us > self.now_us, "what is due stays due"

    def settle(self) -> None:
        """What has been sent to the server by now is answered when this returns."""
        for _ in range(ROUNDS):
            self.bench.loop.call(lambda: None)


@contextmanager
def served(store: str = "memory:", profile: Profile = Profile.CURRENT) -> Iterator[Served]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> ThingsBoardPlatform:
        return ThingsBoardPlatform(store, blobs, entropy, Settings(profile=profile))

    listeners = dict.fromkeys(LISTENERS, ANY_LOOPBACK_PORT)
    platform = PlatformOptions("thingsboard", build, listeners, ClientAuth.ANY)
    with running() as bench:
        server = ReferenceServer(ServerOptions((platform,), store=store), clock=StandingClock())
        one = Served(server, bench)
        server.trace.listen(one.note)
        bench.run(server)
        yield one
        assert server.bugs == []
