"""What the platform stores of automatic assignments: a set for whatever matches a query (§1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.action_records import DEFAULT_WEIGHT, Entity, ForceType
from fleetrig.reference_server.stores.interface import Key, Kind


class AutoAssignStatus(StrEnum):
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    APPROVAL_DENIED = "approval_denied"
    READY = "ready"
    PAUSED = "paused"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoAssignment(Entity):
    """A filter's is the one with the name and the query of the filter; nothing else ties the two."""

    name: str | None
    """None until it is stored: the server looks for it last."""
    query: str
    set_id: int
    description: str | None = None
    status: str = AutoAssignStatus.READY
    action_type: str = ForceType.FORCED
    start_at_ms: int | None = None
    weight: int = DEFAULT_WEIGHT
    confirmation_required: bool = False
    decided_by: str | None = None
    remark: str | None = None


def _active(one: AutoAssignment) -> Iterable[Key]:
    return ("yes",) if one.status in (AutoAssignStatus.READY, AutoAssignStatus.RUNNING) else ()


AUTO_ASSIGNMENT: Final = Kind(
    "hawkbit.auto_assignment",
    AutoAssignment,
    lambda one: one.id,
    {"name": lambda one: (one.name or "",), "set": lambda one: (one.set_id,), "active": _active},
)
