"""`…/targets/{id}/actions`: what operators see and do with actions (§1.3)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fleetrig.reference_server.platforms.hawkbit.ddi import feedback_body
from fleetrig.reference_server.platforms.hawkbit.mgmt import action_deletion
from fleetrig.reference_server.platforms.hawkbit.mgmt.assignment import force_type
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit, link, without_nulls
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.action_fields import STATUS_FIELDS, action_fields
from fleetrig.reference_server.platforms.hawkbit.search.listing import stored_page
from fleetrig.reference_server.platforms.hawkbit.search.sources import Stored
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ACTION,
    STATUS_ENTRY,
    Action,
    ForceType,
    StatusEntry,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    bare,
    invalid,
    not_found,
    not_found_at_all,
    not_readable,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT
from fleetrig.simulator.contract.clock import US_PER_MS

CHANGES: Final = "UPDATE_TARGET"
"""The right that a change needs: asked for when the action is known, so that a reader learns that there is none."""


def listed(call: Call, controller_id: str) -> Reply | Steps:
    """Newest first."""
    call.repo.need_target(call.tenant, controller_id)
    return stored_page(
        call,
        Stored(ACTION, of=("target", controller_id)),
        action_fields(call.traits),
        lambda action: action_document(call, action),
        look=call,
        newest_first=True,
    )


def read(call: Call, controller_id: str, action_id: int) -> Reply:
    target, action = _need(call, controller_id, action_id)
    return Reply(body=full_action_document(call, target, action))


def change(call: Call, controller_id: str, action_id: int) -> Reply:
    """`PUT {"forceType":"forced"}`, nothing else."""
    body = fields.as_object(call.json)
    wanted = force_type(body, "forceType")
    target, action = _need(call, controller_id, action_id)
    if wanted is not ForceType.FORCED:
        raise invalid("Resource supports only switch to FORCED.")
    call.need(CHANGES)
    if not action_rules.is_forced(action, call.now_us):
        action = deployments.modified(call, action_rules.changed(action, force_type=ForceType.FORCED.value))
        deployments.save(call, action)
    return Reply(body=full_action_document(call, target, action), changed=f"action {action_id} forced")


def confirm(call: Call, controller_id: str, action_id: int) -> Reply:
    """`PUT …/confirmation`. Raises 410 for a closed action, 404 for one that does not wait."""
    confirmation, details, code = feedback_body.confirmation(call)
    _, action = _need(call, controller_id, action_id)
    call.need(CHANGES)
    deployments.confirm(call, action, confirmation, details, code)
    return Reply(call.done_status, changed=f"action {action_id} {confirmation.value}")


def cancel(call: Call, controller_id: str, action_id: int) -> Reply:
    """Soft, or with `?force=true` for good. Raises 405 in a wrong state."""
    force = call.boolean("force")
    target, action = _need(call, controller_id, action_id)
    call.need(CHANGES)
    if force:
        deployments.force_quit(call, target, action)
    else:
        deployments.cancel(call, action)
    return Reply(204, changed=f"action {action_id} {'force quit' if force else 'canceling'}")


def delete_many(call: Call, controller_id: str) -> Reply:
    """`DELETE …/actions`: either `?keepLast=n` or ids in the body. Raises 400 for both or neither, 405."""
    keep_last = call.integer("keepLast", -1)
    action_ids = action_deletion.ids_in_body(call)
    if (keep_last >= 0) == bool(action_ids):
        raise not_readable("expected either keepLast or a list of action ids")
    call.need(CHANGES)
    if action_ids:
        found = action_deletion.deletable(call, action_ids)
        doomed = [action for action in found if action.controller_id == controller_id]
    else:
        doomed = _oldest(call, controller_id, keep_last)
    for action in doomed:
        deployments.remove(call.repo, call.tenant, action)
    return Reply(call.done_status, changed=f"{len(doomed)} actions deleted")


def _oldest(call: Call, controller_id: str, keep_last: int) -> list[Action]:
    """What can be deleted of all but the `keep_last` newest. Raises 404 for an unknown target, not saying which."""
    if call.repo.target(call.tenant, controller_id) is None:
        raise not_found_at_all(f"no such target: {controller_id}")
    found = call.repo.store.find(ACTION, call.tenant, "target", controller_id)
    oldest = found[: max(len(found) - keep_last, 0)]
    return [action for action in oldest if action_deletion.is_deletable(call, action)]


def history(call: Call, controller_id: str, action_id: int) -> Reply | Steps:
    """`GET …/status`: newest first."""
    call.repo.need_target(call.tenant, controller_id)
    _need(call, controller_id, action_id)
    lines = Stored(STATUS_ENTRY, of=("action", action_id))
    silent = [None] if call.traits.no_messages_are_null else []
    documented = partial(_entry_document, silent=silent)
    return stored_page(call, lines, STATUS_FIELDS, documented, look=call, newest_first=True, searched=False)


def _need(call: Call, controller_id: str, action_id: int) -> tuple[Target, Action]:
    """Raises 404: with a body for an unknown action, without one for one of another target, be that known or not."""
    action = deployments.find_action(call, action_id)
    if action is None:
        raise not_found("Action", action_id)
    if action.controller_id != controller_id:
        raise bare(404, f"action {action_id} belongs to target {action.controller_id}, not to {controller_id}")
    return call.repo.need_target(call.tenant, controller_id), action


def _path(action: Action) -> str:
    return f"/targets/{quote(action.controller_id, safe='')}/actions/{action.id}"


def action_document(call: Call, action: Action) -> dict[str, Any]:
    """As in lists."""
    rollout = None if action.rollout_id is None else call.repo.store.get(ROLLOUT, call.tenant, action.rollout_id)
    document = {
        **audit(action),
        "id": action.id,
        "type": "cancel" if action.is_cancel else "update",
        **_state(call, action),
        "forceType": action.force_type,
        "forceTime": action.force_time_ms if action.force_type == ForceType.TIMEFORCED else None,
        "weight": action.weight,
        "lastStatusCode": action.last_status_code,
        "maintenanceWindow": _window(call, action),
        "rollout": None if rollout is None else rollout.id,
        "rolloutName": None if rollout is None else rollout.name,
        "_links": {"self": link(call, _path(action))},
    }
    return without_nulls(document)


def _state(call: Call, action: Action) -> dict[str, Any]:
    if call.traits.actions_tell_active:
        return {"status": action.status, "active": action.active}
    return {"status": "pending" if action.active else "finished", "detailStatus": action.status}


def full_action_document(call: Call, target: Target, action: Action) -> dict[str, Any]:
    """With links to everything about it."""
    path = _path(action)
    record = software.need_set(call, action.set_id)
    document = action_document(call, action)
    links = document["_links"]
    if "rollout" in document:
        links["rollout"] = link(call, f"/rollouts/{document['rollout']}", document["rolloutName"])
    if action.is_cancel:
        links["canceledaction"] = link(call, path)
    links["target"] = link(call, f"/targets/{quote(action.controller_id, safe='')}", target.name)
    links["distributionset"] = link(call, f"/distributionsets/{record.id}", f"{record.name}:{record.version}")
    links["status"] = link(call, f"{path}/status?offset=0&limit=50&sort=id%3ADESC")
    return document


def _window(call: Call, action: Action) -> dict[str, Any] | None:
    if action.schedule is None:
        return None
    start_us = action_rules.window_start_us(action, call.now_us)
    window = {
        "schedule": action.schedule,
        "duration": action.duration,
        "timezone": action.timezone,
        "nextStartAt": None if start_us is None else start_us // US_PER_MS,
    }
    return without_nulls(window)


def _entry_document(entry: StatusEntry, *, silent: list[None]) -> dict[str, Any]:
    """`silent` stands for no messages."""
    document = {
        "id": entry.id,
        "type": entry.status,
        "messages": list(entry.messages) or silent,
        "reportedAt": entry.reported_at_ms,
        "timestamp": entry.timestamp_ms,
        "code": entry.code,
    }
    return without_nulls(document)
