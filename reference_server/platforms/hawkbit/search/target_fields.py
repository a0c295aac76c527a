"""The fields of a target that can be searched and sorted by (§1.2; `TargetFields.java`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_TAG, TARGET_TYPE, Target, UpdateStatus
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository

UPDATE_STATUSES: Final = tuple(
    status.value
    for status in (
        UpdateStatus.UNKNOWN, UpdateStatus.IN_SYNC, UpdateStatus.PENDING, UpdateStatus.ERROR, UpdateStatus.REGISTERED
    )
)  # fmt: skip
"""In the order in which the real server counts them."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a target's fields need besides the target: its tenant's other records."""

    repo: Repository
    tenant: str


def _type(part: str) -> Field:
    def get(target: Target, look: Look) -> Any:
        if target.type_id is None:
            return None
        return getattr(look.repo.store.get(TARGET_TYPE, look.tenant, target.type_id), part, None)

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT)


def _set(which: str, part: int) -> Field:
    """`which` names the field of the target, `part` 0 is the set's name, 1 its version."""

    def get(target: Target, look: Look) -> Any:
        set_id = getattr(target, which)
        label = None if set_id is None else software.label(look.repo, look.tenant, set_id)
        return None if label is None else label[part]

    return Field(get)


def _tag_names(target: Target, look: Look) -> list[str]:
    tags = (look.repo.store.get(TARGET_TAG, look.tenant, tag_id) for tag_id in target.tag_ids)
    return [tag.name for tag in tags if tag is not None]


def _plain(part: str, holds: Holds = Holds.TEXT) -> Field:
    return Field(lambda target, look: getattr(target, part), holds)


FIELDS: Final = {
    "id": _plain("controller_id"),
    "controllerId": _plain("controller_id"),
    "name": _plain("name"),
    "description": _plain("description"),
    "createdAt": _plain("created_at_ms", Holds.NUMBER),
    "createdBy": _plain("created_by"),
    "lastModifiedAt": _plain("modified_at_ms", Holds.NUMBER),
    "lastModifiedBy": _plain("modified_by"),
    "updateStatus": Field(lambda target, look: target.update_status, Holds.CHOICE, choices=UPDATE_STATUSES),
    "ipAddress": _plain("address"),
    "group": _plain("group"),
    "attribute": Field(lambda target, look: target.attributes, by_key=True),
    "metadata": Field(lambda target, look: target.metadata, by_key=True),
    "assignedDS.name": _set("assigned_set_id", 0),
    "assignedDS.version": _set("assigned_set_id", 1),
    "installedDS.name": _set("installed_set_id", 0),
    "installedDS.version": _set("installed_set_id", 1),
    "tag": Field(_tag_names, many=True),
    "tag.name": Field(_tag_names, many=True),
    "lastControllerRequestAt": Field(
        lambda target, look: look.repo.last_poll_ms(look.tenant, target.controller_id), Holds.NUMBER
    ),
    "type": _type("key"),
    "type.id": _type("id"),
    "type.key": _type("key"),
    "type.name": _type("name"),
    "targetType.id": _type("id"),
    "targetType.key": _type("key"),
    "targetType.name": _type("name"),
    "autoConfirm": Field(lambda target, look: target.auto_confirm is not None, Holds.PRESENCE),
}
TARGET_FIELDS: Final = Fields(FIELDS)
LATER: Final = frozenset({"group", "type", "type.id", "type.key", "type.name", "targetType.id", "autoConfirm"})
OLD_TARGET_FIELDS: Final = Fields({name: field for name, field in FIELDS.items() if name not in LATER})


def target_fields(traits: Traits) -> Fields:
    """What targets are searched and sorted by."""
    return OLD_TARGET_FIELDS if traits.has_old_search_fields else TARGET_FIELDS
