"""What hangs on a target: attributes, metadata, tags, type, auto-confirmation (§1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from reference_server.platforms.hawkbit import rules
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.errors import (
    HawkbitError,
    already_exists,
    not_found,
    not_readable,
    quota,
    violations,
)
from reference_server.platforms.hawkbit.fields import as_object, as_objects, integer, text
from reference_server.platforms.hawkbit.listing import paged
from reference_server.platforms.hawkbit.mgmt_tags import tag_document
from reference_server.platforms.hawkbit.pending import auto_confirm_activated
from reference_server.platforms.hawkbit.records import TARGET_TAG, TARGET_TYPE, Target
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.settings import Profile
from reference_server.platforms.hawkbit.target_documents import target_url

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
    """All of it on one page, whatever offset and limit say."""
    metadata = call.repo.need_target(call.tenant, controller_id).metadata
    return paged([{"key": key, "value": value} for key, value in metadata.items()], len(metadata))


def create_metadata(call: Call, controller_id: str) -> Reply:
    """No body; up to 0.9 the entries themselves."""
    entries = as_objects(call.array)
    given = {_required(entry, "key"): _required(entry, "value") for entry in entries}
    target = call.repo.need_target(call.tenant, controller_id)
    for key in given:
        if key in target.metadata:
            raise already_exists(f"target {controller_id} has metadata {key} already; PUT changes it",
                                 f"Metadata entry with key '{key}' already exists")  # fmt: skip
    _put_metadata(call, target, given, "createMetadata")
    if call.settings.profile is Profile.OLD:
        return Reply(201, [{"key": key, "value": value} for key, value in given.items()], changed="metadata created")
    return Reply(201, changed="metadata created")


def read_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    metadata = call.repo.need_target(call.tenant, controller_id).metadata
    if key not in metadata:
        raise _no_metadatum(controller_id, key)
    return Reply(body={"key": key, "value": metadata[key]})


def update_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    """Creates it if it is not there. Up to 0.9 the answer was a 200 with the entry, and a missing one a 404."""
    value = _required(as_object(call.json), "value")
    target = call.repo.need_target(call.tenant, controller_id)
    if call.settings.profile is Profile.OLD and key not in target.metadata:
        raise _no_metadatum(controller_id, key)
    _put_metadata(call, target, {key: value}, "createMetadata")
    if call.settings.profile is Profile.OLD:
        return Reply(200, {"key": key, "value": value}, changed="metadata changed")
    return Reply(204, changed="metadata changed")


def delete_metadatum(call: Call, controller_id: str, key: str) -> Reply:
    target = call.repo.need_target(call.tenant, controller_id)
    if key not in target.metadata:
        raise _no_metadatum(controller_id, key)
    left = {name: value for name, value in target.metadata.items() if name != key}
    _save(call, target, metadata=left)
    return Reply(call.done_status, changed="metadata deleted")


def assign_type(call: Call, controller_id: str) -> Reply:
    type_id = integer(as_object(call.json), "id")
    target = call.repo.need_target(call.tenant, controller_id)
    if type_id is None:
        raise not_readable('the body names no target type: expected {"id": number}')
    if call.repo.store.get(TARGET_TYPE, call.tenant, type_id) is None:
        raise not_found("TargetType", type_id)
    _save(call, target, type_id=type_id)
    return Reply(call.done_status, changed="target type assigned")


def unassign_type(call: Call, controller_id: str) -> Reply:
    _save(call, call.repo.need_target(call.tenant, controller_id), type_id=None)
    return Reply(call.done_status, changed="target type removed")


def read_auto_confirm(call: Call, controller_id: str) -> Reply:
    target = call.repo.need_target(call.tenant, controller_id)
    url = f"{target_url(call, target)}/autoConfirm"
    status = target.auto_confirm
    if status is None:
        return Reply(body={"active": False, "_links": {"activate": {"href": f"{url}/activate"}}})
    document = {
        "active": True,
        "initiator": status["initiator"],
        "remark": status["remark"],
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


def switch_auto_confirm_on(call: Call, controller_id: str, initiator: str | None, remark: str | None) -> None:
    """For an operator and for the device itself. Actions that wait for confirmation are confirmed."""
    target = call.repo.need_target(call.tenant, controller_id)
    if target.auto_confirm is not None:
        raise HawkbitError(
            409,
            "repo.autoConfAlreadyActive",
            "org.eclipse.hawkbit.repository.exception.AutoConfirmationAlreadyActiveException",
            f"Auto confirmation is already active for device {controller_id}",
        )
    who = initiator if initiator is not None else call.user
    status = {"initiator": who, "remark": remark, "activated_at_ms": call.now_ms}
    target = replace(target, auto_confirm=status)
    call.repo.save(call.tenant, target)
    auto_confirm_activated(call, target)


def switch_auto_confirm_off(call: Call, controller_id: str) -> None:
    target = call.repo.need_target(call.tenant, controller_id)
    if target.auto_confirm is not None:
        call.repo.save(call.tenant, replace(target, auto_confirm=None))


def _required(entry: dict[str, Any], name: str) -> str:
    value = text(entry, name)
    if value is None:
        raise not_readable(f"metadata without {name!r}")
    return value


def _put_metadata(call: Call, target: Target, given: dict[str, str], operation: str) -> None:
    broken = [sentence for key, value in given.items()
              for sentence in (*rules.broken_size(f"{operation}.key", key, 1, GREATEST_KEY),
                               *rules.broken_size(f"{operation}.value", value, 0, GREATEST_VALUE))]  # fmt: skip
    if broken:
        raise violations(broken)
    merged = {**target.metadata, **given}
    most = call.settings.quotas.metadata_per_target
    if len(merged) > most and len(merged) > len(target.metadata):
        raise quota(len(merged), "Metadata", "Target", target.id, most)
    _save(call, target, metadata=merged)


def _save(call: Call, target: Target, **changes: Any) -> None:
    changes |= {"modified_by": call.user, "modified_at_ms": call.now_ms}
    call.repo.save(call.tenant, replace(target, **changes))


def _no_metadatum(controller_id: str, key: str) -> HawkbitError:
    return not_found("Target metadata", f"{controller_id}:{key}")
