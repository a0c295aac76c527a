"""Which part of the server a poll that changes nothing spends its time in; in this process, without sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.reference_server.control.refusals import Refusals
from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.connection import HttpConnection
from fleetrig.reference_server.fronts.http.known_heads import KnownHeads
from fleetrig.reference_server.fronts.http.platform_front import http_front
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.reference import SystemClock
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from tests.benchmarks.measure import median, show
from tests.benchmarks.request_work import device

ROUNDS = 15
TARGETS = 1_000
SETTINGS = Settings(
    config_defaults={"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": "a-key"}
)
SESSION = Session(id=1)


class Nowhere(asyncio.Transport):
    """A transport that throws away what is written."""

    def write(self, data: object) -> None:
        pass

    def is_closing(self) -> bool:
        return False


class Bench:
    """A server with all that listens to its trace in `serve`, and one without a trace over the same platform."""

    def __init__(self, folder: Path, *, keeps_answers: bool = True) -> None:
        self.store = SqliteStore(folder / f"{keeps_answers}.db")
        self.platform = HawkbitPlatform(
            self.store, MemoryBlobs(), SeededEntropy(1), SETTINGS, keeps_answers=keeps_answers
        )
        trace, received = Trace(), ReceivedLines()
        trace.listen(received, received.kinds)
        refusals = Refusals(received)
        trace.listen(TraceRing())
        trace.listen(refusals, refusals.kinds)
        self.clock = SystemClock()
        self.server, self.silent = self._server(trace), self._server(Trace())
        tools = FrontTools(self.clock, trace, _is_a_bug, count(1).__next__)
        self.connection = HttpConnection(http_front(self.server, tools)._connections, "http")
        self.connection.connection_made(Nowhere({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)}))
        names = [f"bench-{number:06d}" for number in range(TARGETS)]
        self.bytes = [device("GET", name, "").replace(b"TargetToken ", b"GatewayToken a-key") for name in names]
        heads = KnownHeads()
        self.requests = [_envelope(heads, data) for data in self.bytes]

    def _server(self, trace: Trace) -> Server:
        return Server(self.platform, self.store, FaultPlan(lambda: 0.0), trace, Secrets())

    def whole(self) -> None:
        for data in self.bytes:
            self.connection.data_received(data)

    def without_front(self) -> None:
        for request in self.requests:
            self.server.exchange(request, SESSION, self.clock.now_us())

    def without_trace(self) -> None:
        for request in self.requests:
            self.silent.exchange(request, SESSION, self.clock.now_us())

    def reading_again(self) -> None:
        kept = self.platform._kept
        assert kept is not None
        for request in self.requests:
            assert kept.find(request, SESSION.peer) is not None

    def writing(self) -> None:
        for number in range(TARGETS):
            with self.store.transaction():
                self.platform.repo.polled("DEFAULT", f"bench-{number:06d}", self.clock.now_us() // 1_000)


def _envelope(heads: KnownHeads, data: bytes) -> HttpRequest:
    head, _ = heads.read(data)
    assert head is not None
    return head.envelope("http", 80)


def _is_a_bug(_: object, bug: BaseException) -> None:
    raise bug


def _cost_us(act: Callable[[], None]) -> float:
    began_s = time.process_time()
    act()
    return (time.process_time() - began_s) / TARGETS * 1e6


def _measured_us(*acts: Callable[[], None]) -> list[float]:
    """Medians, measured by turns; what comes first warms up."""
    rounds = [[_cost_us(act) for act in acts] for _ in range(ROUNDS + 3)]
    return [median(column) for column in zip(*rounds[3:], strict=True)]


def bench_poll_shares(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        runner.run(_shares(tmp_path))


async def _shares(folder: Path) -> None:
    bench, anew = Bench(folder), Bench(folder, keeps_answers=False)
    whole_us, exchange_us, silent_us, read_us, write_us, anew_us = _measured_us(
        bench.whole, bench.without_front, bench.without_trace, bench.reading_again, bench.writing, anew.whole
    )
    print(f"\n  shares of a poll that changes nothing, without sockets; median of {ROUNDS} rounds")
    shares_us = {
        "front: bytes to request, answer to bytes": whole_us - exchange_us,
        "trace: two events, heard by three": exchange_us - silent_us,
        "authentication, with all that the answer depends on": read_us,
        "store: the time of the poll in a transaction": write_us,
        "platform and server: all else": silent_us - read_us - write_us,
    }
    for what, took_us in shares_us.items():
        show(what, f"{took_us:.1f} us, {took_us / whole_us:.0%}")
    show("in all", f"{whole_us:.1f} us")
    show("the same, worked out anew", f"{anew_us:.1f} us, {anew_us / whole_us:.1f}x")
