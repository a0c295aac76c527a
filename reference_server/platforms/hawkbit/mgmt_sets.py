"""`/distributionsets`: create, read, change, delete, their modules and their targets (§1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference_server.platforms.hawkbit import fields, rules, software
from reference_server.platforms.hawkbit.action_records import (
    ACTION,
    MODULE,
    SET,
    DistributionSet,
    SoftwareModule,
    joined,
)
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    not_found,
    not_readable,
    quota,
    violations,
)
from reference_server.platforms.hawkbit.listing import page
from reference_server.platforms.hawkbit.records import TARGET, TARGET_FILTER
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.software_fields import MODULE_FIELDS, SET_FIELDS, not_deleted
from reference_server.platforms.hawkbit.software_views import module_document, set_document
from reference_server.platforms.hawkbit.target_documents import target_page


def create(call: Call) -> Reply:
    """`POST /distributionsets`: all or nothing; without a type the tenant's default."""
    bodies = fields.as_objects(call.array)
    sets = [_new_set(call, body, f"create.create[{number}]") for number, body in enumerate(bodies)]
    for record in sets:
        _refuse_duplicate(call, record)
        call.repo.store.put(SET, call.tenant, record)
    return Reply(201, [set_document(call, record) for record in sets], changed=f"{len(sets)} sets created")


def listed(call: Call) -> Reply:
    sets = not_deleted(call, call.repo.store.scan(SET, call.tenant))
    return page(call, sets, SET_FIELDS, lambda record: set_document(call, record), look=call)


def read(call: Call, set_id: int) -> Reply:
    return Reply(body=set_document(call, software.need_set(call, set_id), single=True))


def change(call: Call, set_id: int) -> Reply:
    """`PUT`: only given fields change, those of a locked set too, except the migration step (S132)."""
    body = fields.as_object(call.json)
    record = software.need_set(call, set_id)
    if record.deleted:
        raise software.deleted("DistributionSet", set_id)
    given = {name: fields.text(body, name) for name in ("name", "version", "description")}
    broken = _broken("update.update", given)
    if broken:
        raise violations(broken)
    step, locked = fields.boolean(body, "requiredMigrationStep"), fields.boolean(body, "locked")
    if step is not None and step != record.required_migration_step and record.locked:
        raise software.locked("JpaDistributionSet", set_id, "CHANGE_REQUIRED_MIGRATION_STEP")
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    changed = replace(
        record, **changes, modified_by=call.user, modified_at_ms=call.now_ms,
        required_migration_step=record.required_migration_step if step is None else step,
        locked=False if locked is False else record.locked,
    )  # fmt: skip
    if (changed.name, changed.version) != (record.name, record.version):
        _refuse_duplicate(call, changed)
    call.repo.store.put(SET, call.tenant, changed)
    if locked:
        changed = software.lock(call, changed)
    return Reply(body=set_document(call, changed, single=True), changed=f"set {set_id} changed")


def delete(call: Call, set_id: int) -> Reply:
    """Gone if no target ever had it, else marked as deleted; filters no longer assign it."""
    record = software.need_set(call, set_id)
    for one in call.repo.store.scan(TARGET_FILTER, call.tenant):
        if one.set_id == set_id:
            cleared = replace(one, set_id=None, action_type=None, weight=None, confirmation_required=None)
            call.repo.store.put(TARGET_FILTER, call.tenant, cleared)
    if _is_used(call, set_id):
        call.repo.store.put(SET, call.tenant, replace(record, deleted=True))
    else:
        call.repo.store.delete(SET, call.tenant, set_id)
    return Reply(call.done_status, changed=f"set {set_id} deleted")


def list_modules(call: Call, set_id: int) -> Reply:
    modules = software.modules_of(call, software.need_set(call, set_id))
    return page(call, modules, MODULE_FIELDS, lambda module: module_document(call, module), look=call)


def assign_modules(call: Call, set_id: int) -> Reply:
    """`POST …/assignedSM`. Raises 400 (a type that the set's type does not take), 404, 423, 429."""
    module_ids = [_required_id(body) for body in fields.as_objects(call.array)]
    record = software.need_valid_set(call, set_id)
    limit = call.settings.quotas.modules_per_set
    if len(record.module_ids) + len(module_ids) > limit:
        raise quota(len(module_ids), "SoftwareModule", "DistributionSet", set_id, limit)
    added = with_modules(call, record, _need_modules(call, module_ids))
    call.repo.store.put(SET, call.tenant, replace(added, modified_by=call.user, modified_at_ms=call.now_ms))
    return Reply(call.done_status, changed=f"modules of set {set_id} changed")


def unassign_module(call: Call, set_id: int, module_id: int) -> Reply:
    """Raises 423 for a locked set."""
    record = software.need_valid_set(call, set_id)
    software.need_module(call, module_id)
    if record.locked:
        raise software.locked("JpaDistributionSet", set_id, "REMOVE_SOFTWARE_MODULE")
    left = tuple(one for one in record.module_ids if one != module_id)
    changed = replace(record, module_ids=left, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(SET, call.tenant, changed)
    return Reply(call.done_status, changed=f"modules of set {set_id} changed")


def assigned_targets(call: Call, set_id: int) -> Reply:
    software.need_set(call, set_id)
    return target_page(call, call.repo.store.find(TARGET, call.tenant, "assigned_set", set_id))


def installed_targets(call: Call, set_id: int) -> Reply:
    software.need_set(call, set_id)
    return target_page(call, call.repo.store.find(TARGET, call.tenant, "installed_set", set_id))


def with_modules(call: Call, record: DistributionSet, modules: Iterable[SoftwareModule]) -> DistributionSet:
    """The set with more modules; one that is over its type's `maxAssignments` takes the place of an older one."""
    kind = software.need_set_type(call, record.type_id)
    for module in modules:
        if record.locked:
            raise software.locked("JpaDistributionSet", record.id, "ADD_SOFTWARE_MODULE")
        if module.type_id not in (*kind.mandatory, *kind.optional):
            java_class = REPOSITORY + "UnsupportedSoftwareModuleForThisDistributionSetException"
            message = "The given software module cannot be assigned to this distribution set: unsupported module type."
            raise HawkbitError(400, "distributionset.modules.unsupported", java_class, message)
        if module.id in record.module_ids:
            continue
        same = [one.id for one in software.modules_of(call, record) if one.type_id == module.type_id]
        if len(same) >= software.need_module_type(call, module.type_id).max_assignments:
            record = replace(record, module_ids=tuple(one for one in record.module_ids if one != same[0]))
        record = replace(record, module_ids=(*record.module_ids, module.id))
    return record


def _new_set(call: Call, body: dict[str, Any], path: str) -> DistributionSet:
    given = {name: fields.text(body, name) for name in ("name", "version", "description")}
    key = fields.text(body, "type")
    kind = software.default_set_type(call) if key is None else software.set_type(call, key)
    modules = fields.as_objects(body["modules"]) if body.get("modules") is not None else []
    name, version = given["name"], given["version"]
    broken = [*rules.missing(f"{path}.name", name), *rules.missing(f"{path}.version", version), *_broken(path, given)]
    if broken or name is None or version is None:
        raise violations(broken)
    record = DistributionSet(
        id=call.repo.store.next_id(SET.name), name=name, version=version, type_id=kind.id,
        description=given["description"], required_migration_step=bool(fields.boolean(body, "requiredMigrationStep")),
        created_by=call.user, created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    return with_modules(call, record, _need_modules(call, [_required_id(module) for module in modules]))


def _broken(path: str, given: dict[str, str | None]) -> list[str]:
    return [
        *rules.broken(f"{path}.name", given["name"], 1, 128),
        *rules.broken(f"{path}.version", given["version"], 1, 64),
        *rules.broken(f"{path}.description", given["description"], 0, 512),
    ]


def _need_modules(call: Call, module_ids: list[int]) -> list[SoftwareModule]:
    found = [call.repo.store.get(MODULE, call.tenant, module_id) for module_id in module_ids]
    modules = [module for module in found if module is not None and not module.deleted]
    if len(modules) < len(module_ids):
        shown = "[" + ", ".join(map(str, module_ids)) + "]"
        raise not_found("SoftwareModule", module_ids, shown=shown)
    return modules


def _required_id(body: dict[str, Any]) -> int:
    module_id = fields.integer(body, "id")
    if module_id is None:
        raise not_readable("expected objects with an id")
    return module_id


def _refuse_duplicate(call: Call, record: DistributionSet) -> None:
    if call.repo.store.count(SET, call.tenant, "identity", joined(record.name, record.version)):
        raise already_exists(f"there is a set {record.name}:{record.version} already")


def _is_used(call: Call, set_id: int) -> bool:
    """Assigned, installed, or part of somebody's history."""
    store = call.repo.store
    return bool(
        store.count(TARGET, call.tenant, "assigned_set", set_id)
        or store.count(TARGET, call.tenant, "installed_set", set_id)
        or store.count(ACTION, call.tenant, "set", set_id)
    )
