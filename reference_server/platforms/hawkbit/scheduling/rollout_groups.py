"""Running groups: their conditions, the next group, and the dynamic ones that go on taking targets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.scheduling import rollout_actions
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_making import add_dynamic_group
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import (
    actions_of_group,
    change_group,
    change_rollout,
    groups_of,
    need_rollout,
    status_counts,
)
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_targets import audience
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, ForceType, Status
from fleetrig.reference_server.platforms.hawkbit.state.context import Context, Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import (
    ROLLOUT,
    ROLLOUT_GROUP,
    GroupStatus,
    Rollout,
    RolloutGroup,
    RolloutStatus,
)
from fleetrig.reference_server.platforms.hawkbit.state.software import SYSTEM
from fleetrig.reference_server.stores.interface import Key

ENDED: Final = frozenset({Status.ERROR, Status.FINISHED, Status.CANCELED})
THRESHOLD: Final = re.compile(r"[-+]?[0-9]{1,9}", re.ASCII)


def by_server(ctx: Context) -> Context:
    """The server itself begins the next group, no matter who asked for it."""
    return Scheduled(ctx.repo, ctx.tenant, SYSTEM, ctx.now_us)


def start_children(ctx: Context, rollout: Rollout, parent: RolloutGroup | None) -> None:
    """Begins the scheduled group after `parent`, or the first. Nobody counts as having modified the group."""
    parent_id = None if parent is None else parent.id
    for group in groups_of(ctx, rollout.id):
        if group.parent_id == parent_id:
            rollout_actions.start_group(ctx, rollout, group)
            if group.status == GroupStatus.SCHEDULED and parent is not None:
                ctx.repo.store.put(ROLLOUT_GROUP, ctx.tenant, replace(group, status=GroupStatus.RUNNING.value))


def start_next_group(ctx: Context, rollout: Rollout) -> bool:
    """The server begins the group after the last one that was begun. False: there is none, or none was begun."""
    ctx = by_server(ctx)
    groups = groups_of(ctx, rollout.id)
    started = [group for group in groups if group.status != GroupStatus.SCHEDULED]
    if len(started) == len(groups) or not started:
        return False
    start_children(ctx, rollout, started[-1])
    return True


def goes_on_when_resumed(ctx: Context, rollout: Rollout, last: RolloutGroup) -> bool:
    """A paused rollout begins its next group at once when the last one failed, or paused it by its success."""
    if last.status == GroupStatus.ERROR:
        return True
    return last.conditions.success_action == "PAUSE" and has_succeeded(ctx, rollout, last, last.total_targets)


def judge_groups(ctx: Scheduled, rollout: Rollout, running: list[RolloutGroup], last: RolloutGroup) -> None:
    """Conditions of the running groups: what failed pauses the rollout, what did well begins the next group."""
    by_creator = replace(ctx, user=rollout.created_by)
    for group in running:
        group = _recount(by_creator, rollout, group)
        expected = group.total_targets
        if group.id == running[-1].id and group.dynamic:
            expected = max(int(group.percentage), 1)
        if has_failed(ctx, group, expected):
            change_group(by_creator, group, status=GroupStatus.ERROR.value)
            _pause(by_creator, rollout)
            continue
        goes_on = group.id == last.id and group.dynamic
        is_over = not goes_on and _is_over(ctx, rollout, group)
        if is_over or has_succeeded(ctx, rollout, group, expected):
            _on_success(by_creator, rollout, group)
        if is_over:
            change_group(by_creator, group, status=GroupStatus.FINISHED.value)


def _recount(ctx: Scheduled, rollout: Rollout, group: RolloutGroup) -> RolloutGroup:
    """Targets that were deleted no longer count."""
    count = len({action.controller_id for action in actions_of_group(ctx, group.id)})
    if count == group.total_targets:
        return group
    now = need_rollout(ctx, rollout.id)
    change_rollout(ctx, now, total_targets=now.total_targets - group.total_targets + count)
    return change_group(ctx, group, total_targets=count)


def has_failed(ctx: Context, group: RolloutGroup, expected: int) -> bool:
    threshold = _threshold(group.conditions.error_expression)
    if group.conditions.error_condition is None or threshold is None or not expected:
        return False
    errors = status_counts(actions_of_group(ctx, group.id))[Status.ERROR]
    return errors * 100 > threshold * expected


def has_succeeded(ctx: Context, rollout: Rollout, group: RolloutGroup, expected: int) -> bool:
    """A group without targets has succeeded."""
    if not expected:
        return True
    threshold = _threshold(group.conditions.success_expression)
    wanted = Status.DOWNLOADED if rollout.force_type == ForceType.DOWNLOADONLY else Status.FINISHED
    done = status_counts(actions_of_group(ctx, group.id))[wanted]
    return threshold is not None and done * 100 >= threshold * expected


def _threshold(expression: str | None) -> int | None:
    """Percent; None for what is no number: such a condition never holds."""
    return int(expression) if expression is not None and THRESHOLD.fullmatch(expression) else None


def _is_over(ctx: Context, rollout: Rollout, group: RolloutGroup) -> bool:
    ended = ENDED | {Status.DOWNLOADED} if rollout.force_type == ForceType.DOWNLOADONLY else ENDED
    return all(action.status in ended for action in actions_of_group(ctx, group.id))


def _on_success(ctx: Context, rollout: Rollout, group: RolloutGroup) -> None:
    if group.conditions.success_action == "NEXTGROUP":
        start_children(by_server(ctx), rollout, group)
        return
    children = (other for other in groups_of(ctx, rollout.id) if other.parent_id == group.id)
    if any(child.status == GroupStatus.SCHEDULED for child in children):
        _pause(ctx, rollout)


def _pause(ctx: Context, rollout: Rollout) -> None:
    now = need_rollout(ctx, rollout.id)
    if now.status == RolloutStatus.RUNNING:
        change_rollout(ctx, now, status=RolloutStatus.PAUSED.value)


def fill_dynamic_group(ctx: Scheduled, rollout: Rollout) -> bool:
    """Takes targets that match by now into the last group. True: something changed, the rest comes next round."""
    if ctx.now_ms - rollout.filled_at_ms < ctx.repo.settings.dynamic_fill_every_s * 1000:
        return False
    by_creator = replace(ctx, user=rollout.created_by)
    groups = groups_of(ctx, rollout.id)
    group = groups[-1]
    expected = max(int(group.percentage), 1)
    if group.total_targets >= expected or group.status == GroupStatus.FINISHED:
        if add_dynamic_group(by_creator, rollout, groups, GroupStatus.SCHEDULED):
            change_rollout(ctx, rollout, groups_created=rollout.groups_created + 1)
        return True
    found = _newcomers(ctx, rollout, group)[: expected - group.total_targets]
    if not found:
        ctx.repo.store.put(ROLLOUT, ctx.tenant, replace(rollout, filled_at_ms=ctx.now_ms))
        return False
    new = rollout_actions.schedule(by_creator, rollout, group, found)
    if group.status == GroupStatus.RUNNING:
        for action in new:
            rollout_actions.start(ctx, rollout, group, action)
    change_group(ctx, group, total_targets=group.total_targets + len(new))
    change_rollout(ctx, rollout, total_targets=rollout.total_targets + len(new))
    return True


def _newcomers(ctx: Context, rollout: Rollout, group: RolloutGroup) -> list[Target]:
    """Targets that neither this rollout nor a later one has an action for."""
    found = audience(ctx, rollout.query, rollout.set_id).of(group.query)
    return [target for target in found if not _is_taken(ctx, rollout, target.controller_id)]


def _is_taken(ctx: Context, rollout: Rollout, controller_id: Key) -> bool:
    known = ctx.repo.store.find(ACTION, ctx.tenant, "target", controller_id)
    return any(action.rollout_id is not None and action.rollout_id >= rollout.id for action in known)
