"""`POST /distributionsets/{id}/invalidate`: nobody gets this set any longer (§1.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.set_filters import end_rollouts, stop_filters
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import deployments, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, SET, Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable

CANCELATIONS: Final = ("soft", "force", "none")


def invalidate(call: Call, set_id: int) -> Reply:
    """`{"actionCancelationType": "soft"|"force"|"none"}`: what becomes of running actions.

    Raises 400 for another word and for an incomplete set, 404, also for a deleted one.
    """
    given = fields.as_object(call.json).get("actionCancelationType")
    word = CANCELATIONS[given] if type(given) is int and 0 <= given < len(CANCELATIONS) else given
    if word not in CANCELATIONS:
        raise not_readable(f"actionCancelationType: expected one of {', '.join(CANCELATIONS)}, got {word!r}")
    record = software.need_set(call, set_id)
    if not software.is_complete_set(call, record):
        raise software.incomplete_set(call, record)
    if record.deleted:
        raise software.deleted("DistributionSet", set_id)
    if record.valid:
        record = replace(record, valid=False, modified_by=call.user, modified_at_ms=call.now_ms)
        call.repo.store.put(SET, call.tenant, record)
    if word != "none":
        call.need("UPDATE_ROLLOUT")
        end_rollouts(call, set_id, force=word == "force")
        _cancel(call, set_id)
    if word == "force":
        _force_quit(call, set_id)
    stop_filters(call, set_id)
    return Reply(call.done_status, changed=f"set {set_id} invalidated")


def _cancel(call: Call, set_id: int) -> None:
    for action in _active(call, set_id):
        if action.status != Status.CANCELING:
            deployments.cancel(call, action)


def _force_quit(call: Call, set_id: int) -> None:
    for action in _active(call, set_id):
        deployments.force_quit(call, call.repo.need_target(call.tenant, action.controller_id), action)


def _active(call: Call, set_id: int) -> list[Action]:
    return [action for action in call.repo.store.find(ACTION, call.tenant, "set", set_id) if action.active]
