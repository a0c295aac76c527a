"""`/distributionsets`: create, read, change, delete, their modules and their targets (§1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt.filters import FILTER_FIELDS, filter_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.set_filters import (
    count_of_assignments,
    filters_of,
    is_rolled_out,
    stop_filters,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.set_search import set_page
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import (
    SET_RULES,
    Given,
    changes,
    check_requests,
    check_update,
    ids,
    texts,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import module_document, set_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import TAGGED_SORTS
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import numbered_targets, target_page
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import MODULE_FIELDS, not_deleted
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ACTION,
    MODULE,
    SET,
    DistributionSet,
    SetType,
    SoftwareModule,
    joined,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    not_all_found,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET


def create(call: Call) -> Reply:
    """`POST /distributionsets`: all or nothing; without a type the tenant's default. Raises 400, 404, 409."""
    requests = [_read(body) for body in fields.as_new_objects(call.array)]
    kinds = [_kind(call, request["type"]) for request in requests]
    if any(request["modules"] for request in requests):
        call.need("READ_SOFTWARE_MODULE")
    modules = [_need_modules(call, list(dict.fromkeys(request["modules"]))) for request in requests]
    check_requests(SET_RULES, [request["texts"] for request in requests])
    for one, kind in zip(modules, kinds, strict=True):
        _check_modules(one, kind)
    sets = [_store(call, *parts) for parts in zip(requests, kinds, modules, strict=True)]
    return Reply(201, [set_document(call, record) for record in sets], changed=f"{len(sets)} sets created")


def listed(call: Call) -> Reply:
    return set_page(call, not_deleted(call, call.repo.store.scan(SET, call.tenant)))


def read(call: Call, set_id: int) -> Reply:
    return Reply(body=set_document(call, software.need_set(call, set_id), single=True))


def change(call: Call, set_id: int) -> Reply:
    """`PUT`: only given fields change, those of a locked set too, except the migration step (S132)."""
    body = fields.as_object(call.json)
    given = texts(body, SET_RULES)
    step, locked = fields.boolean(body, "requiredMigrationStep"), fields.boolean(body, "locked")
    check_update(SET_RULES, given)
    record = _changeable(call, set_id)
    if step is not None and step != record.required_migration_step and record.locked:
        raise software.locked("JpaDistributionSet", set_id, "CHANGE_REQUIRED_MIGRATION_STEP")
    changed = replace(
        record, **changes(SET_RULES, given),
        required_migration_step=record.required_migration_step if step is None else step,
        locked=record.locked if locked is None else locked,
    )  # fmt: skip
    if changed != record:
        if (changed.name, changed.version) != (record.name, record.version):
            _refuse_duplicate(call, changed)
        changed = _save(call, changed)
    document = set_document(call, changed, single=True)
    if locked:
        software.lock_modules(call, changed)
        for module in document["modules"]:
            module["locked"] = True
    return Reply(body=document, changed=f"set {set_id} changed")


def delete(call: Call, set_id: int) -> Reply:
    """Gone if no target ever had it, else marked as deleted; filters no longer assign it."""
    record = call.repo.store.get(SET, call.tenant, set_id)
    if record is None:
        raise not_all_found("DistributionSet", [set_id], [])
    stop_filters(call, set_id)
    if _is_used(call, set_id):
        call.repo.store.put(SET, call.tenant, replace(record, deleted=True))
    else:
        call.repo.store.delete(SET, call.tenant, set_id)
    return Reply(call.done_status, changed=f"set {set_id} deleted")


def list_modules(call: Call, set_id: int) -> Reply:
    """By id, or as asked for; there is no `q`."""
    modules = sorted(software.modules_of(call, software.need_set(call, set_id)), key=lambda module: module.id)
    return page(
        call, modules, MODULE_FIELDS, lambda module: module_document(call, module), look=call, searched=False
    )  # fmt: skip


def assign_modules(call: Call, set_id: int) -> Reply:
    """`POST …/assignedSM`. Raises 400 (a type that the set's type does not take), 404, 423, 429."""
    module_ids = ids({"modules": call.array}, "modules")
    if not module_ids:
        raise violations(["assignSoftwareModules.moduleIds must not be empty."])
    record = software.need_valid_set(call, set_id)
    limit = call.settings.quotas.modules_per_set
    if len(record.module_ids) + len(module_ids) > limit:
        raise quota(len(module_ids), "SoftwareModule", "DistributionSet", set_id, limit)
    changed = with_modules(call, record, _need_modules(call, module_ids))
    if changed != record:
        _save(call, changed)
    return Reply(call.done_status, changed=f"modules of set {set_id} changed")


def unassign_module(call: Call, set_id: int, module_id: int) -> Reply:
    """Raises 423 for a locked set."""
    record = software.need_valid_set(call, set_id)
    software.need_module(call, module_id)
    if record.locked:
        raise software.locked("JpaDistributionSet", set_id, "REMOVE_SOFTWARE_MODULE")
    if module_id in record.module_ids:
        _save(call, replace(record, module_ids=tuple(one for one in record.module_ids if one != module_id)))
    return Reply(call.done_status, changed=f"modules of set {set_id} changed")


def assigned_targets(call: Call, set_id: int) -> Reply | Steps:
    return _targets(call, set_id, "assigned_set")


def installed_targets(call: Call, set_id: int) -> Reply | Steps:
    return _targets(call, set_id, "installed_set")


def _targets(call: Call, set_id: int, index: str) -> Reply | Steps:
    """By the number of their records; sorted by fields that a set has too."""
    call.need("READ_TARGET")
    software.need_set(call, set_id)
    return target_page(call, numbered_targets(index, set_id), sorts=TAGGED_SORTS)


def filters(call: Call, set_id: int) -> Reply:
    """`GET …/autoAssignTargetFilters`: the filters that assign this set by themselves."""
    call.need("READ_AUTO_ASSIGNMENT")
    software.need_set(call, set_id)
    reply = page(call, filters_of(call, set_id), FILTER_FIELDS, lambda one: filter_document(call, one))
    if "q" not in call.query:  # assignments that are no filter's are counted too
        reply.body["total"] = count_of_assignments(call, set_id)
    return reply


def with_modules(call: Call, record: DistributionSet, modules: Iterable[SoftwareModule]) -> DistributionSet:
    """The set with more modules; one that is over its type's `maxAssignments` takes the place of an older one."""
    kind = software.need_set_type(call, record.type_id)
    for module in modules:
        if record.locked:
            raise software.locked("JpaDistributionSet", record.id, "ADD_SOFTWARE_MODULE")
        _check_modules([module], kind)
        if module.id in record.module_ids:
            continue
        same = [one.id for one in software.modules_of(call, record) if one.type_id == module.type_id]
        if len(same) >= software.need_module_type(call, module.type_id).max_assignments:
            record = replace(record, module_ids=tuple(one for one in record.module_ids if one != same[0]))
        record = replace(record, module_ids=(*record.module_ids, module.id))
    return record


def _read(body: dict[str, Any]) -> Given:
    return {
        "texts": texts(body, SET_RULES),
        "type": fields.text(body, "type"),
        "modules": ids(body, "modules"),
        "step": bool(fields.boolean(body, "requiredMigrationStep")),
    }


def _kind(call: Call, key: str | None) -> SetType:
    """The tenant's default without a key. Raises 400 for a deleted type, 404."""
    return software.set_type(call, software.default_set_type(call).key if key is None else key)


def _check_modules(modules: list[SoftwareModule], kind: SetType) -> None:
    """Raises 400 for a module of a type that the set's type does not take."""
    if any(module.type_id not in (*kind.mandatory, *kind.optional) for module in modules):
        java_class = REPOSITORY + "UnsupportedSoftwareModuleForThisDistributionSetException"
        message = "Distribution set type does not contain the given module, i.e. is incompatible."
        raise HawkbitError(400, "distributionset.modules.unsupported", java_class, message)


def _store(call: Call, request: Given, kind: SetType, modules: list[SoftwareModule]) -> DistributionSet:
    """A new set. Raises 400 for what is missing, 409 for the name and version of another one of this type."""
    stored = rules.as_stored(SET_RULES, request["texts"])
    record = DistributionSet(
        **stored, id=call.repo.store.next_id(SET.name), type_id=kind.id,
        required_migration_step=request["step"], created_by=call.user, created_at_ms=call.now_ms,
        modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    record = with_modules(call, record, modules)
    _refuse_duplicate(call, record)
    call.repo.store.put(SET, call.tenant, record)
    return record


def _changeable(call: Call, set_id: int) -> DistributionSet:
    """Raises 404, also for a deleted set, and 400 for an invalid one."""
    record = software.need_set(call, set_id)
    if record.deleted:
        raise software.deleted("DistributionSet", set_id)
    if not record.valid:
        raise software.invalid_set(f"DistributionSet {set_id} is invalid")
    return record


def _save(call: Call, record: DistributionSet) -> DistributionSet:
    record = replace(record, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(SET, call.tenant, record)
    return record


def _need_modules(call: Call, module_ids: list[int | None]) -> list[SoftwareModule]:
    """In the order of their ids, deleted ones too. Raises 404 for those that are not there."""
    found = {module_id: call.repo.store.get(MODULE, call.tenant, module_id) for module_id in module_ids if module_id}
    modules = [module for module in found.values() if module is not None]
    if len(modules) < len(module_ids):
        raise not_all_found("SoftwareModule", module_ids, [module.id for module in modules])
    return sorted(modules, key=lambda module: module.id)


def _refuse_duplicate(call: Call, record: DistributionSet) -> None:
    if call.repo.store.count(SET, call.tenant, "identity", joined(record.name, record.version, record.type_id)):
        raise already_exists(f"there is a set {record.name}:{record.version} of this type already, or there was")


def _is_used(call: Call, set_id: int) -> bool:
    """Assigned, installed, or part of somebody's history."""
    store = call.repo.store
    return bool(
        store.count(TARGET, call.tenant, "assigned_set", set_id)
        or store.count(TARGET, call.tenant, "installed_set", set_id)
        or store.count(ACTION, call.tenant, "set", set_id)
        or is_rolled_out(call, set_id)
    )
