"""One round of the scheduler for one rollout (`JpaRolloutExecutor.java`): a step of its state machine.

creating -> ready | waiting_for_approval        the groups get their targets
ready -> starting                               when `startAt` has come
starting -> running                             scheduled actions for all groups, those of the first begin
running -> paused | finished                    conditions of the running groups; the next group begins
stopping -> stopped, deleting -> deleted | gone
"""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.hawkbit.scheduling import rollout_actions, rollout_store
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_groups import (
    by_server,
    fill_dynamic_group,
    judge_groups,
    start_children,
    start_next_group,
)
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_making import add_dynamic_group, fill_groups
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import (
    actions_of_group,
    actions_of_rollout,
    change_group,
    change_rollout,
    groups_of,
    is_scheduled,
)
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments, target_states
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import SERVER, Entry
from fleetrig.reference_server.platforms.hawkbit.state.context import Context, Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import GroupStatus, Rollout, RolloutStatus


def step(ctx: Scheduled, rollout: Rollout, *, may_approve: bool) -> None:
    """`ctx` acts for the server itself. `may_approve`: the rollout's creator needs nobody's approval.

    Who moved the rollout last, or made it, has modified the actions, targets and groups that this changes.
    """
    by_last = replace(ctx, user=rollout.modified_by)
    match rollout.status:
        case RolloutStatus.CREATING:
            _create(ctx, rollout, may_approve=may_approve)
        case RolloutStatus.READY:
            if rollout.start_at_ms is not None and rollout.start_at_ms <= ctx.now_ms:
                change_rollout(ctx, rollout, status=RolloutStatus.STARTING.value)
        case RolloutStatus.STARTING:
            _start(by_last, rollout)
            change_rollout(ctx, rollout, status=RolloutStatus.RUNNING.value)
        case RolloutStatus.RUNNING:
            _run(ctx, rollout)
        case RolloutStatus.STOPPING:
            _stop(by_last, rollout)
            change_rollout(ctx, rollout, status=RolloutStatus.STOPPED.value)
        case RolloutStatus.DELETING:
            if _delete(by_last, rollout):
                change_rollout(ctx, rollout, status=RolloutStatus.DELETED.value, deleted=True)


def _create(ctx: Scheduled, rollout: Rollout, *, may_approve: bool) -> None:
    total = fill_groups(ctx, rollout)
    groups, created = groups_of(ctx, rollout.id), rollout.groups_created
    by_creator = replace(ctx, user=rollout.created_by)
    if rollout.dynamic and not groups[-1].dynamic and add_dynamic_group(by_creator, rollout, groups, GroupStatus.READY):
        created += 1
    needs_approval = ctx.config.values["rollout.approval.enabled"] and not may_approve
    status = RolloutStatus.WAITING_FOR_APPROVAL if needs_approval else RolloutStatus.READY
    change_rollout(ctx, rollout, status=status.value, total_targets=total, groups_created=created)


def _start(ctx: Scheduled, rollout: Rollout) -> None:
    for group in groups_of(ctx, rollout.id):
        if group.status != GroupStatus.READY:
            continue
        have = {action.controller_id for action in actions_of_group(ctx, group.id)}
        names = (name for name in rollout_store.members_of(ctx, group.id) if name not in have)
        found = (ctx.repo.target(ctx.tenant, name) for name in names)
        rollout_actions.schedule(ctx, rollout, group, [target for target in found if target is not None])
        change_group(ctx, group, status=GroupStatus.SCHEDULED.value)
    start_children(ctx, rollout, None)
    first = groups_of(ctx, rollout.id)[0]
    change_group(by_server(ctx), first, status=GroupStatus.RUNNING.value)


def _run(ctx: Scheduled, rollout: Rollout) -> None:
    if rollout.dynamic and fill_dynamic_group(ctx, rollout):
        return
    groups = groups_of(ctx, rollout.id)
    running = [group for group in groups if group.status == GroupStatus.RUNNING]
    if running:
        judge_groups(ctx, rollout, running, groups[-1])
    elif not start_next_group(ctx, rollout):
        return
    rollout = rollout_store.need_rollout(ctx, rollout.id)
    left = (GroupStatus.RUNNING, GroupStatus.SCHEDULED)
    if not any(group.status in left for group in groups_of(ctx, rollout.id)):
        change_rollout(ctx, rollout, status=RolloutStatus.FINISHED.value)


def _stop(ctx: Scheduled, rollout: Rollout) -> None:
    """Groups that had nothing to cancel are ended by the server, the others by who stopped the rollout."""
    _drop_scheduled(ctx, rollout)
    open_actions = [
        action for action in actions_of_rollout(ctx, rollout.id) if action.active and action.status != Status.CANCELING
    ]
    for action in open_actions:
        _end(ctx, action, Status.CANCELING, "cancellation")
    _finish_groups(ctx if open_actions else by_server(ctx), rollout)


def _delete(ctx: Scheduled, rollout: Rollout) -> bool:
    """For good, unless actions of it were ever begun: True then."""
    _drop_scheduled(ctx, rollout)
    left = actions_of_rollout(ctx, rollout.id)
    if not left:
        rollout_store.forget_rollout(ctx, rollout)
        return False
    _finish_groups(ctx, rollout)
    for action in left:
        if action.active:
            _end(ctx, action, Status.CANCELED, "force quit")
            target = ctx.repo.target(ctx.tenant, action.controller_id)
            if target is not None:
                ctx.repo.save(ctx.tenant, _let_go(ctx, target))
    return True


def _drop_scheduled(ctx: Scheduled, rollout: Rollout) -> None:
    for action in actions_of_rollout(ctx, rollout.id):
        if is_scheduled(action):
            deployments.remove(ctx.repo, ctx.tenant, action)


def _finish_groups(ctx: Context, rollout: Rollout) -> None:
    for group in groups_of(ctx, rollout.id):
        if group.status not in (GroupStatus.FINISHED, GroupStatus.ERROR):
            change_group(ctx, group, status=GroupStatus.FINISHED.value)


def _end(ctx: Scheduled, action: Action, status: Status, how: str) -> None:
    ended = action_rules.changed(action, status=status.value, active=status is Status.CANCELING)
    entry = Entry(status, (f"{SERVER}A {how} has been performed by server.",))
    deployments.write_entry(ctx, deployments.modified(ctx, ended), entry)


def _let_go(ctx: Scheduled, target: Target) -> Target:
    left = deployments.active_actions(ctx, target.controller_id)
    return target_states.canceled(target, left[0] if left else None)
