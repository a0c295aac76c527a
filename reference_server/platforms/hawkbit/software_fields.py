"""What modules, sets and their types can be searched and sorted by (`*Fields.java` of the server).

`look` is the call: the getters need its tenant's other records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from reference_server.platforms.hawkbit import software
from reference_server.platforms.hawkbit.action_records import DistributionSet, SoftwareModule
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import not_readable
from reference_server.platforms.hawkbit.rsql_fields import Field, Fields, Holds

R = TypeVar("R", SoftwareModule, DistributionSet)

SOFT_DELETED_MODES: Final = ("exclude_soft_deleted", "include_soft_deleted", "only_soft_deleted")


def not_deleted(call: Call, records: Iterable[R]) -> Iterator[R]:
    """The records that the query parameter `softdeleted` asks for, by default those that are not deleted."""
    mode = call.query.get("softdeleted", SOFT_DELETED_MODES[0]).lower()
    if mode not in SOFT_DELETED_MODES:
        words = ", ".join(SOFT_DELETED_MODES)
        raise not_readable(f"query parameter softdeleted: expected one of {words}, got {mode[:50]!r}")
    wanted = {SOFT_DELETED_MODES[0]: {False}, SOFT_DELETED_MODES[1]: {False, True}, SOFT_DELETED_MODES[2]: {True}}[mode]
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
        "complete": Field(lambda record, look: software.is_complete_set(look, record), Holds.PRESENCE),
        "type": _set_type("key"),
        **{f"type.{part}": _set_type(part) for part in ("id", "key", "name")},
        **{f"module.{part}": _modules(part) for part in ("id", "name")},
    }
)
MODULE_TYPE_FIELDS: Final = Fields(
    {**NAMED, "key": _plain("key"), "maxAssignments": _plain("max_assignments", Holds.NUMBER)}
)
SET_TYPE_FIELDS: Final = Fields({**NAMED, "key": _plain("key")})
