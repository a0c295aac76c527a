"""`/softwaremodules`: create, read, change, delete (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_server.platforms.hawkbit import fields, rules, software
from reference_server.platforms.hawkbit.action_records import ARTIFACT, MODULE, SET, SoftwareModule, joined
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import already_exists, invalid, violations
from reference_server.platforms.hawkbit.listing import page
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.software_fields import MODULE_FIELDS, not_deleted
from reference_server.platforms.hawkbit.software_views import module_document


def create(call: Call) -> Reply:
    """`POST /softwaremodules`: all or nothing."""
    bodies = fields.as_objects(call.array)
    modules = [_module(call, body, f"create.create[{number}]") for number, body in enumerate(bodies)]
    for module in modules:
        if call.repo.store.count(MODULE, call.tenant, "identity", _identity(module)):
            raise already_exists(f"there is a module {module.name}:{module.version} of this type already")
        call.repo.store.put(MODULE, call.tenant, module)
    return Reply(201, [module_document(call, module) for module in modules], changed=f"{len(modules)} modules created")


def listed(call: Call) -> Reply:
    modules = not_deleted(call, call.repo.store.scan(MODULE, call.tenant))
    return page(call, modules, MODULE_FIELDS, lambda module: module_document(call, module), look=call)


def read(call: Call, module_id: int) -> Reply:
    return Reply(body=module_document(call, software.need_module(call, module_id), single=True))


def change(call: Call, module_id: int) -> Reply:
    """`PUT`: description, vendor and the lock; only given fields change."""
    body = fields.as_object(call.json)
    module = software.need_module(call, module_id)
    if module.deleted:
        raise software.deleted("SoftwareModule", module_id)
    description, vendor = fields.text(body, "description"), fields.text(body, "vendor")
    broken = rules.broken("update.update.description", description, 0, 512)
    broken += rules.broken("update.update.vendor", vendor, 0, 256)
    if broken:
        raise violations(broken)
    locked = fields.boolean(body, "locked")
    module = replace(
        module,
        description=module.description if description is None else description,
        vendor=module.vendor if vendor is None else vendor,
        locked=module.locked if locked is None else locked,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    call.repo.store.put(MODULE, call.tenant, module)
    return Reply(body=module_document(call, module, single=True), changed=f"module {module_id} changed")


def delete(call: Call, module_id: int) -> Reply:
    """Gone if no set has it, else marked as deleted; its files go either way. Raises 423 for a part of a locked set."""
    module = software.need_module(call, module_id)
    users = call.repo.store.find(SET, call.tenant, "module", module_id)
    locked = [one for one in users if one.locked and not one.deleted]
    if locked:
        names = ", ".join(f"{one.name}:{one.version} ({one.id})" for one in locked)
        count = "a locked distribution set" if len(locked) == 1 else f"{len(locked)} locked distribution sets"
        raise software.locked("JpaSoftwareModule", module_id, "DELETE", f"Part of {count}: {names}")
    if users:
        call.repo.store.put(MODULE, call.tenant, replace(module, deleted=True))
    else:
        call.repo.store.delete(MODULE, call.tenant, module_id)
    for file in software.artifacts_of(call, module_id):
        if not users:
            call.repo.store.delete(ARTIFACT, call.tenant, file.id)
        call.repo.blobs.delete(file.blob)
    return Reply(call.done_status, changed=f"module {module_id} deleted")


def _module(call: Call, body: dict[str, Any], path: str) -> SoftwareModule:
    """A new module. Raises 400, or 404 for an unknown type."""
    key = fields.text(body, "type")
    if key is None:
        raise invalid("type cannot be null")
    kind = software.module_type(call, key.strip())
    name, version = fields.text(body, "name"), fields.text(body, "version")
    description, vendor = fields.text(body, "description"), fields.text(body, "vendor")
    broken = [
        *rules.missing(f"{path}.name", name),
        *rules.missing(f"{path}.version", version),
        *rules.broken(f"{path}.name", name, 1, 128),
        *rules.broken(f"{path}.version", version, 1, 64),
        *rules.broken(f"{path}.description", description, 0, 512),
        *rules.broken(f"{path}.vendor", vendor, 0, 256),
    ]
    if broken or name is None or version is None:
        raise violations(broken)
    return SoftwareModule(
        id=call.repo.store.next_id(MODULE.name), name=name, version=version, type_id=kind.id, description=description,
        vendor=vendor, encrypted=bool(fields.boolean(body, "encrypted")), created_by=call.user,
        created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip


def _identity(module: SoftwareModule) -> str:
    return joined(module.name, module.version, module.type_id)
