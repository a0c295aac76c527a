"""What a single run does at the moment: its phases as they end, and in which stages the devices are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from fleetrig.harness.report.marks import mark
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.trace import Lane, TraceEvent

REFRESH_PER_S = 8
UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
"""Of what a board says: colours and moves of the cursor would be the terminal's."""
MARKED = re.compile(r"m[0-9a-f]{6}'*[BE]\d+\.")
"""The marks around commands at a console."""


class RunProgress:
    """A listener of the trace: on a terminal it shows the running phase and its devices, elsewhere ended phases."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stages: dict[str, str] = {}
        self._phase, self._action, self._began_us = "", "", 0
        self._checks = 0
        self._said: dict[str, str] = {}
        """Board -> the latest line of its console."""

    def __call__(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE:
            self._stages[event.device] = "off" if event.kind == "power_cut" else event.stage
        elif event.lane is Lane.BOARD:
            self._board(event)
        elif event.lane is Lane.BENCH:
            self._bench(event)

    @contextmanager
    def on_screen(self) -> Iterator[None]:
        """Keeps the running phase on the screen while the run goes on."""
        if not self._console.is_terminal:
            yield
            return
        spinner = Spinner("dots")
        with Live(get_renderable=lambda: Group(spinner, self._now()), console=self._console,
                  refresh_per_second=REFRESH_PER_S, transient=True):  # fmt: skip
            yield

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
        counts = Counter(stage for stage in self._stages.values() if stage)
        return ", ".join(f"{count} {stage.replace('_', ' ')}" for stage, count in sorted(counts.items()))
