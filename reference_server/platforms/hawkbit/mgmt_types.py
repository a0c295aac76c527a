"""`/softwaremoduletypes` and `/distributionsettypes` (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_server.platforms.hawkbit import fields, rules, software
from reference_server.platforms.hawkbit.action_records import (
    MODULE,
    MODULE_TYPE,
    SET,
    SET_TYPE,
    ModuleType,
    SetType,
)
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import already_exists, not_found, quota, violations
from reference_server.platforms.hawkbit.listing import page
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.software_fields import MODULE_TYPE_FIELDS, SET_TYPE_FIELDS
from reference_server.platforms.hawkbit.software_views import module_type_document, set_type_document


def list_module_types(call: Call) -> Reply:
    types = [record for record in call.repo.store.scan(MODULE_TYPE, call.tenant) if not record.deleted]
    return page(call, types, MODULE_TYPE_FIELDS, lambda record: module_type_document(call, record), look=call)


def read_module_type(call: Call, type_id: int) -> Reply:
    return Reply(body=module_type_document(call, software.need_module_type(call, type_id)))


def create_module_types(call: Call) -> Reply:
    bodies = fields.as_objects(call.array)
    types = [_module_type(call, body, f"create.create[{number}]") for number, body in enumerate(bodies)]
    for record in types:
        if call.repo.store.count(MODULE_TYPE, call.tenant, "key", record.key):
            raise already_exists(f"there is a software module type {record.key} already")
        call.repo.store.put(MODULE_TYPE, call.tenant, record)
    return Reply(201, [module_type_document(call, record) for record in types], changed="module types created")


def change_module_type(call: Call, type_id: int) -> Reply:
    record = software.need_module_type(call, type_id)
    changed = replace(record, **_changes(call, fields.as_object(call.json)))
    call.repo.store.put(MODULE_TYPE, call.tenant, changed)
    return Reply(body=module_type_document(call, changed), changed=f"module type {type_id} changed")


def delete_module_type(call: Call, type_id: int) -> Reply:
    """Gone if nothing is of it, else marked as deleted."""
    record = software.need_module_type(call, type_id)
    named = any(type_id in (*one.mandatory, *one.optional) for one in call.repo.store.scan(SET_TYPE, call.tenant))
    if named or call.repo.store.count(MODULE, call.tenant, "type", type_id):
        call.repo.store.put(MODULE_TYPE, call.tenant, replace(record, deleted=True))
    else:
        call.repo.store.delete(MODULE_TYPE, call.tenant, type_id)
    return Reply(call.done_status, changed=f"module type {type_id} deleted")


def list_set_types(call: Call) -> Reply:
    types = [record for record in call.repo.store.scan(SET_TYPE, call.tenant) if not record.deleted]
    return page(call, types, SET_TYPE_FIELDS, lambda record: set_type_document(call, record), look=call)


def read_set_type(call: Call, type_id: int) -> Reply:
    return Reply(body=set_type_document(call, software.need_set_type(call, type_id), single=True))


def create_set_types(call: Call) -> Reply:
    bodies = fields.as_objects(call.array)
    types = [_set_type(call, body, f"create.create[{number}]") for number, body in enumerate(bodies)]
    for record in types:
        if call.repo.store.count(SET_TYPE, call.tenant, "key", record.key):
            raise already_exists(f"there is a distribution set type {record.key} already")
        call.repo.store.put(SET_TYPE, call.tenant, record)
    return Reply(201, [set_type_document(call, record) for record in types], changed="set types created")


def change_set_type(call: Call, type_id: int) -> Reply:
    record = software.need_set_type(call, type_id)
    changed = replace(record, **_changes(call, fields.as_object(call.json)))
    call.repo.store.put(SET_TYPE, call.tenant, changed)
    return Reply(body=set_type_document(call, changed, single=True), changed=f"set type {type_id} changed")


def delete_set_type(call: Call, type_id: int) -> Reply:
    """Gone if no set is of it, else marked as deleted. Raises 404 for the tenant's default (§1.6)."""
    record = software.need_set_type(call, type_id)
    if type_id == software.default_set_type(call).id:
        raise not_found("DistributionSetType", type_id, "the tenant's default type cannot be deleted")
    if call.repo.store.count(SET, call.tenant, "type", type_id):
        call.repo.store.put(SET_TYPE, call.tenant, replace(record, deleted=True))
    else:
        call.repo.store.delete(SET_TYPE, call.tenant, type_id)
    return Reply(call.done_status, changed=f"set type {type_id} deleted")


def mandatory_module_types(call: Call, type_id: int) -> Reply:
    return _module_types(call, software.need_set_type(call, type_id).mandatory)


def optional_module_types(call: Call, type_id: int) -> Reply:
    return _module_types(call, software.need_set_type(call, type_id).optional)


def _module_types(call: Call, type_ids: tuple[int, ...]) -> Reply:
    records = [software.need_module_type(call, type_id) for type_id in type_ids]
    return Reply(body=[module_type_document(call, record) for record in records])


def _module_type(call: Call, body: dict[str, Any], path: str) -> ModuleType:
    most, least = fields.integer(body, "maxAssignments"), fields.integer(body, "minArtifacts")
    return ModuleType(
        id=call.repo.store.next_id(MODULE_TYPE.name), **_common(call, body, path),
        max_assignments=1 if most is None else most, min_artifacts=least or 0,
    )  # fmt: skip


def _set_type(call: Call, body: dict[str, Any], path: str) -> SetType:
    mandatory, optional = _type_ids(call, body, "mandatorymodules"), _type_ids(call, body, "optionalmodules")
    limit = call.settings.quotas.module_types_per_set_type
    if len(mandatory) + len(optional) > limit:
        raise quota(len(mandatory) + len(optional), "SoftwareModuleType", "DistributionSetType", "<new>", limit)
    return SetType(
        id=call.repo.store.next_id(SET_TYPE.name), **_common(call, body, path), mandatory=mandatory,
        optional=tuple(type_id for type_id in optional if type_id not in mandatory),
    )  # fmt: skip


def _type_ids(call: Call, body: dict[str, Any], name: str) -> tuple[int, ...]:
    ids = [fields.integer(entry, "id") for entry in fields.as_objects(body.get(name) or [])]
    return tuple(dict.fromkeys(software.need_module_type(call, type_id or 0).id for type_id in ids))


def _common(call: Call, body: dict[str, Any], path: str) -> dict[str, Any]:
    given = {name: fields.text(body, name) for name in ("key", "name", "description", "colour")}
    broken = [
        *rules.missing(f"{path}.key", given["key"]),
        *rules.missing(f"{path}.name", given["name"]),
        *rules.broken(f"{path}.key", given["key"], 1, 64),
        *rules.broken(f"{path}.name", given["name"], 1, 128),
        *rules.broken(f"{path}.description", given["description"], 0, 512),
        *rules.broken(f"{path}.colour", given["colour"], 0, 16),
    ]
    if broken:
        raise violations(broken)
    audit = {"created_by": call.user, "created_at_ms": call.now_ms}
    return {**given, **audit, "modified_by": call.user, "modified_at_ms": call.now_ms}


def _changes(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Description and colour; the rest of a type stays as it was made."""
    given = {name: fields.text(body, name) for name in ("description", "colour")}
    broken = rules.broken("update.update.description", given["description"], 0, 512)
    broken += rules.broken("update.update.colour", given["colour"], 0, 16)
    if broken:
        raise violations(broken)
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return {**changes, "modified_by": call.user, "modified_at_ms": call.now_ms}
