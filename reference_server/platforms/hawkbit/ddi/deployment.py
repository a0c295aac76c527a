"""`deploymentBase/{id}`: what to install (§2.4), and `deploymentBase/{id}/feedback`: how it went (§2.5)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.ddi import feedback_body
from fleetrig.reference_server.platforms.hawkbit.ddi.deployment_document import deployment_document
from fleetrig.reference_server.platforms.hawkbit.ddi.own_action import need_own_action, read_parameters
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare


def read(call: Call, action_id: int) -> Reply:
    """Also of a finished action, which thereby becomes `retrieved` (S129). Raises 404 while it cannot be installed."""
    messages = read_parameters(call)
    _, action = need_own_action(call, action_id)
    action = deployments.cancel_if_lapsed(call, action)
    if action.is_cancel or action.waits_for_confirmation:
        refusal = bare(404, f"action {action_id} is {action.status}: there is nothing to deploy")
        refusal.keeps = True  # a schedule that lapsed just now stays canceled
        raise refusal
    document = deployment_document(call, action, messages)
    deployments.note_retrieval(call, action, action_rules.RETRIEVED_UPDATE)
    return Reply(body=document, changed=f"action {action_id} retrieved")


def feedback(call: Call, action_id: int) -> Reply:
    """Raises 404 while it waits for confirmation, 410 when it is over, 429."""
    reported = feedback_body.feedback(call)
    target, action = need_own_action(call, action_id)
    action = deployments.report(call, target, action, reported)
    return Reply(changed=f"action {action_id} {action.status}")
