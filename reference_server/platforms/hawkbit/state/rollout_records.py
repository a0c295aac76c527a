"""What the platform stores of rollouts: a set on its way to many targets, group by group. Times are in ms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.action_records import Entity, ForceType
from fleetrig.reference_server.stores.interface import Key, Kind


class RolloutStatus(StrEnum):
    """In the order in which the real server lists them."""

    CREATING = "creating"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    APPROVAL_DENIED = "approval_denied"
    READY = "ready"
    PAUSED = "paused"
    STARTING = "starting"
    STOPPED = "stopped"
    STOPPING = "stopping"
    RUNNING = "running"
    FINISHED = "finished"
    DELETING = "deleting"
    DELETED = "deleted"


ACTIVE: Final = frozenset(
    {
        RolloutStatus.CREATING, RolloutStatus.READY, RolloutStatus.STARTING, RolloutStatus.RUNNING,
        RolloutStatus.STOPPING, RolloutStatus.DELETING,
    }
)  # fmt: skip
"""What the scheduler looks at."""
STOPPABLE: Final = (
    RolloutStatus.CREATING, RolloutStatus.READY, RolloutStatus.WAITING_FOR_APPROVAL, RolloutStatus.STARTING,
    RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.APPROVAL_DENIED,
)  # fmt: skip


class GroupStatus(StrEnum):
    CREATING = "creating"
    READY = "ready"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    FINISHED = "finished"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When a group has done well or ill, and what follows. None: not given, or taken away by a null."""

    success_condition: str | None = None
    success_expression: str | None = None
    success_action: str | None = None
    success_action_expression: str | None = None
    error_condition: str | None = None
    error_expression: str | None = None
    error_action: str | None = None
    error_action_expression: str | None = None


DEFAULTS: Final = Conditions(
    success_condition="THRESHOLD", success_expression="50", success_action="NEXTGROUP", success_action_expression="",
    error_condition="THRESHOLD", error_expression="50", error_action="PAUSE", error_action_expression="",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout(Entity):
    name: str
    query: str
    set_id: int
    description: str | None = None
    status: str = RolloutStatus.CREATING
    force_type: str = ForceType.FORCED
    force_time_ms: int = 0
    start_at_ms: int | None = None
    weight: int | None = None
    dynamic: bool = False
    total_targets: int = 0
    groups_created: int = 0
    decided_by: str | None = None
    remark: str | None = None
    deleted: bool = False
    """Soft deleted: actions of it remain."""
    retry_of: int | None = None
    """The rollout whose failed targets this one is for."""
    filled_at_ms: int = 0
    """When the last dynamic group was found to have nobody left to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutGroup(Entity):
    rollout_id: int
    name: str
    conditions: Conditions
    description: str | None = None
    parent_id: int | None = None
    """The group before this one."""
    status: str = GroupStatus.CREATING
    query: str = ""
    percentage: float = 100.0
    """Of all targets of the rollout with the same query; of a dynamic group the number of targets it takes."""
    total_targets: int = 0
    dynamic: bool = False
    confirmation_required: bool = False


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """The targets that a group was filled with, before there are actions."""

    group_id: int
    controller_ids: tuple[str, ...] = ()


def _active(rollout: Rollout) -> Iterable[Key]:
    return ("yes",) if rollout.status in ACTIVE else ()


ROLLOUT: Final = Kind(
    "hawkbit.rollout",
    Rollout,
    lambda rollout: rollout.id,
    {"name": lambda rollout: (rollout.name,), "set": lambda rollout: (rollout.set_id,), "active": _active},
)
ROLLOUT_GROUP: Final = Kind(
    "hawkbit.rollout_group",
    RolloutGroup,
    lambda group: group.id,
    {"rollout": lambda group: (group.rollout_id,)},
)
GROUP_MEMBERS: Final = Kind(
    "hawkbit.rollout_group_members",
    GroupMembers,
    lambda members: members.group_id,
    {"target": lambda members: members.controller_ids},
)
