"""Targets: create, read, list, change, delete (§1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from reference_server.platforms.hawkbit import rules
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import already_exists, bare, not_found, violations
from reference_server.platforms.hawkbit.fields import as_object, as_objects, boolean, integer, text
from reference_server.platforms.hawkbit.pending import target_deleted
from reference_server.platforms.hawkbit.records import LAST_POLL, TARGET, TARGET_TYPE, Target
from reference_server.platforms.hawkbit.registration import new_token
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.settings import Profile
from reference_server.platforms.hawkbit.target_documents import (
    full_target_document,
    target_document,
    target_links,
    target_page,
)
from reference_server.platforms.hawkbit.tenants import ID_SEQUENCE

GREATEST_NAME: Final = 128
GREATEST_ID: Final = 256
GREATEST_DESCRIPTION: Final = 512
GREATEST_TOKEN: Final = 128
GREATEST_ADDRESS: Final = 512
NO_TYPE: Final = -1


def create_targets(call: Call) -> Reply:
    """All or nothing: one bad or duplicate entry rejects the whole array."""
    entries = as_objects(call.array)
    drafts = [_draft(call, entry) for entry in entries]
    broken = [sentence for number, draft in enumerate(drafts) for sentence in _broken(number, draft)]
    if broken:
        raise violations(broken)
    for draft in drafts:
        controller_id = draft["controller_id"]
        if call.repo.target(call.tenant, controller_id) is not None:
            raise already_exists(f"there is a target {controller_id} already; nothing of the array was created")
        call.repo.save(call.tenant, _born(call, draft))
    created = [call.repo.need_target(call.tenant, draft["controller_id"]) for draft in drafts]
    documents = [_created_document(call, target, entry) for target, entry in zip(created, entries, strict=True)]
    return Reply(201, documents, changed=f"{len(created)} targets created")


def read_targets(call: Call) -> Reply:
    return target_page(call)


def read_target(call: Call, controller_id: str) -> Reply:
    return Reply(body=full_target_document(call, call.repo.need_target(call.tenant, controller_id)))


def update_target(call: Call, controller_id: str) -> Reply:
    """Only the given fields change. Attributes can be asked for again, never un-asked (empty 400)."""
    body = as_object(call.json)
    requested = boolean(body, "requestAttributes")
    if requested is False:
        raise bare(400, "requestAttributes: only true can be sent, to ask the device for its attributes again")
    target = call.repo.need_target(call.tenant, controller_id)
    changes = _changes(call, body)
    if requested:
        changes["request_attributes"] = True
    changed = replace(target, **changes)
    if changed != target:
        changed = replace(changed, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.save(call.tenant, changed)
    return Reply(body=full_target_document(call, changed), changed="target changed")


def delete_target(call: Call, controller_id: str) -> Reply:
    """Takes along its actions, attributes, metadata and when it was last seen."""
    target = call.repo.need_target(call.tenant, controller_id)
    target_deleted(call.repo, call.tenant, target)
    call.repo.store.delete(LAST_POLL, call.tenant, controller_id)
    call.repo.store.delete(TARGET, call.tenant, controller_id)
    return Reply(call.done_status, changed="target deleted")


def _draft(call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    """The fields of a new target, defaults filled in. `""` for name or token counts as absent (S10)."""
    controller_id = text(entry, "controllerId")
    name = text(entry, "name") or (None if controller_id is None else controller_id[:GREATEST_NAME])
    token = text(entry, "securityToken")
    if token:
        call.repo.learn("target-token", token)
    return {
        "controller_id": controller_id,
        "name": name,
        "description": text(entry, "description"),
        "token": token or new_token(call.repo),
        "address": text(entry, "address"),
        "type_id": _known_type(call, integer(entry, "targetType")),
        "group": text(entry, "group") if call.settings.profile is not Profile.OLD else None,
    }


def _broken(number: int, draft: dict[str, Any]) -> list[str]:
    path = f"create.create[{number}]"
    controller_id = draft["controller_id"]
    return [
        *rules.missing(f"{path}.controllerId", controller_id),
        *rules.broken(f"{path}.controllerId", controller_id, 1, GREATEST_ID),
        *rules.broken(f"{path}.name", draft["name"], 1, GREATEST_NAME),
        *rules.broken(f"{path}.description", draft["description"], 0, GREATEST_DESCRIPTION),
        *rules.broken(f"{path}.securityToken", draft["token"], 1, GREATEST_TOKEN),
        *rules.broken_size(f"{path}.address", draft["address"], 0, GREATEST_ADDRESS),
        *rules.broken_markup(f"{path}.group", draft["group"]),
        *rules.broken_whitespace(controller_id),
    ]


def _born(call: Call, draft: dict[str, Any]) -> Target:
    return Target(
        **draft,
        id=call.repo.store.next_id(ID_SEQUENCE),
        created_by=call.user,
        created_at_ms=call.now_ms,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )


def _changes(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    name, token = text(body, "name"), text(body, "securityToken")
    description, address = text(body, "description"), text(body, "address")
    type_id = integer(body, "targetType")
    if type_id not in {None, NO_TYPE}:
        _known_type(call, type_id)
    path = "update.update"
    broken = [
        *rules.broken(f"{path}.name", name, 1, GREATEST_NAME),
        *rules.broken(f"{path}.description", description, 0, GREATEST_DESCRIPTION),
        *rules.broken(f"{path}.securityToken", token, 1, GREATEST_TOKEN),
        *rules.broken_size(f"{path}.address", address, 0, GREATEST_ADDRESS),
    ]
    if broken:
        raise violations(broken)
    if token is not None:
        call.repo.learn("target-token", token)
    given = {"name": name, "description": description, "token": token, "address": address, "type_id": type_id}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if type_id == NO_TYPE:
        changes["type_id"] = None
    return changes


def _known_type(call: Call, type_id: int | None) -> int | None:
    if type_id is not None and call.repo.store.get(TARGET_TYPE, call.tenant, type_id) is None:
        raise not_found("TargetType", type_id)
    return type_id


def _created_document(call: Call, target: Target, entry: dict[str, Any]) -> dict[str, Any]:
    """The answer to a creation; `as-documented` gives what the provisioning document shows (§5, 2-4 and 6)."""
    document = target_document(call, target)
    if call.settings.profile is not Profile.AS_DOCUMENTED:
        return document
    document |= {"updateStatus": "registered", "lastControllerRequestAt": 0, "installedAt": 0}
    document["_links"] |= target_links(call, document, document["_links"]["self"]["href"])
    del document["_links"]["metadata"]
    return document
