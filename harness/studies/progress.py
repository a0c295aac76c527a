"""How far a study is: a bar in a terminal, now and then a line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.spoken import spoken_s

TELLS_EVERY: Final = 0.1
"""A line for each tenth of a study."""
TRUSTED_RUNS: Final = 4
"""After so many runs what they took counts for more than the estimate."""


@dataclass(slots=True)
class StudyProgress:
    """Counts runs, and says how long the others will take."""

    console: Console
    all: int
    done: int
    """Those from before count too."""
    expected_s: float
    """Of those that are left at the beginning."""
    clock_s: Callable[[], float]
    _from: int = field(init=False)
    _began_s: float = field(init=False)
    _bar: tuple[Progress, TaskID] | None = None

    def __post_init__(self) -> None:
        self._from, self._began_s = self.done, self.clock_s()

    @property
    def left_s(self) -> float:
        """By the estimate at first, later by what runs really took."""
        run, left = self.done - self._from, self.all - self.done
        took_s = self.clock_s() - self._began_s
        expected_s = self.expected_s * left / max(1, self.all - self._from)
        if run == 0:
            return max(0.0, expected_s - took_s)
        trust = min(1.0, run / TRUSTED_RUNS)
        return trust * took_s / run * left + (1 - trust) * expected_s

    @contextmanager
    def on_screen(self) -> Iterator[None]:
        if not self.console.is_terminal:
            with heartbeat(lambda passed_s: self._line()):
                yield
            return
        bar = Progress(
            TextColumn("  "), BarColumn(), MofNCompleteColumn(), TextColumn("runs, {task.fields[left]}"),
            console=self.console, transient=True,
        )  # fmt: skip
        with bar:
            task = bar.add_task("", total=self.all, completed=self.done, left=self._left())
            self._bar = (bar, task)
            yield

    def advance(self) -> None:
        self.done += 1
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, completed=self.done, left=self._left())
        elif self._tenth(self.done) > self._tenth(self.done - 1):
            self.console.print(self._line(), markup=False)

    def _line(self) -> str:
        return f"{self.done} of {self.all} runs, {self._left()}"

    def _tenth(self, done: int) -> int:
        return int(done / self.all / TELLS_EVERY)

    def _left(self) -> str:
        return f"about {spoken_s(self.left_s)} left" if self.done < self.all else "done"
