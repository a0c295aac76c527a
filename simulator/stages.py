"""The stages of a device's life and the one table of legal moves.

Rules for this file:
1. A move that is not in `MOVES` does not happen: the agent stops with a `ModelError`.
2. Stages are what the *device* knows. What the server thinks of it (registered, pending …) is the registry's business.

A device is BLANK until it is given a server. ENROLLING is its first contact, and every contact after it has lost its
identity. ENROLLED devices have been accepted at least once; ONLINE says that the last contact worked. BACKING_OFF waits
after a failure, REFUSED waits after the server said no. UPDATING is between a deployment and its final report.
MOVING is on the way to another server.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    BLANK = "blank"
    """Fresh from the factory: it has not been given a server yet."""
    ENROLLING = "enrolling"
    """On its first contact, or on one after it has lost its identity."""
    BACKING_OFF = "backing_off"
    """A try has failed, and it waits before the next one."""
    ENROLLED = "enrolled"
    """It has been accepted at least once, and has stored that."""
    ONLINE = "online"
    """Accepted, and its last contact worked."""
    UPDATING = "updating"
    """Between a deployment that it was given and its final report."""
    MOVING = "moving"
    """On its way to another server."""
    REFUSED = "refused"
    """The server said no, and it waits before it asks again."""


MOVES: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.BLANK: frozenset({Stage.ENROLLING}),
    Stage.ENROLLING: frozenset({Stage.ENROLLED, Stage.BACKING_OFF, Stage.REFUSED}),
    Stage.BACKING_OFF: frozenset({Stage.ENROLLING, Stage.ENROLLED, Stage.ONLINE, Stage.UPDATING, Stage.REFUSED}),
    Stage.ENROLLED: frozenset({Stage.ONLINE, Stage.BACKING_OFF, Stage.REFUSED, Stage.ENROLLING}),
    Stage.ONLINE: frozenset({Stage.UPDATING, Stage.BACKING_OFF, Stage.REFUSED, Stage.MOVING}),
    Stage.UPDATING: frozenset({Stage.ONLINE, Stage.BACKING_OFF, Stage.REFUSED}),
    Stage.MOVING: frozenset({Stage.ENROLLING, Stage.ONLINE, Stage.BACKING_OFF}),
    Stage.REFUSED: frozenset({Stage.ENROLLING, Stage.ENROLLED, Stage.ONLINE, Stage.BACKING_OFF, Stage.UPDATING}),
}


def may_move(here: Stage, there: Stage) -> bool:
    """True when the move is in the table; staying is always allowed."""
    return here is there or there in MOVES[here]
