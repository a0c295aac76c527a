"""`/distributionsets/{id}/statistics…`: what became of a set, in numbers (§1.4)."""

from __future__ import annotations

from collections import Counter

from fleetrig.reference_server.platforms.hawkbit.mgmt.set_filters import count_of_assignments, rollout_counts
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION


def everything(call: Call, set_id: int) -> Reply:
    """All three; what there is none of counts 0 here and is left out elsewhere."""
    software.need_set(call, set_id)
    found, rolled = _actions(call, set_id), rollout_counts(call, set_id)
    body = {
        "actions": {**found, "total": sum(found.values())},
        "rollouts": {**rolled, "total": sum(rolled.values())},
        "totalAutoAssignments": count_of_assignments(call, set_id),
    }
    return Reply(body=body)


def rollouts(call: Call, set_id: int) -> Reply:
    software.need_set(call, set_id)
    found = rollout_counts(call, set_id)
    return Reply(body={"rollouts": {**found, "total": sum(found.values())}} if found else {})


def actions(call: Call, set_id: int) -> Reply:
    software.need_set(call, set_id)
    found = _actions(call, set_id)
    return Reply(body={"actions": {**found, "total": sum(found.values())}} if found else {})


def auto_assignments(call: Call, set_id: int) -> Reply:
    software.need_set(call, set_id)
    count = count_of_assignments(call, set_id)
    return Reply(body={"totalAutoAssignments": count} if count else {})


def _actions(call: Call, set_id: int) -> dict[str, int]:
    """Status in capitals -> count."""
    return Counter(action.status.upper() for action in call.repo.store.find(ACTION, call.tenant, "set", set_id))
