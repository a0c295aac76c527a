"""What the platform stores of tenants and targets. Times are ms since the epoch, as on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from fleetrig.reference_server.stores.interface import Kind


class UpdateStatus(StrEnum):
    """A target's state (§4)."""

    UNKNOWN = "unknown"
    REGISTERED = "registered"
    PENDING = "pending"
    IN_SYNC = "in_sync"
    ERROR = "error"


class Audited(Protocol):
    """Who made and who last changed a record. A device never moves the second pair (§4)."""

    @property
    def created_by(self) -> str: ...
    @property
    def created_at_ms(self) -> int: ...
    @property
    def modified_by(self) -> str: ...
    @property
    def modified_at_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Target:
    """The server's record of a device. When it last called stands apart in `LastPoll`: that changes all the time."""

    controller_id: str
    id: int
    """The number of the record inside the server, seen in quota messages only."""
    name: str
    token: str
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int
    update_status: str = UpdateStatus.UNKNOWN
    description: str | None = None
    address: str | None = None
    group: str | None = None
    type_id: int | None = None
    request_attributes: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tag_ids: tuple[int, ...] = ()
    assigned_set_id: int | None = None
    installed_set_id: int | None = None
    installed_at_ms: int | None = None
    auto_confirm: Mapping[str, Any] | None = None
    """{"initiator": str | None, "remark": str | None, "activated_at_ms": int} while active."""


@dataclass(frozen=True, slots=True)
class LastPoll:
    """When a target last asked. Written lazily: it may lag, by 10 s at most on the real server."""

    controller_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that somebody used: its name in upper case and its own configuration values.

    `values`: key -> {"value", "created_by", "created_at_ms", "modified_by", "modified_at_ms"}.
    """

    name: str
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default_set_type_id: int | None = None


@dataclass(frozen=True, slots=True)
class TargetType:
    id: int
    key: str
    name: str
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int
    description: str | None = None
    colour: str | None = None
    set_type_ids: tuple[int, ...] = ()
    """Distribution set types that targets of this type can take."""


@dataclass(frozen=True, slots=True)
class TargetTag:
    id: int
    name: str
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int
    description: str | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class TargetFilter:
    """A stored query. What it assigns by itself is the `AutoAssignment` of its name and query."""

    id: int
    name: str
    query: str
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int


def _one(value: Any) -> Iterable[Any]:
    return () if value is None else (value,)


TARGET: Final = Kind(
    "hawkbit.target",
    Target,
    lambda target: target.controller_id,
    {
        "type": lambda target: _one(target.type_id),
        "tag": lambda target: target.tag_ids,
        "group": lambda target: _one(target.group),
        "assigned_set": lambda target: _one(target.assigned_set_id),
        "installed_set": lambda target: _one(target.installed_set_id),
    },
)
LAST_POLL: Final = Kind("hawkbit.last_poll", LastPoll, lambda poll: poll.controller_id)
TENANT: Final = Kind("hawkbit.tenant", Tenant, lambda tenant: tenant.name)
TARGET_TYPE: Final = Kind(
    "hawkbit.target_type",
    TargetType,
    lambda target_type: target_type.id,
    {"name": lambda target_type: (target_type.name,), "key": lambda target_type: (target_type.key,)},
)
TARGET_TAG: Final = Kind("hawkbit.target_tag", TargetTag, lambda tag: tag.id, {"name": lambda tag: (tag.name,)})
TARGET_FILTER: Final = Kind(
    "hawkbit.target_filter",
    TargetFilter,
    lambda target_filter: target_filter.id,
    {"name": lambda target_filter: (target_filter.name,)},
)
