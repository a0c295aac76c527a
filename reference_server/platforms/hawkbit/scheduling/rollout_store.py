"""Rollouts, their groups and the actions of groups in the store."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.context import Context, need
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import (
    GROUP_MEMBERS,
    ROLLOUT,
    ROLLOUT_GROUP,
    GroupMembers,
    Rollout,
    RolloutGroup,
)

NOTHING_STORED: Final = GroupMembers(0)


def need_rollout(ctx: Context, rollout_id: int) -> Rollout:
    """Also a soft deleted one. Raises 404."""
    return need(ctx, ROLLOUT, rollout_id, "Rollout")


def need_group(ctx: Context, group_id: int) -> RolloutGroup:
    return need(ctx, ROLLOUT_GROUP, group_id, "RolloutGroup")


def groups_of(ctx: Context, rollout_id: int) -> list[RolloutGroup]:
    """In the order in which they are started."""
    return ctx.repo.store.find(ROLLOUT_GROUP, ctx.tenant, "rollout", rollout_id)


def change_rollout(ctx: Context, rollout: Rollout, **changes: Any) -> Rollout:
    """Stores the changes, with who made them; nothing when nothing changes."""
    changed = replace(rollout, **changes)
    if changed == rollout:
        return rollout
    changed = replace(changed, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.store.put(ROLLOUT, ctx.tenant, changed)
    return changed


def change_group(ctx: Context, group: RolloutGroup, **changes: Any) -> RolloutGroup:
    """As `change_rollout`."""
    changed = replace(group, **changes)
    if changed == group:
        return group
    changed = replace(changed, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.store.put(ROLLOUT_GROUP, ctx.tenant, changed)
    return changed


def members_of(ctx: Context, group_id: int) -> tuple[str, ...]:
    """controllerIds of the targets that a group was filled with and that are still there."""
    return (ctx.repo.store.get(GROUP_MEMBERS, ctx.tenant, group_id) or NOTHING_STORED).controller_ids


def actions_of_group(ctx: Context, group_id: int) -> list[Action]:
    return ctx.repo.store.find(ACTION, ctx.tenant, "rollout_group", group_id)


def actions_of_rollout(ctx: Context, rollout_id: int) -> list[Action]:
    return ctx.repo.store.find(ACTION, ctx.tenant, "rollout", rollout_id)


def status_counts(actions: list[Action]) -> Counter[str]:
    return Counter(str(action.status) for action in actions)


def forget_rollout(ctx: Context, rollout: Rollout) -> None:
    """Removes a rollout with its groups. Its actions must be gone, or lose what they belonged to."""
    for group in groups_of(ctx, rollout.id):
        ctx.repo.store.delete(GROUP_MEMBERS, ctx.tenant, group.id)
        ctx.repo.store.delete(ROLLOUT_GROUP, ctx.tenant, group.id)
    ctx.repo.store.delete(ROLLOUT, ctx.tenant, rollout.id)


def forget_target(repo: Repository, tenant: str, controller_id: str) -> None:
    """A target is being deleted: no group has it any more."""
    for members in repo.store.find(GROUP_MEMBERS, tenant, "target", controller_id):
        left = tuple(name for name in members.controller_ids if name != controller_id)
        repo.store.put(GROUP_MEMBERS, tenant, replace(members, controller_ids=left))


def is_scheduled(action: Action) -> bool:
    """Waits for its group: no device sees it."""
    return action.status == Status.SCHEDULED and not action.active


def wrong_state(message: str) -> HawkbitError:
    """400: the rollout is in another state than what was asked for needs."""
    return HawkbitError(400, "rollout.illegalState", REPOSITORY + "RolloutIllegalStateException", message)
