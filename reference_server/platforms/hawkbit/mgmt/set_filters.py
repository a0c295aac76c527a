"""What assigns a set by itself or rolls it out (§1.5), as a set's own handlers need it."""

from __future__ import annotations

from collections import Counter

from fleetrig.reference_server.platforms.hawkbit.scheduling import auto_assignment_store
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import change_rollout
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import AUTO_ASSIGNMENT
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_FILTER, TargetFilter
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT, STOPPABLE, RolloutStatus


def filters_of(ctx: Context, set_id: int) -> list[TargetFilter]:
    """Filters whose automatic assignment is of this set."""
    found = [
        (one, target_filter)
        for one in ctx.repo.store.find(AUTO_ASSIGNMENT, ctx.tenant, "set", set_id)
        for target_filter in ctx.repo.store.find(TARGET_FILTER, ctx.tenant, "name", one.name or "")
    ]
    return [target_filter for one, target_filter in found if target_filter.query == one.query]


def count_of_assignments(ctx: Context, set_id: int) -> int:
    return ctx.repo.store.count(AUTO_ASSIGNMENT, ctx.tenant, "set", set_id)


def stop_filters(ctx: Context, set_id: int) -> None:
    """Nothing assigns this set by itself any longer."""
    auto_assignment_store.drop_for_set(ctx, set_id)


def rollout_counts(ctx: Context, set_id: int) -> dict[str, int]:
    """Status in capitals -> how many rollouts of the set."""
    return Counter(one.status.upper() for one in ctx.repo.store.find(ROLLOUT, ctx.tenant, "set", set_id))


def is_rolled_out(ctx: Context, set_id: int) -> bool:
    return ctx.repo.store.count(ROLLOUT, ctx.tenant, "set", set_id) > 0


def end_rollouts(ctx: Context, set_id: int, *, force: bool) -> None:
    """Rollouts of an invalid set stop, or go altogether."""
    status = RolloutStatus.DELETING if force else RolloutStatus.STOPPING
    for rollout in ctx.repo.store.find(ROLLOUT, ctx.tenant, "set", set_id):
        if rollout.status in STOPPABLE:
            change_rollout(ctx, rollout, status=status.value)
