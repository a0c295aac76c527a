"""Plays a recording step by step, and says row by row whether the answers are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.golden.hono_player.judging import Answers, Given, judge
from tests.golden.hono_player.names import Differs, Names
from tests.golden.hono_player.recording import Step, rows_of


class Wire(Protocol):
    """What performs the steps of a row."""

    def perform(self, step: Step, request: dict[str, Any]) -> Any:
        """What came. `request`: the step's, filled. Raises OSError and EOFError when a connection breaks."""

    def before(self, step: Step, names: Names) -> None:
        """What the recording tells of in words only, and what a step binds without an answer."""

    def close(self) -> None:
        """The row is over."""


@dataclass
class Played:
    """What came of one step, what the names stood for before it was judged, and what it was judged to be."""

    step: Step
    got: Any
    names: dict[str, str]
    given: Given | None = None


@dataclass
class Player:
    """`verdicts`: row -> where it differs; empty for those that agree."""

    new_wire: Callable[[], Wire]
    answers: Answers = Answers.RECORDED
    verdicts: dict[str, str] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)

    def play(self, steps: Sequence[Step]) -> None:
        for number, (row, its) in enumerate(rows_of(list(steps)).items()):
            self.verdicts[row] = self._row(its, Names(f"r{number:03d}"))

    def given(self) -> Mapping[Given | None, int]:
        """How many answers of each sort there were."""
        return Counter(one.given for one in self.played)

    def _row(self, steps: Sequence[Step], names: Names) -> str:
        """Where it differs. After its first difference a row is cleaned up, and over."""
        difference = ""
        wire = self.new_wire()
        try:
            for step in steps:
                if difference and not step.is_cleanup:
                    continue
                try:
                    self._step(step, wire, names)
                except (Differs, OSError, EOFError) as differs:
                    difference = difference or f"{step.place}: {str(differs) or type(differs).__name__}"
        finally:
            wire.close()
        return difference

    def _step(self, step: Step, wire: Wire, names: Names) -> None:
        wire.before(step, names)
        got = wire.perform(step, names.fill(step.request))
        self.played.append(Played(step, got, dict(names.values)))
        self.played[-1].given = judge(step, got, names, self.answers)
