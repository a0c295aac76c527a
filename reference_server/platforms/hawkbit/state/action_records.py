"""What the hawkBit platform stores of software, sets and actions. Times are ms since the epoch, as on the wire.

Ids come from the store's sequences, one for each kind, so that all stay below 2^31 (a real client parses them as 32-bit
integers, spec §0).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.stores.interface import Key, Kind

SEPARATOR: Final = "\x1f"
"""Joins the parts of a composite index value."""


class Status(StrEnum):
    """What an action, or one entry of its history, says (§1.3)."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    RETRIEVED = "retrieved"
    DOWNLOAD = "download"
    DOWNLOADED = "downloaded"
    WARNING = "warning"
    FINISHED = "finished"
    ERROR = "error"
    CANCELING = "canceling"
    CANCELED = "canceled"
    CANCEL_REJECTED = "cancel_rejected"
    WAIT_FOR_CONFIRMATION = "wait_for_confirmation"


class ForceType(StrEnum):
    """How urgent an action is."""

    SOFT = "soft"
    FORCED = "forced"
    TIMEFORCED = "timeforced"
    DOWNLOADONLY = "downloadonly"


DEFAULT_WEIGHT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A record with an id, its maker and its last operator. Devices never move the second pair (§4)."""

    id: int
    created_by: str
    created_at_ms: int
    modified_by: str
    modified_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleType(Entity):
    key: str
    name: str
    description: str | None = None
    colour: str | None = None
    max_assignments: int = 1
    """How many modules of this type a set takes."""
    min_artifacts: int = 0
    """With fewer, a module of this type is not complete."""
    deleted: bool = False
    revision: int = 1
    """Counts the changes; the order of types in a set type hangs on it (`java_order`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetType(Entity):
    key: str
    name: str
    mandatory: tuple[int, ...] = ()
    """Ids of the module types that a complete set of this type holds."""
    optional: tuple[int, ...] = ()
    description: str | None = None
    colour: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareModule(Entity):
    name: str
    version: str
    type_id: int
    description: str | None = None
    vendor: str | None = None
    encrypted: bool = False
    locked: bool = False
    deleted: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    """key -> {"value": str | None, "targetVisible": bool}, in order of creation."""
    revision: int = 1
    """Counts the changes; the order of modules in a set hangs on it (`java_order`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Entity):
    """A file of a module. `blob` is its name in `Blobs`, where no two artifacts share one."""

    module_id: int
    filename: str
    blob: str
    size_bytes: int
    sha1: str
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionSet(Entity):
    name: str
    version: str
    type_id: int
    module_ids: tuple[int, ...] = ()
    description: str | None = None
    required_migration_step: bool = False
    locked: bool = False
    valid: bool = True
    deleted: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    """key -> {"value": str}."""
    tag_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTag(Entity):
    name: str
    description: str | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Entity):
    """One assignment of a set to a target.

    `revision` counts the changes: the `?c=` of a link is made from it (§2.1). `schedule`, `duration` and `timezone`
    are all given or all None.
    """

    controller_id: str
    set_id: int
    status: str
    active: bool
    force_type: str = ForceType.FORCED
    force_time_ms: int = 0
    weight: int = DEFAULT_WEIGHT
    schedule: str | None = None
    duration: str | None = None
    timezone: str | None = None
    last_status_code: int | None = None
    rollout_id: int | None = None
    rollout_group_id: int | None = None
    last_entry_status: str = ""
    """Status of the last line of the history, kept here so that nobody has to read it."""
    revision: int = 1

    @property
    def is_cancel(self) -> bool:
        """Canceling or canceled."""
        return self.status in (Status.CANCELING, Status.CANCELED)

    @property
    def waits_for_confirmation(self) -> bool:
        return self.status == Status.WAIT_FOR_CONFIRMATION

    @property
    def is_download_only(self) -> bool:
        return self.force_type == ForceType.DOWNLOADONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEntry:
    """One line of an action's history. `timestamp_ms` is the device's if it sent one."""

    id: int
    action_id: int
    status: str
    timestamp_ms: int
    reported_at_ms: int
    messages: tuple[str, ...] = ()
    code: int | None = None


def joined(*parts: object) -> str:
    """The value under which a record is found by several fields at once."""
    return SEPARATOR.join(map(str, parts))


def _by_id(record: Entity | StatusEntry) -> Key:
    return record.id


def _identity(record: SoftwareModule | DistributionSet) -> Iterable[Key]:
    """What no two may share, deleted ones included."""
    return (joined(record.name, record.version, record.type_id),)


def _set_label(one: DistributionSet) -> Iterable[Key]:
    """Name and version in lower case: a device that names a set need not get the case right (§2.7)."""
    return (joined(one.name.lower(), one.version.lower()),)


def _key(record: ModuleType | SetType) -> Iterable[Key]:
    return (record.key,)


def _name(record: ModuleType | SetType | SetTag) -> Iterable[Key]:
    return (record.name,)


def _finished(action: Action) -> Iterable[Key]:
    """Under set and target, while the action says `finished`: the poll's `installedBase` is found so."""
    return (joined(action.set_id, action.controller_id),) if action.status == Status.FINISHED else ()


def _scheduled(action: Action) -> Iterable[Key]:
    """Under the target, while the action waits for its rollout group."""
    return (action.controller_id,) if action.status == Status.SCHEDULED and not action.active else ()


def _present(value: int | None) -> Iterable[Key]:
    return () if value is None else (value,)


MODULE_TYPE: Final = Kind("hawkbit.module_type", ModuleType, _by_id, {"key": _key, "name": _name})
SET_TYPE: Final = Kind("hawkbit.set_type", SetType, _by_id, {"key": _key, "name": _name})
MODULE: Final = Kind(
    "hawkbit.module",
    SoftwareModule,
    _by_id,
    {"identity": _identity, "type": lambda module: (module.type_id,)},
)
ARTIFACT: Final = Kind("hawkbit.artifact", Artifact, _by_id, {"module": lambda file: (file.module_id,)})
SET: Final = Kind(
    "hawkbit.set",
    DistributionSet,
    _by_id,
    {
        "identity": _identity,
        "label": _set_label,
        "module": lambda one: one.module_ids,
        "type": lambda one: (one.type_id,),
        "tag": lambda one: one.tag_ids,
    },
)
SET_TAG: Final = Kind("hawkbit.set_tag", SetTag, _by_id, {"name": _name})
ACTION: Final = Kind(
    "hawkbit.action",
    Action,
    _by_id,
    {
        "target": lambda action: (action.controller_id,),
        "active": lambda action: (action.controller_id,) if action.active else (),
        "set": lambda action: (action.set_id,),
        "set_target": lambda action: (joined(action.set_id, action.controller_id),),
        "finished": _finished,
        "scheduled": _scheduled,
        "rollout": lambda action: _present(action.rollout_id),
        "rollout_group": lambda action: _present(action.rollout_group_id),
    },
)
STATUS_ENTRY: Final = Kind("hawkbit.action_status", StatusEntry, _by_id, {"action": lambda entry: (entry.action_id,)})
