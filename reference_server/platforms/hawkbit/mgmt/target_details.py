"""What hangs on a target: attributes, metadata, tags, type, auto-confirmation (§1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.ddi.auto_confirm import switch_auto_confirm_off, switch_auto_confirm_on
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import tag_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import target_url
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_new_objects, as_object, integer, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.search.listing import paged
from fleetrig.reference_server.platforms.hawkbit.state import rules
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    HawkbitError,
    already_exists,
    bare,
    crash,
    framework,
    integrity,
    not_found,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_TAG, TARGET_TYPE, Target

GREATEST_KEY: Final = 128
GREATEST_VALUE: Final = 4000


def read_attributes(call: Call, controller_id: str) -> Reply:
    """204 when there are none."""
    attributes = call.repo.need_target(call.tenant, controller_id).attributes
    return Reply(body=dict(attributes)) if attributes else Reply(204)


def read_tags(call: Call, controller_id: str) -> Reply:
    target = call.repo.need_target(call.tenant, controller_id)
    tags = (call.repo.store.get(TARGET_TAG, call.tenant, tag_id) for tag_id in target.tag_ids)
    return Reply(body=[tag_document(call, tag) for tag in tags if tag is not None])


def read_metadata(call: Call, controller_id: str) -> Reply:
    """All of it on one page, by key, whatever offset and limit say."""
    metadata = call.repo.need_target(call.tenant, controller_id).metadata
    return paged([{"key": key, "value": value} for key, value in sorted(metadata.items())], len(metadata))


def create_metadata(call: Call, controller_id: str) -> Reply:
    given = _new_metadata(as_new_objects(call.array))
    target = call.repo.need_target(call.tenant, controller_id)
    for key in given:
        if key in target.metadata:
            raise already_exists(f"target {controller_id} has metadata {key} already; PUT changes it",
                                 f"Metadata entry with key '{key}' already exists")  # fmt: skip
    _put_metadata(call, target, given)
    return Reply(201, changed="metadata created")


def read_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    metadata = call.repo.need_target(call.tenant, controller_id).metadata
    if key not in metadata:
        raise _no_metadatum(controller_id, key)
    return Reply(body={"key": key, "value": metadata[key]})


def update_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    """Creates it if it is not there; up to 0.9 that was a 404."""
    value = text(as_object(call.json), "value")
    if value is None:
        called = "createMetadata" if call.traits.metadata_put_creates else "updateMetadata"
        raise violations(rules.missing(f"{called}.value", None))
    target = call.repo.need_target(call.tenant, controller_id)
    if not call.traits.metadata_put_creates and key not in target.metadata:
        raise _no_metadatum(controller_id, key)
    _put_metadata(call, target, {key: value})
    return Reply(call.done_status, changed="metadata changed")


def delete_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    target = call.repo.need_target(call.tenant, controller_id)
    if key not in target.metadata:
        raise _no_metadatum(controller_id, key)
    left = {name: value for name, value in target.metadata.items() if name != key}
    _save(call, target, metadata=left)
    return Reply(call.done_status, changed="metadata deleted")


def assign_type(call: Call, controller_id: str) -> Reply:
    type_id = integer(as_object(call.json), "id")
    if type_id is None:
        raise violations(rules.missing("assignType.targetTypeId", None))
    target = call.repo.need_target(call.tenant, controller_id)
    if call.repo.store.get(TARGET_TYPE, call.tenant, type_id) is None:
        raise not_found("TargetType", type_id)
    _save(call, target, type_id=type_id)
    return Reply(call.done_status, changed="target type assigned")


def unassign_type(call: Call, controller_id: str) -> Reply:
    _save(call, call.repo.need_target(call.tenant, controller_id), type_id=None)
    return Reply(call.done_status, changed="target type removed")


def read_auto_confirm(call: Call, controller_id: str) -> Reply:
    """Unlike elsewhere the framework refuses who may not read targets."""
    if not call.has("READ_TARGET"):
        raise framework(403, f"user {call.user} lacks READ_TARGET")
    target = call.repo.need_target(call.tenant, controller_id)
    url = f"{target_url(call, target)}/autoConfirm"
    status = target.auto_confirm
    if status is None:
        return Reply(body={"active": False, "_links": {"activate": {"href": f"{url}/activate"}}})
    document = {
        "active": True,
        "initiator": status["initiator"] or None,
        "remark": status["remark"] or None,
        "activatedAt": status["activated_at_ms"],
        "_links": {"deactivate": {"href": f"{url}/deactivate"}},
    }
    return Reply(body={key: value for key, value in document.items() if value is not None})


def activate_auto_confirm(call: Call, controller_id: str) -> Reply:
    """The body is optional. Raises 409 when it is active already."""
    body = as_object(call.json) if call.has_body else {}
    switch_auto_confirm_on(call, controller_id, text(body, "initiator"), text(body, "remark"))
    return Reply(call.done_status, changed="auto-confirmation on")


def deactivate_auto_confirm(call: Call, controller_id: str) -> Reply:
    switch_auto_confirm_off(call, controller_id)
    return Reply(call.done_status, changed="auto-confirmation off")


def _new_metadata(entries: list[dict[str, Any]]) -> dict[str | None, str]:
    """Raises 500 for a value that is missing or a key given twice, as the real server does."""
    given: dict[str | None, str] = {}
    for entry in entries:
        key, value = text(entry, "key"), text(entry, "value")
        if value is None:
            raise crash(f"metadata {key!r} without a value")
        if key in given:
            raise bare(500, f"metadata {key!r} is given twice")
        given[key] = value
    if not given:
        raise violations(["createMetadata.metadata must not be empty."])
    return given


def _put_metadata(call: Call, target: Target, given: Mapping[str | None, str]) -> None:
    """Raises 429, and 400 for what is too long or has no key."""
    merged: dict[str | None, str] = dict(target.metadata.items())
    merged.update(given)
    most = call.settings.quotas.metadata_per_target
    if len(merged) > most and len(merged) > len(target.metadata):
        raise quota(len(merged), "Metadata", "Target", target.id, most)
    kept = {key: value for key, value in merged.items() if key is not None and len(key) <= GREATEST_KEY}
    if len(kept) < len(merged) or any(len(value) > GREATEST_VALUE for value in kept.values()):
        raise integrity(f"metadata: a key of at most {GREATEST_KEY}, a value of at most {GREATEST_VALUE} characters")
    _save(call, target, metadata=kept)


def _save(call: Call, target: Target, **changes: Any) -> None:
    changes |= {"modified_by": call.user, "modified_at_ms": call.now_ms}
    call.repo.save(call.tenant, replace(target, **changes))


def _no_metadatum(controller_id: str, key: str) -> HawkbitError:
    return not_found("Target metadata", f"{controller_id}:{key}")
