"""An action that a device works on, and how working on it can end."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.hawkbit.device import Contact
from fleetrig.simulator.flows.hawkbit.messages import Deployment


@dataclass(frozen=True, slots=True)
class Job:
    """One `deploymentBase` document, and where it came from: feedback goes there."""

    contact: Contact
    href: str
    plan: Deployment

    @property
    def action_id(self) -> str:
        return self.plan.action_id


class End(Enum):
    DONE = auto()
    FAILED = auto()
    UNAVAILABLE = auto()
    """A file cannot be fetched: failed, unless the action was called off."""
    LATER = auto()
    """Not now: the next poll offers it again."""
    STOPPED = auto()
    """Called off: nothing more is to be said about it."""


class Result(NamedTuple):
    end: End
    reason: str = ""
    """Why it failed."""


DONE: Final = Result(End.DONE)
LATER: Final = Result(End.LATER)
STOPPED: Final = Result(End.STOPPED)

Work = Generator[Effect, Outcome, Result]
"""A part of an update."""


def failed(reason: str) -> Result:
    return Result(End.FAILED, reason)
