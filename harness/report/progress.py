"""What a single run does at the moment: its phases as they end, and in which stages the devices are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.marks import mark
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_s
from fleetrig.simulator.contract.trace import Lane, TraceEvent

REFRESH_PER_S = 8
UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
"""Of what a board says: colours and moves of the cursor would be the terminal's."""
MARKED = re.compile(r"m[0-9a-f]{6}'*[BE]\d+\.")
"""The marks around commands at a console."""


class RunProgress:
    """A listener of the trace: on a terminal it shows the running phase and its devices, elsewhere ended phases."""

    def __init__(
        self, console: Console, spans_s: Mapping[str, float] | None = None, *, is_virtual: bool = True
    ) -> None:
        """`spans_s`: how long each phase can take, in their order."""
        self._console = console
        self._spans_s = spans_s or {}
        self._is_virtual = is_virtual
        self._first_us: int | None = None
        self._now_us = 0
        self._stages: dict[str, str] = {}
        self._phase, self._action, self._began_us = "", "", 0
        self._checks = 0
        self._said: dict[str, str] = {}
        """Board -> the latest line of its console."""

    def __call__(self, event: TraceEvent) -> None:
        self._now_us = event.at_us
        if event.lane is Lane.DEVICE:
            self._stages[event.device] = "off" if event.kind == "power_cut" else event.stage
        elif event.lane is Lane.BOARD:
            self._board(event)
        elif event.lane is Lane.BENCH:
            self._bench(event)

    @contextmanager
    def on_screen(self) -> Iterator[None]:
        """Keeps the running phase on the screen while the run goes on; elsewhere it is told now and then."""
        if not self._console.is_terminal:
            with heartbeat(self.how_far):
                yield
            return
        spinner = Spinner("dots")
        with Live(get_renderable=lambda: Group(spinner, self._now()), console=self._console,
                  refresh_per_second=REFRESH_PER_S, transient=True):  # fmt: skip
            yield

    def simulated(self, now_us: int, until_us: int) -> None:
        """Of the engine whose devices leave no events: how far it is since its beginning."""
        self._now_us = VIRTUAL_EPOCH_US + now_us

    def how_far(self, passed_s: float) -> str:
        """`45 s: phase «steady» (2 of 3), 20 min of at most 1 h simulated, 90 online; at most about 1 min left`."""
        if not self._phase:
            return ""
        names = list(self._spans_s)
        place = f" ({names.index(self._phase) + 1} of {len(names)})" if self._phase in names else ""
        parts = [f"{spoken_s(passed_s)}: phase «{self._phase}»{place}", *self._simulated(), self._fleet()]
        return ", ".join(filter(None, parts)) + self._left(passed_s)

    def _simulated(self) -> Iterator[str]:
        if self._is_virtual:
            most = f" of at most {spoken_s(sum(self._spans_s.values()))}" if self._spans_s else ""
            yield f"{spoken_s(self._gone_s())}{most} simulated"

    def _gone_s(self) -> float:
        return to_s(self._now_us - (self._first_us or self._now_us))

    def _left(self, passed_s: float) -> str:
        """At the pace so far; phases that wait for something may end sooner."""
        gone_s, names = self._gone_s(), list(self._spans_s)
        if self._phase not in names or gone_s <= 0:
            return ""
        in_phase_s = to_s(self._now_us - self._began_us)
        spans_s = sum(self._spans_s[name] for name in names[names.index(self._phase) :])
        pace = passed_s / gone_s if self._is_virtual else 1.0
        return f"; at most about {spoken_s(max(1.0, (spans_s - in_phase_s) * pace))} left"

    def _board(self, event: TraceEvent) -> None:
        """What people want to see of it: its own lines, and the commands that it has run."""
        match event.kind:
            case "line" if event.reason.strip() and not MARKED.search(event.reason):
                self._said[event.device] = event.reason
            case "ran":
                self._said[event.device] = f"{event.name}: {event.reason}"
            case "flashing":
                self._said[event.device] = f"flashing {event.reason}"

    def _bench(self, event: TraceEvent) -> None:
        match event.kind:
            case "phase":
                self._first_us = self._first_us or event.at_us
                self._phase, self._action, self._began_us = event.name, "", event.at_us
            case "action":
                self._action = event.name
            case "verdict":
                took_s = to_s(event.at_us - self._began_us)
                self._phase = self._action = ""
                line = Text.assemble("  ", mark(self._console, Verdict(event.reason)), event.name)
                line.append(f"  {took_s:.1f} s   {self._fleet()}".rstrip(), "dim")
                self._console.print(line)

    def _now(self) -> Text:
        doing = f"   {self._action}" if self._action else ""
        now = Text.assemble("  ", (self._phase, "bold"), (doing, "dim"))
        if fleet := self._fleet():
            now.append(f"\n  {fleet}", "cyan")
        for board, said in self._said.items():
            now.append(f"\n  {board}: ").append(
                UNPRINTABLE.sub(" ", said)[: self._console.width - len(board) - 5], "dim"
            )
        return now

    def _fleet(self) -> str:
        counts = Counter(stage for stage in list(self._stages.values()) if stage)
        return ", ".join(f"{count} {stage.replace('_', ' ')}" for stage, count in sorted(counts.items()))
