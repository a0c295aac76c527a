"""What a request costs the reference server: CPU beside a bare aiohttp handler that gives the same bytes.

`make bench PEER=http://127.0.0.1:8080,PID` measures a running hawkBit (admin/admin) in the same run.
What it makes there stays: give it one that nobody needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.measure import ROUNDS, median, show
from tests.benchmarks.request_work import (
    TARGETS,
    Side,
    bare_aiohttp,
    config_data,
    feedback,
    polls,
    registered,
    said,
    sides,
)

AIMS = {"poll": "1.00, better 0.70", "poll, a new connection each": "2.00", "configData": "2.00", "feedback": "2.00"}


@dataclass
class Work:
    """Requests of one kind to one server, and what each round of them took (us for each)."""

    side: Side
    kind: str
    requests: Sequence[bytes]
    anew: bool = False
    rounds_us: list[float] = field(default_factory=list)

    def measure(self) -> None:
        self.rounds_us.append(self.side.per_request_us(self.requests, anew=self.anew))

    @property
    def took_us(self) -> float:
        """The first round warms up."""
        return median(self.rounds_us[1:])


def _work(side: Side, polling: dict[str, str]) -> list[Work]:
    """A poll changes nothing, so what does has targets of its own."""
    writing = registered(side.address, TARGETS)
    return [
        Work(side, "poll", polls(polling)),
        Work(side, "poll, a new connection each", polls(polling, TARGETS), anew=True),
        Work(side, "configData", config_data(writing)),
        Work(side, "feedback", feedback(side.address, writing)),
    ]


def bench_requests(tmp_path: Path) -> None:
    with ExitStack() as stack:
        measured = stack.enter_context(sides(tmp_path))
        tokens = {side.name: registered(side.address, TARGETS) for side in measured}
        ours = measured[0]
        first = polls(tokens[ours.name])[0]
        said(ours.address, first)  # from the second on nothing changes
        bare = stack.enter_context(bare_aiohttp(said(ours.address, first)))
        work = [one for side in measured for one in _work(side, tokens[side.name])]
        floors = [Work(bare, one.kind, one.requests, one.anew) for one in work if one.side is ours]
        for _ in range(ROUNDS + 1):  # by turns, so that all see the same noise
            for one in [*work, *floors]:
                one.measure()
        print(f"\n  server CPU per request (SQLite store, target token, trace on); median of {ROUNDS} rounds")
        floor_us = {one.kind: one.took_us for one in floors}
        for one in work:
            ratio = f"{one.took_us:.0f} us, {one.took_us / floor_us[one.kind]:.2f}x"
            show(f"{one.side.name}: {one.kind}", ratio, AIMS[one.kind] if one.side is ours else "")
        for kind, took_us in floor_us.items():
            show(f"bare aiohttp: {kind}", f"{took_us:.0f} us")
