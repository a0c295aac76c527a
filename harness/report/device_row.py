"""One device of a fleet, as its last events left it: a line of the live table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.harness.report.fleet_failures import Cause, answer_text
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.envelope import Envelope

OFF: Final = "off"
WAITING: Final = "waiting"
IN_TROUBLE: Final = "in trouble"
GAVE_UP: Final = "gave up"
DONE: Final = "done"


@dataclass(slots=True)
class DeviceRow:
    """One device, as its last events left it."""

    serial: str
    interval_s: float
    stage: str = OFF
    doing: str = OFF
    due_us: int = 0
    """WAITING: until when."""
    answer: str = ""
    """The last answer in a word, such as its status code, or why there was none."""
    answered_us: int = 0
    polls: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    failure: Cause | None = None
    """Why it failed last, also when it has recovered since."""
    is_judged: bool = False
    """It had its first answer, or none when it should have had one."""
    on_us: int = 0
    """When it was switched on first."""
    let_in_after_us: int | None = None
    """How long after that it was accepted for the first time."""
    was_online: bool = False
    version: str = ""
    sent: Envelope | None = None
    """What it sent last."""
    reported: str = ""
    """The update whose end was counted last: a repeated report is no second update."""

    def wait(self, at_us: int) -> None:
        """Nothing is to be done until its interval is over."""
        self.doing, self.due_us = WAITING, at_us + to_us(self.interval_s)

    def fails_by(self, cause: Cause) -> bool:
        """Whether it still does."""
        return self.failures_in_a_row > 0 and self.failure == cause

    def doing_text(self, now_us: int) -> str:
        """What it does, in words."""
        if self.doing == WAITING:
            # Whole seconds of the clock, so that all rows change at once and the table is drawn once a second.
            return f"waiting {max(0, self.due_us // US_PER_S - now_us // US_PER_S)} s"
        if self.doing in (IN_TROUBLE, GAVE_UP):
            what = GAVE_UP if self.doing == GAVE_UP else stage_text(self.stage)
            return f"{what}: {answer_text(self.answer)}"
        return self.doing


def stage_text(stage: str) -> str:
    """A stage as people write it: `backing off`."""
    return stage.replace("_", " ")
