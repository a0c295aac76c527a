"""What the DDI resources of actions have in common: the device's action, or the right refusal."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.state import deployments
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError, not_found
from fleetrig.reference_server.platforms.hawkbit.state.records import Target

NO_CACHE_BREAKER: Final = -1


def need_own_action(call: Call, action_id: int) -> tuple[Target, Action]:
    """The calling device and one of its actions. Raises 404 with the message of §0.1 (S104, S138)."""
    target = call.repo.need_target(call.tenant, call.device)
    action = deployments.find_action(call, action_id)
    if action is None:
        raise not_found("Action", action_id)
    if action.controller_id != call.device:
        message = f"Not a valid action ({action_id}) for target: {call.device}"
        java_class = REPOSITORY + "EntityNotFoundException"
        reason = f"action {action_id} belongs to target {action.controller_id}"
        raise HawkbitError(404, "repo.entityNotFound", java_class, message, reason=reason)
    return target, action


def read_parameters(call: Call) -> int:
    """Checks `c` and gives `actionHistory`. Raises 400 when one of them is text; `c` is never compared."""
    call.integer("c", NO_CACHE_BREAKER)
    return call.integer("actionHistory", 0)
