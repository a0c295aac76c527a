"""`/distributionsettypes`, and the module types that their sets take (§1.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import (
    TYPE_RULES,
    Given,
    changes,
    check_requests,
    check_update,
    ids,
    texts,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import module_type_document, set_type_document
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import SET_TYPE_FIELDS, not_deleted
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import MODULE_TYPE, SET, SET_TYPE, SetType
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    integrity,
    not_all_found,
    quota,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_TYPE

CHANGEABLE: Final = TYPE_RULES[2:]


def create(call: Call) -> Reply:
    """All or nothing. Raises 400, 404 for an unknown module type, 409 for a key or name that is or was taken."""
    requests = [_read(body) for body in fields.as_new_objects(call.array)]
    for request in requests:
        _need_module_types(call, request["mandatory"])
        _need_module_types(call, request["optional"])
    check_requests(TYPE_RULES, [request["texts"] for request in requests], "key", "name")
    types = [_store(call, request) for request in requests]
    return Reply(201, [set_type_document(call, record) for record in types], changed="set types created")


def listed(call: Call) -> Reply:
    types = not_deleted(call, call.repo.store.scan(SET_TYPE, call.tenant))
    return page(call, types, SET_TYPE_FIELDS, lambda record: set_type_document(call, record), look=call)


def read(call: Call, type_id: int) -> Reply:
    return Reply(body=set_type_document(call, software.need_set_type(call, type_id), single=True))


def change(call: Call, type_id: int) -> Reply:
    """Description and colour; the rest of a type stays as it was made."""
    given = texts(fields.as_object(call.json), CHANGEABLE)
    check_update(CHANGEABLE, given)
    record = _changeable(call, type_id)
    changed = replace(record, **changes(CHANGEABLE, given))
    if changed != record:
        changed = _save(call, changed)
    return Reply(body=set_type_document(call, changed, single=True), changed=f"set type {type_id} changed")


def delete(call: Call, type_id: int) -> Reply:
    """Gone if no set is of it, else marked as deleted. Raises 400 for the tenant's default (§1.6), 404."""
    record = software.need_set_type(call, type_id)
    is_used = bool(call.repo.store.count(SET, call.tenant, "type", type_id))
    if not is_used and type_id == software.default_set_type(call).id:
        raise integrity("the tenant's default type cannot be deleted")
    for one in call.repo.store.scan(TARGET_TYPE, call.tenant):
        if type_id in one.set_type_ids:
            left = tuple(other for other in one.set_type_ids if other != type_id)
            call.repo.store.put(TARGET_TYPE, call.tenant, replace(one, set_type_ids=left))
    if is_used:
        _save(call, replace(record, deleted=True))
    else:
        call.repo.store.delete(SET_TYPE, call.tenant, type_id)
    return Reply(call.done_status, changed=f"set type {type_id} deleted")


@dataclass(frozen=True, slots=True)
class ModuleTypeHandlers:
    """The handlers of `…/mandatorymoduletypes` and `…/optionalmoduletypes`."""

    part: Literal["mandatory", "optional"]

    def listed(self, call: Call, type_id: int) -> Reply:
        kinds = software.types_in_order(call, software.need_set_type(call, type_id), self.part)
        return Reply(body=[module_type_document(call, kind) for kind in kinds])

    def read(self, call: Call, type_id: int, module_type_id: int) -> Reply:
        record = software.need_set_type(call, type_id)
        call.need("READ_SOFTWARE_MODULE_TYPE")
        kind = software.need_module_type(call, module_type_id)
        if module_type_id not in getattr(record, self.part):
            java_class = REPOSITORY + "SoftwareModuleTypeNotInDistributionSetTypeException"
            message = (
                f"SoftwareModuleType with id {{{module_type_id}}} is not part of "
                f"DistributionSetType with id {{{type_id}}}."
            )
            raise HawkbitError(404, "repo.entityNotFound", java_class, message)
        return Reply(body=module_type_document(call, kind))

    def add(self, call: Call, type_id: int) -> Reply:
        """One that was of the other part moves. Raises 403 for a type that sets are of, 404, 429."""
        module_type_id = fields.integer(fields.as_object(call.json), "id")
        _need_module_types(call, [module_type_id])
        record = _unused(call, type_id)
        _check_quota(call, type_id, 1, len(record.mandatory) + len(record.optional))
        call.repo.store.put(SET_TYPE, call.tenant, self._with(record, module_type_id))
        return Reply(call.done_status, changed=f"module types of set type {type_id} changed")

    def _with(self, record: SetType, module_type_id: int | None) -> SetType:
        if module_type_id is None or module_type_id in getattr(record, self.part):
            return record
        left = _without(record, module_type_id)
        if self.part == "mandatory":
            return replace(left, mandatory=(*left.mandatory, module_type_id))
        return replace(left, optional=(*left.optional, module_type_id))


def remove_module_type(call: Call, type_id: int, module_type_id: int) -> Reply:
    """Whichever of both it was. As with adding, the type itself counts as unchanged.

    Raises 403 for a type that sets are of, 404.
    """
    record = _unused(call, type_id)
    software.need_module_type(call, module_type_id)
    call.repo.store.put(SET_TYPE, call.tenant, _without(record, module_type_id))
    return Reply(call.done_status, changed=f"module types of set type {type_id} changed")


def _without(record: SetType, module_type_id: int) -> SetType:
    return replace(
        record,
        mandatory=tuple(one for one in record.mandatory if one != module_type_id),
        optional=tuple(one for one in record.optional if one != module_type_id),
    )


def _read(body: dict[str, Any]) -> Given:
    return {
        "texts": texts(body, TYPE_RULES),
        "mandatory": list(dict.fromkeys(ids(body, "mandatorymodules"))),
        "optional": list(dict.fromkeys(ids(body, "optionalmodules"))),
    }


def _store(call: Call, request: Given) -> SetType:
    record = SetType(
        **rules.as_stored(TYPE_RULES, request["texts"]), id=call.repo.store.next_id(SET_TYPE.name),
        mandatory=tuple(request["mandatory"]), optional=tuple(request["optional"]), created_by=call.user,
        created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    for index, value in (("key", record.key), ("name", record.name)):
        if call.repo.store.count(SET_TYPE, call.tenant, index, value):
            raise already_exists(f"there is a distribution set type with {index} {value} already, or there was")
    if set(record.mandatory) & set(record.optional):
        raise already_exists(f"distribution set type {record.key}: a module type is either mandatory or optional")
    call.repo.store.put(SET_TYPE, call.tenant, record)
    return record


def _changeable(call: Call, type_id: int) -> SetType:
    record = software.need_set_type(call, type_id)
    if record.deleted:
        raise software.deleted("DistributionSetType", type_id)
    return record


def _unused(call: Call, type_id: int) -> SetType:
    """Raises 403 when a set is of this type, be it a deleted one."""
    record = _changeable(call, type_id)
    if call.repo.store.count(SET, call.tenant, "type", type_id):
        message = f"Distribution set type {type_id} is already assigned to distribution sets and cannot be changed!"
        raise HawkbitError(403, "entityReadOnly", REPOSITORY + "EntityReadOnlyException", message)
    return record


def _save(call: Call, record: SetType) -> SetType:
    record = replace(record, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(SET_TYPE, call.tenant, record)
    return record


def _need_module_types(call: Call, type_ids: list[int | None]) -> None:
    """Raises 404 for those that are not there."""
    found = [type_id for type_id in type_ids if call.repo.store.get(MODULE_TYPE, call.tenant, type_id or 0)]
    if len(found) < len(type_ids):
        raise not_all_found("SoftwareModuleType", type_ids, found)


def _check_quota(call: Call, type_id: int, more: int, there: int) -> None:
    limit = call.settings.quotas.module_types_per_set_type
    if there + more > limit:
        raise quota(more, "SoftwareModuleType", "DistributionSetType", type_id, limit)
