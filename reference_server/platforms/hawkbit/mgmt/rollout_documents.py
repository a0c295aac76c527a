"""Rollouts and their groups as Mgmt documents (`MgmtRolloutMapper.java`)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit, link, without_nulls
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import (
    actions_of_group,
    actions_of_rollout,
    status_counts,
)
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, ForceType, Status
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import Conditions, Rollout, RolloutGroup

COUNTED: Final = ("scheduled", "running", "error", "finished", "cancelled", "notstarted")
WORDS: Final = {
    Status.SCHEDULED: "scheduled",
    Status.ERROR: "error",
    Status.FINISHED: "finished",
    Status.CANCELED: "cancelled",
}
MOVES: Final = ("start", "pause", "resume", "triggerNextGroup", "approve", "deny")


def rollout_document(call: Call, rollout: Rollout, *, single: bool = False, counted: bool = True) -> dict[str, Any]:
    """`single`: with counts and all links, also in lists of `representation=full`.

    Without `counted` the counts are those of a rollout that has not begun.
    """
    path = f"/rollouts/{rollout.id}"
    document = {
        **audit(rollout),
        "id": rollout.id,
        "name": rollout.name,
        "description": rollout.description,
        "dynamic": rollout.dynamic,
        "targetFilterQuery": rollout.query,
        "distributionSetId": rollout.set_id,
        "status": str(rollout.status),
        "totalTargets": rollout.total_targets,
        "deleted": rollout.deleted,
        "type": rollout.force_type,
        "forcetime": rollout.force_time_ms,
        "weight": rollout.weight,
        **(_details(rollout, actions_of_rollout(call, rollout.id) if counted else []) if single else {}),
        "_links": {**(_links(call, rollout, path) if single else {}), "self": link(call, path)},
    }
    return without_nulls(document)


def _details(rollout: Rollout, actions: list[Action]) -> dict[str, Any]:
    return {
        "totalTargetsPerStatus": _counts(actions, rollout.total_targets, rollout),
        "totalGroups": rollout.groups_created,
        "startAt": rollout.start_at_ms,
        "approveDecidedBy": rollout.decided_by,
        "approvalRemark": rollout.remark,
    }


def _links(call: Call, rollout: Rollout, path: str) -> dict[str, Any]:
    record = software.need_set(call, rollout.set_id)
    return {
        **{move: link(call, f"{path}/{move}") for move in MOVES},
        "groups": link(call, f"{path}/deploygroups?offset=0&limit=50"),
        "distributionset": link(call, f"/distributionsets/{record.id}", f"{record.name}:{record.version}"),
    }


def group_document(call: Call, rollout: Rollout, group: RolloutGroup, *, full: bool) -> dict[str, Any]:
    """`full`: with counts."""
    document = {
        **audit(group),
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "status": str(group.status),
        "targetPercentage": group.percentage,
        "targetFilterQuery": group.query,
        "totalTargets": group.total_targets,
        "confirmationRequired": group.confirmation_required if call.config.confirmation_on else None,
        "dynamic": group.dynamic,
        **_conditions(group.conditions),
        "totalTargetsPerStatus": _counts(actions_of_group(call, group.id), group.total_targets, rollout)
        if full
        else None,
        "_links": {"self": link(call, f"/rollouts/{group.rollout_id}/deploygroups/{group.id}")},
    }
    return without_nulls(document)


def _conditions(conditions: Conditions) -> dict[str, Any]:
    def pair(name: str, word: str | None, expression: str | None) -> dict[str, Any]:
        return without_nulls({name: word, "expression": expression})

    return {
        "successCondition": pair("condition", conditions.success_condition, conditions.success_expression),
        "successAction": pair("action", conditions.success_action, conditions.success_action_expression),
        "errorCondition": pair("condition", conditions.error_condition, conditions.error_expression),
        "errorAction": pair("action", conditions.error_action, conditions.error_action_expression),
    }


def _counts(actions: list[Action], total: int, rollout: Rollout) -> dict[str, int]:
    """How many targets are how far; a target without an action has not started."""
    counts: Counter[str] = Counter()
    for status, count in status_counts(actions).items():
        is_done = status == Status.DOWNLOADED and rollout.force_type == ForceType.DOWNLOADONLY
        counts["finished" if is_done else WORDS.get(Status(status), "running")] += count
    counts["notstarted"] = total - len(actions)
    return {word: counts[word] for word in COUNTED}
