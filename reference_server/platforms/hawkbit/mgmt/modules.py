"""`/softwaremodules`: create, read, change, delete (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_rules import (
    MODULE_RULES,
    Given,
    changes,
    check_requests,
    check_update,
    flag,
    texts,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import module_document
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import MODULE_FIELDS, not_deleted
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ARTIFACT,
    MODULE,
    SET,
    ModuleType,
    SoftwareModule,
    joined,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, already_exists

CHANGEABLE: Final = MODULE_RULES[2:]


def create(call: Call) -> Reply:
    """`POST /softwaremodules`: all or nothing. Raises 400, also for an encrypted one; 404, 409."""
    requests = [_read(body) for body in fields.as_new_objects(call.array)]
    kinds = [software.module_type(call, request["type"]) for request in requests]
    check_requests(MODULE_RULES, [request["texts"] for request in requests])
    modules = [_store(call, request, kind) for request, kind in zip(requests, kinds, strict=True)]
    if any(request["encrypted"] for request in requests):
        raise _no_encryption()
    return Reply(201, [module_document(call, module) for module in modules], changed=f"{len(modules)} modules created")


def listed(call: Call) -> Reply:
    modules = not_deleted(call, call.repo.store.scan(MODULE, call.tenant))
    return page(call, modules, MODULE_FIELDS, lambda module: module_document(call, module), look=call)


def read(call: Call, module_id: int) -> Reply:
    return Reply(body=module_document(call, software.need_module(call, module_id), single=True))


def change(call: Call, module_id: int) -> Reply:
    """`PUT`: description, vendor and the lock; only given fields change, also of a locked module."""
    body = fields.as_object(call.json)
    given, locked = texts(body, CHANGEABLE), fields.boolean(body, "locked")
    check_update(CHANGEABLE, given)
    module = software.need_module(call, module_id)
    if module.deleted:
        raise software.deleted("SoftwareModule", module_id)
    changed = replace(module, **changes(CHANGEABLE, given), locked=module.locked if locked is None else locked)
    if changed != module:
        changed = software.save_module(call, changed)
    return Reply(body=module_document(call, changed, single=True), changed=f"module {module_id} changed")


def delete(call: Call, module_id: int) -> Reply:
    """Gone if no set has it, else marked as deleted; its files go either way. Raises 423 for a part of a locked set."""
    module = software.need_module(call, module_id)
    call.need("DELETE_SOFTWARE_MODULE")
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


def _read(body: dict[str, Any]) -> Given:
    return {
        "texts": texts(body, MODULE_RULES),
        "type": fields.text(body, "type"),
        "encrypted": flag(body, "encrypted"),
    }


def _store(call: Call, request: Given, kind: ModuleType) -> SoftwareModule:
    """A new module. Raises 400 for what is missing, 409 for the name and version of another one of this type."""
    stored = rules.as_stored(MODULE_RULES, request["texts"])
    module = SoftwareModule(
        id=call.repo.store.next_id(MODULE.name), **stored, type_id=kind.id, created_by=call.user,
        created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    if call.repo.store.count(MODULE, call.tenant, "identity", joined(module.name, module.version, kind.id)):
        raise already_exists(f"there is a module {module.name}:{module.version} of this type already, or there was")
    call.repo.store.put(MODULE, call.tenant, module)
    return module


def _no_encryption() -> HawkbitError:
    """The open-source server knows of encrypted modules and cannot make any."""
    java_class = "org.eclipse.hawkbit.artifact.exception.ArtifactEncryptionUnsupportedException"
    message = "Encryption secrets generation is not supported."
    return HawkbitError(400, "artifact.encryptionNotSupported", java_class, message)
