"""Targets: create, read, list, change, delete (§1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.ddi.pending import target_deleted
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import (
    full_target_document,
    target_document,
    target_links,
    target_page,
)
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_requests import (
    changes,
    drafts_of_new,
    read_request,
    stored,
)
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_new_objects, as_object
from fleetrig.reference_server.platforms.hawkbit.request.registration import new_token
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.state.errors import already_exists, bare
from fleetrig.reference_server.platforms.hawkbit.state.records import LAST_POLL, TARGET, Target, UpdateStatus


def create_targets(call: Call) -> Reply:
    """All or nothing: one bad or duplicate entry rejects the whole array."""
    entries = as_new_objects(call.array)
    requests = [read_request(entry) for entry in entries]
    drafts = drafts_of_new(call, requests, [new_token(call.repo) for _ in requests])
    created = [_create(call, draft) for draft in drafts]
    documents = [_created_document(call, target, entry) for target, entry in zip(created, entries, strict=True)]
    return Reply(201, documents, changed=f"{len(created)} targets created")


def read_targets(call: Call) -> Reply | Steps:
    return target_page(call)


def read_target(call: Call, controller_id: str) -> Reply:
    return Reply(body=full_target_document(call, call.repo.need_target(call.tenant, controller_id)))


def update_target(call: Call, controller_id: str) -> Reply:
    """Only the given fields change. Attributes can be asked for again, never un-asked (empty 400)."""
    request = read_request(as_object(call.json))
    if not call.has("UPDATE_TARGET"):
        call.repo.need_target(call.tenant, controller_id)
        call.need("UPDATE_TARGET")
    if request.request_attributes is False:
        raise bare(400, "requestAttributes: only true can be sent, to ask the device for its attributes again")
    target = call.repo.need_target(call.tenant, controller_id)
    changed = replace(target, **changes(call, request))
    if changed.token != target.token:
        call.repo.learn("target-token", changed.token)
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


def _create(call: Call, draft: dict[str, Any]) -> Target:
    """Raises 400 for what cannot be stored, 409 for an id that is taken."""
    target = Target(
        **{"update_status": _first_status(call).value, **stored(draft)},
        id=call.repo.store.next_id(TARGET.name),
        created_by=call.user,
        created_at_ms=call.now_ms,
        modified_by=call.user,
        modified_at_ms=call.now_ms,
    )
    if call.repo.target(call.tenant, target.controller_id) is not None:
        raise already_exists(f"there is a target {target.controller_id} already; nothing of the array was created")
    call.repo.learn("target-token", target.token)
    call.repo.save(call.tenant, target)
    return target


def _first_status(call: Call) -> UpdateStatus:
    return UpdateStatus.REGISTERED if call.traits.new_targets_are_registered else UpdateStatus.UNKNOWN


def _created_document(call: Call, target: Target, entry: dict[str, Any]) -> dict[str, Any]:
    """The answer to a creation; `as-documented` gives what the provisioning document shows (§5, 4 and 7)."""
    document = target_document(call, target)
    if not call.traits.documented_links:
        return document
    document["_links"] |= target_links(call, document, document["_links"]["self"]["href"])
    del document["_links"]["metadata"]
    return document
