"""Actions of a rollout that wait for their group: made for all groups at its start, begun group by group.

No device sees a scheduled action; operators do (`StartNextGroupRolloutGroupSuccessAction.java`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import actions_of_group, is_scheduled
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, assignment, deployments, target_states
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import SERVER, Entry
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import quota
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import Rollout, RolloutGroup

ALREADY_ASSIGNED: Final = SERVER + "Distribution Set is already assigned. Skipping this action."


def schedule(ctx: Context, rollout: Rollout, group: RolloutGroup, targets: Iterable[Target]) -> list[Action]:
    """One action for each target; what was scheduled for it before is canceled. Raises 429."""
    return [_schedule_one(ctx, rollout, group, target) for target in targets]


def _schedule_one(ctx: Context, rollout: Rollout, group: RolloutGroup, target: Target) -> Action:
    assignment.cancel_scheduled(ctx, target.controller_id)
    most = ctx.repo.settings.quotas.actions_per_target
    count = ctx.repo.store.count(ACTION, ctx.tenant, "target", target.controller_id)
    if count >= most and not assignment.purge(ctx, target.controller_id, count):
        raise quota(1, "Action", "Target", target.id, most)
    action = Action(
        id=deployments.next_action_id(ctx), controller_id=target.controller_id, set_id=rollout.set_id,
        status=Status.SCHEDULED.value, active=False, force_type=rollout.force_type,
        force_time_ms=rollout.force_time_ms, weight=rollout.weight or 0, rollout_id=rollout.id,
        rollout_group_id=group.id, created_by=ctx.user, created_at_ms=ctx.now_ms,
        modified_by=ctx.user, modified_at_ms=ctx.now_ms,
    )  # fmt: skip
    deployments.save(ctx, action)
    return action


def start_group(ctx: Context, rollout: Rollout, group: RolloutGroup) -> None:
    """Begins the actions of a group: from now on devices see them."""
    for action in actions_of_group(ctx, group.id):
        if is_scheduled(action):
            start(ctx, rollout, group, action)


def start(ctx: Context, rollout: Rollout, group: RolloutGroup, action: Action) -> None:
    """One action begins; it is finished at once when its target has the set already."""
    target = ctx.repo.target(ctx.tenant, action.controller_id)
    if target is None:
        return
    if target.assigned_set_id == action.set_id:
        skipped = action_rules.changed(action, status=Status.FINISHED.value)
        entry = Entry(Status.RUNNING, (ALREADY_ASSIGNED,), timestamp_ms=action.created_at_ms)
        deployments.write_entry(ctx, deployments.modified(ctx, skipped), entry)
        return
    assignment.end_older(ctx, target)
    ctx.repo.save(ctx.tenant, target_states.assigned(target, action.set_id, ctx.user, ctx.now_ms))
    waits = ctx.config.confirmation_on and group.confirmation_required and target.auto_confirm is None
    status = Status.WAIT_FOR_CONFIRMATION if waits else Status.RUNNING
    begun = deployments.modified(ctx, action_rules.changed(action, active=True, status=status.value))
    opening = f"Initiated by Rollout Group '{group.name}' [Rollout {rollout.name}:{rollout.id}]"
    initiator = rollout.created_by if not group.confirmation_required else None
    entry = assignment.opening_entry(ctx, begun, target, opening, initiator)
    deployments.write_entry(ctx, begun, entry)
