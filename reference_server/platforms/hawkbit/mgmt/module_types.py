"""`/softwaremoduletypes` (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import (
    TYPE_RULES,
    Given,
    changes,
    check_requests,
    check_update,
    number,
    texts,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import module_type_document
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import MODULE_TYPE_FIELDS, not_deleted
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import MODULE, MODULE_TYPE, SET_TYPE, ModuleType
from fleetrig.reference_server.platforms.hawkbit.state.errors import already_exists, not_all_found

CHANGEABLE = TYPE_RULES[2:]


def create(call: Call) -> Reply:
    """All or nothing. Raises 400, 409 for a key or name that is taken, also by a deleted type."""
    requests = [_read(body) for body in fields.as_new_objects(call.array)]
    check_requests(TYPE_RULES, [request["texts"] for request in requests], "key", "name")
    types = [_store(call, request) for request in requests]
    return Reply(201, [module_type_document(call, record) for record in types], changed="module types created")


def listed(call: Call) -> Reply:
    types = not_deleted(call, call.repo.store.scan(MODULE_TYPE, call.tenant))
    return page(call, types, MODULE_TYPE_FIELDS, lambda record: module_type_document(call, record), look=call)


def read(call: Call, type_id: int) -> Reply:
    return Reply(body=module_type_document(call, software.need_module_type(call, type_id)))


def change(call: Call, type_id: int) -> Reply:
    """Description and colour; the rest of a type stays as it was made."""
    given = texts(fields.as_object(call.json), CHANGEABLE)
    check_update(CHANGEABLE, given)
    record = software.need_module_type(call, type_id)
    if record.deleted:
        raise software.deleted("SoftwareModuleType", type_id)
    changed = replace(record, **changes(CHANGEABLE, given))
    if changed != record:
        changed = replace(
            changed, revision=record.revision + 1, modified_by=call.user, modified_at_ms=call.now_ms
        )  # fmt: skip
        call.repo.store.put(MODULE_TYPE, call.tenant, changed)
    return Reply(body=module_type_document(call, changed), changed=f"module type {type_id} changed")


def delete(call: Call, type_id: int) -> Reply:
    """Gone if nothing is of it, else marked as deleted."""
    record = call.repo.store.get(MODULE_TYPE, call.tenant, type_id)
    if record is None:
        raise not_all_found("SoftwareModuleType", [type_id], [])
    named = any(type_id in (*one.mandatory, *one.optional) for one in call.repo.store.scan(SET_TYPE, call.tenant))
    if named or call.repo.store.count(MODULE, call.tenant, "type", type_id):
        call.repo.store.put(MODULE_TYPE, call.tenant, replace(record, deleted=True))
    else:
        call.repo.store.delete(MODULE_TYPE, call.tenant, type_id)
    return Reply(call.done_status, changed=f"module type {type_id} deleted")


def _read(body: dict[str, Any]) -> Given:
    return {
        "texts": texts(body, TYPE_RULES),
        "least": number(body, "minArtifacts"),
        "most": number(body, "maxAssignments"),
    }


def _store(call: Call, request: Given) -> ModuleType:
    least, most = request["least"], request["most"]
    broken = ["maxAssignments must be greater than or equal to 1."] if most < 1 else []
    broken += ["minArtifacts must be greater than or equal to 0."] if least < 0 else []
    record = ModuleType(
        **rules.as_stored(TYPE_RULES, request["texts"], *broken), id=call.repo.store.next_id(MODULE_TYPE.name),
        max_assignments=most, min_artifacts=least, created_by=call.user, created_at_ms=call.now_ms,
        modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    for index, value in (("key", record.key), ("name", record.name)):
        if call.repo.store.count(MODULE_TYPE, call.tenant, index, value):
            raise already_exists(f"there is a software module type with {index} {value} already, or there was")
    call.repo.store.put(MODULE_TYPE, call.tenant, record)
    return record
