"""What modules, sets and their types can be searched and sorted by (`*Fields.java` of the server).

`look` is the call: the getters need its tenant's other records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    SET,
    SET_TAG,
    DistributionSet,
    ModuleType,
    SetTag,
    SetType,
    SoftwareModule,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable

R = TypeVar("R", SoftwareModule, DistributionSet, ModuleType, SetType)

SHOWN: Final[dict[str, set[bool]]] = {
    "EXCLUDE_SOFT_DELETED": {False},
    "INCLUDE_SOFT_DELETED": {False, True},
    "ONLY_SOFT_DELETED": {True},
}


def not_deleted(call: Call, records: Iterable[R]) -> Iterator[R]:
    """The records that the query parameter `soft_deleted_mode` asks for, by default those that are not deleted."""
    mode = call.query.get("soft_deleted_mode") or "EXCLUDE_SOFT_DELETED"
    if mode.strip() not in SHOWN:
        raise not_readable(f"query parameter soft_deleted_mode: expected {', '.join(SHOWN)}, got {mode[:50]!r}")
    wanted = SHOWN[mode.strip()]
    return (record for record in records if record.deleted in wanted)


def _plain(part: str, holds: Holds = Holds.TEXT) -> Field:
    return Field(lambda record, look: getattr(record, part), holds)


def _yes_no(part: str) -> Field:
    return Field(lambda record, look: getattr(record, part), Holds.BOOLEAN)


def _metadata(record: SoftwareModule | DistributionSet, look: Call) -> dict[str, str]:
    return {key: value["value"] for key, value in record.metadata.items()}


AUDIT: Final = {
    "id": _plain("id", Holds.NUMBER),
    "createdAt": _plain("created_at_ms", Holds.NUMBER),
    "createdBy": _plain("created_by"),
    "lastModifiedAt": _plain("modified_at_ms", Holds.NUMBER),
    "lastModifiedBy": _plain("modified_by"),
}
NAMED: Final = {**AUDIT, "name": _plain("name"), "description": _plain("description")}


def _module_type(part: str) -> Field:
    def get(module: SoftwareModule, look: Call) -> Any:
        return getattr(software.need_module_type(look, module.type_id), part)

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT)


def _set_type(part: str) -> Field:
    def get(record: DistributionSet, look: Call) -> Any:
        return getattr(software.need_set_type(look, record.type_id), part)

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT)


def _modules(part: str) -> Field:
    def get(record: DistributionSet, look: Call) -> list[Any]:
        return [getattr(module, part) for module in software.modules_of(look, record)]

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT, many=True)


def _tags(record: DistributionSet, look: Call) -> list[str]:
    tags = (look.repo.store.get(SET_TAG, look.tenant, tag_id) for tag_id in record.tag_ids)
    return [tag.name for tag in tags if tag is not None]


MODULE_FIELDS: Final = Fields(
    {
        **NAMED,
        "version": _plain("version"),
        "metadata": Field(_metadata, by_key=True),
        "type": _module_type("key"),
        **{f"type.{part}": _module_type(part) for part in ("id", "key", "name")},
    }
)
SET_FIELDS: Final = Fields(
    {
        **NAMED,
        "version": _plain("version"),
        "metadata": Field(_metadata, by_key=True),
        "valid": _yes_no("valid"),
        "type": _set_type("key"),
        **{f"type.{part}": _set_type(part) for part in ("id", "key", "name")},
        **{f"module.{part}": _modules(part) for part in ("id", "name")},
        "tag": Field(_tags, many=True),
        "tag.name": Field(_tags, many=True),
    }
)


def _tagged(part: str) -> Field:
    def get(tag: SetTag, look: Call) -> list[Any]:
        return [getattr(record, part) for record in look.repo.store.find(SET, look.tenant, "tag", tag.id)]

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT, many=True)


SET_TAG_FIELDS: Final = Fields(
    {**NAMED, "colour": _plain("colour"), **{f"distributionSet.{part}": _tagged(part) for part in ("id", "name")}}
)
SET_TAG_SORTS: Final = Fields({**NAMED, "colour": _plain("colour")})
MODULE_TYPE_FIELDS: Final = Fields(
    {**NAMED, "key": _plain("key"), "maxAssignments": _plain("max_assignments", Holds.NUMBER)}
)
SET_TYPE_FIELDS: Final = Fields({**NAMED, "key": _plain("key")})
