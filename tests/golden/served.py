"""A server of ours on real sockets, with a clock that stands still until it is moved: what recordings are played on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ServerOptions
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line
from tests.reference_server.echo import ServerBench, running

T = TypeVar("T")
ROUNDS = 20
"""Turns of the event loop in which everything that has arrived is read, understood and answered."""
LOOKS_EVERY_S = 0.01
HELD_US = 600 * US_PER_S
"""Longer than any request is held: the clock stops at what is due before."""


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
        (listeners,) = self.server.addresses.values()
        return listeners[listener].port

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

    def answered(self, ask: Callable[[], T]) -> T:
        """What a client hears that asks. If the server holds its request, the clock goes on until it is answered."""
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask)
            while not asked.done():
                if not wait([asked], LOOKS_EVERY_S).done and self.holds_requests:
                    self.move_to(self.now_us + HELD_US)
            return asked.result()

    def settle(self) -> None:
        """What has been sent to the server by now is answered when this returns."""
        for _ in range(ROUNDS):
            self.bench.loop.call(lambda: None)


@contextmanager
def serving(options: ServerOptions) -> Iterator[Served]:
    """One platform."""
    with running() as bench:
        server = ReferenceServer(options, clock=StandingClock())
        one = Served(server, bench)
        server.trace.listen(one.note)
        bench.run(server)
        yield one
        assert server.bugs == []
