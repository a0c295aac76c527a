"""`confirmationBase`: asking the device before anything is installed (§2.7)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hawkbit.ddi import feedback_body
from fleetrig.reference_server.platforms.hawkbit.ddi.auto_confirm import switch_auto_confirm_off, switch_auto_confirm_on
from fleetrig.reference_server.platforms.hawkbit.ddi.deployment_document import deployment_document
from fleetrig.reference_server.platforms.hawkbit.ddi.own_action import need_own_action, read_parameters
from fleetrig.reference_server.platforms.hawkbit.ddi.pending import confirmation_link
from fleetrig.reference_server.platforms.hawkbit.ddi.root import seen
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import deployments
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare
from fleetrig.reference_server.platforms.hawkbit.state.generations import PLUG_AND_PLAY

DEFAULT_REMARK = "Initiated using the Device Direct Integration API without providing a remark."


def read(call: Call) -> Reply:
    """The state of auto-confirmation and what waits. Like a poll it creates an unknown target (S49)."""
    target, changed = seen(call)
    base = f"{call.device_base}/confirmationBase"
    links: dict[str, Any] = {}
    if target.auto_confirm is None:
        state: dict[str, Any] = {"active": False, "activatedAt": 0}
        links["activateAutoConfirm"] = {"href": f"{base}/activateAutoConfirm"}
    else:
        status = target.auto_confirm
        given = {name: status[name] for name in ("initiator", "remark") if status[name]}
        state = {"active": True, **given, "activatedAt": status["activated_at_ms"]}
        links["deactivateAutoConfirm"] = {"href": f"{base}/deactivateAutoConfirm"}
    action = deployments.current_action(call, call.device)
    if action is not None and action.waits_for_confirmation:
        links["confirmationBase"] = confirmation_link(call, action)
    return Reply(body={"autoConfirm": {**state, "_links": {}}, "_links": links}, changed=changed)


def read_action(call: Call, action_id: int) -> Reply:
    """The deployment, under the key `confirmation`. Raises 404 when it does not wait."""
    messages = read_parameters(call)
    _, action = need_own_action(call, action_id)
    action = deployments.cancel_if_lapsed(call, action)
    if not action.waits_for_confirmation:
        refusal = bare(404, f"action {action_id} is {action.status}: it does not wait for confirmation")
        refusal.keeps = True  # a schedule that lapsed just now stays canceled
        raise refusal
    return Reply(body=deployment_document(call, action, messages, "confirmation"))


def feedback(call: Call, action_id: int) -> Reply:
    """Raises 404 when it does not wait, 410 when it is over, 429."""
    confirmation, details, code = feedback_body.confirmation(call)
    _, action = need_own_action(call, action_id)
    deployments.confirm(call, action, confirmation, details, code)
    return Reply(changed=f"action {action_id} {confirmation.value}")


def activate(call: Call) -> Reply:
    """The body is optional. Raises 409 when it is active already."""
    body = {"remark": DEFAULT_REMARK} if call.optional_json is None else fields.as_object(call.json)
    initiator, remark = fields.text(body, "initiator"), fields.text(body, "remark")
    switch_auto_confirm_on(call, call.device, initiator, remark, by=PLUG_AND_PLAY)
    return Reply(changed="auto-confirmation on")


def deactivate(call: Call) -> Reply:
    switch_auto_confirm_off(call, call.device)
    return Reply(changed="auto-confirmation off")
