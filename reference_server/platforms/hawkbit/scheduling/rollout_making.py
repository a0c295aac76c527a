"""From a new rollout to one whose groups have their targets (`JpaRolloutManagement.java`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import change_group, groups_of, members_of
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_targets import (
    Audience,
    audience,
    java_float,
    java_round,
    percent_of_rest,
    planned_counts,
)
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import DEFAULT_WEIGHT
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    invalid,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import (
    DEFAULTS,
    GROUP_MEMBERS,
    ROLLOUT,
    ROLLOUT_GROUP,
    Conditions,
    GroupMembers,
    GroupStatus,
    Rollout,
    RolloutGroup,
)

GREATEST_EXPRESSION: Final = 512


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A group as asked for, conditions filled up with those of its rollout."""

    name: str
    description: str | None
    query: str
    percentage: float
    conditions: Conditions
    confirmation_required: bool


@dataclass(frozen=True, slots=True)
class Template:
    """What dynamic groups are made after."""

    name_suffix: str
    target_count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a rollout is cut: into `amount` equal groups, or into these."""

    amount: int = 1
    groups: tuple[GroupDraft, ...] | None = None
    template: Template | None = None
    conditions: Conditions = DEFAULTS
    confirmation_required: bool = False


def make(ctx: Context, rollout: Rollout, plan: Plan) -> Rollout:
    """Stores a rollout and its empty groups. Locks the set. Raises 400, 409, 429."""
    everybody = None
    if plan.amount or plan.groups is not None:
        everybody = audience(ctx, rollout.query, rollout.set_id, retry_of=rollout.retry_of)
        if not everybody.targets:
            nobody = "Rollout does not match any existing targets"
            raise invalid(nobody if rollout.retry_of is None else "No failed targets in Rollout")
    total = len(everybody.targets) if everybody is not None else 0
    software.lock_implicitly(ctx, software.need_set(ctx, rollout.set_id))
    weight = DEFAULT_WEIGHT if rollout.weight is None else rollout.weight
    rollout = replace(rollout, total_targets=total, weight=weight)
    if ctx.repo.store.count(ROLLOUT, ctx.tenant, "name", rollout.name):
        raise already_exists(f"there is a rollout {rollout.name} already")
    if plan.groups is not None:
        assert everybody is not None
        _check_shares(ctx, everybody, plan.groups)
        count = _make_groups(ctx, rollout, plan.groups)
    else:
        count = _make_equal_groups(ctx, rollout, plan)
    rollout = replace(rollout, groups_created=count)
    ctx.repo.store.put(ROLLOUT, ctx.tenant, rollout)
    return rollout


def _check_shares(ctx: Context, everybody: Audience, groups: tuple[GroupDraft, ...]) -> None:
    """Every target must find a group, and no group may be too large. Raises 400, 429."""
    counts = planned_counts(everybody, groups)
    left = len(everybody.targets) - sum(counts)
    if left > 0:
        raise invalid("Rollout groups don't match all targets that are targeted by the rollout")
    if left < 0:
        raise invalid("Rollout groups target count verification failed")
    for count in counts:
        check_group_size(ctx, count)


def check_group_size(ctx: Context, count: int) -> None:
    most = ctx.repo.settings.quotas.targets_per_rollout_group
    if 0 < most < count:
        raise quota(count, "Target", "RolloutGroup", "<new>", most)


def check_group_amount(ctx: Context, count: int) -> None:
    """Raises 429."""
    most = ctx.repo.settings.quotas.groups_per_rollout
    if count > most:
        java_class = REPOSITORY + "AssignmentQuotaExceededException"
        message = f"The amount of groups cannot be greater than {most}"
        raise HawkbitError(429, "quota.tooManyEntries", java_class, message)


def _make_groups(ctx: Context, rollout: Rollout, drafts: tuple[GroupDraft, ...]) -> int:
    names = [draft.name for draft in drafts]
    if len(set(names)) < len(names):
        raise already_exists("two groups of a rollout have one name")
    last: RolloutGroup | None = None
    for draft in drafts:
        last = new_group(
            ctx, rollout, draft.name, last, description=draft.description, conditions=draft.conditions,
            query=draft.query, percentage=draft.percentage, confirmation_required=draft.confirmation_required,
        )  # fmt: skip
    return len(drafts)


def _make_equal_groups(ctx: Context, rollout: Rollout, plan: Plan) -> int:
    last: RolloutGroup | None = None
    common: dict[str, Any] = {"conditions": plan.conditions, "confirmation_required": plan.confirmation_required}
    if plan.amount:
        check_group_size(ctx, rollout.total_targets // plan.amount)
    for number in range(1, plan.amount + 1):
        name = f"group-{number}"
        percentage = java_float(100 / plan.amount)
        last = new_group(ctx, rollout, name, last, description=name, percentage=percentage, **common)
    if plan.template is None or not rollout.dynamic:
        return plan.amount
    name = f"group-{plan.amount + 1}{plan.template.name_suffix}"
    new_group(
        ctx, rollout, name, last, description=name, percentage=float(plan.template.target_count), dynamic=True,
        status=GroupStatus.READY.value, **common,
    )  # fmt: skip
    return plan.amount + 1


def new_group(ctx: Context, rollout: Rollout, name: str, after: RolloutGroup | None, **parts: Any) -> RolloutGroup:
    group = RolloutGroup(
        id=ctx.repo.store.next_id(ROLLOUT_GROUP.name), rollout_id=rollout.id, name=name,
        parent_id=None if after is None else after.id, created_by=ctx.user, created_at_ms=ctx.now_ms,
        modified_by=ctx.user, modified_at_ms=ctx.now_ms, **parts,
    )  # fmt: skip
    _check_expressions(group.conditions)
    ctx.repo.store.put(ROLLOUT_GROUP, ctx.tenant, group)
    return group


def _check_expressions(conditions: Conditions) -> None:
    """Raises 400, said of the record."""
    given = {
        "successConditionExp": conditions.success_expression,
        "successActionExp": conditions.success_action_expression,
        "errorConditionExp": conditions.error_expression,
        "errorActionExp": conditions.error_action_expression,
    }
    broken = rules.missing("successConditionExp", conditions.success_expression)
    for name, expression in given.items():
        broken += rules.broken_size(name, expression, 0, GREATEST_EXPRESSION)
    if broken:
        raise violations(broken)


def fill_groups(ctx: Context, rollout: Rollout) -> int:
    """Gives every group that is being created its targets; only those that were there before the rollout count."""
    everybody = audience(
        ctx, rollout.query, rollout.set_id, created_until_ms=rollout.created_at_ms, retry_of=rollout.retry_of
    )
    groups = groups_of(ctx, rollout.id)
    taken: set[str] = set()
    for at, group in enumerate(groups):
        if group.status == GroupStatus.CREATING:
            free = [target for target in everybody.of(group.query) if target.controller_id not in taken]
            count = java_round(percent_of_rest(groups, at) * len(free) / 100)
            members = tuple(target.controller_id for target in free[:count])
            ctx.repo.store.put(GROUP_MEMBERS, ctx.tenant, GroupMembers(group.id, members))
            groups[at] = change_group(ctx, group, status=GroupStatus.READY.value, total_targets=len(members))
        taken.update(members_of(ctx, group.id))
    return sum(group.total_targets for group in groups)


def add_dynamic_group(ctx: Context, rollout: Rollout, groups: list[RolloutGroup], status: GroupStatus) -> bool:
    """One more group after the pattern of the last one. False: there are too many already."""
    last, count = groups[-1], len(groups)
    if count + 1 > ctx.repo.settings.quotas.groups_per_rollout:
        return False
    usual = f"group-{count}"
    name = f"group-{count + 1}" + (last.name[len(usual) :] if last.name.startswith(usual) else "")
    new_group(
        ctx, rollout, name, last, description=name, conditions=last.conditions, dynamic=True, status=status.value,
        confirmation_required=last.confirmation_required, query=last.query,
        percentage=last.percentage if last.dynamic else float(last.total_targets),
    )  # fmt: skip
    return True
