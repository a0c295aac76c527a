"""`cancelAction/{id}` and its feedback (§2.6)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.ddi import feedback_body
from fleetrig.reference_server.platforms.hawkbit.ddi.own_action import need_own_action
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare


def read(call: Call, action_id: int) -> Reply:
    """Also of a canceled action. Raises 404 when nothing is being canceled."""
    _, action = need_own_action(call, action_id)
    if not action.is_cancel:
        raise bare(404, f"action {action_id} is {action.status}: nobody cancels it")
    deployments.note_retrieval(call, action, action_rules.RETRIEVED_CANCEL)
    body = {"id": str(action_id), "cancelAction": {"stopId": str(action_id)}}
    return Reply(body=body, changed=f"cancellation of action {action_id} retrieved")


def feedback(call: Call, action_id: int) -> Reply:
    """Raises 405 when nothing is being canceled, 429."""
    reported = feedback_body.feedback(call)
    target, action = need_own_action(call, action_id)
    action = deployments.report_cancel(call, target, action, reported)
    return Reply(changed=f"action {action_id} {action.status}")
