"""Making and moving automatic assignments (`JpaAutoAssignmentManagement.java`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assigner import matcher, wants
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import DistributionSet, ForceType
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import (
    AUTO_ASSIGNMENT,
    AutoAssignment,
    AutoAssignStatus,
)
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    not_found,
    quota,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET, TargetFilter
from fleetrig.reference_server.platforms.hawkbit.state.rules import TextRule

GREATEST_REMARK: Final = 255
TEXTS: Final = (
    TextRule("name", 1, 128, needed=True),
    TextRule("description", 0, 512),
    TextRule("targetFilterQuery", 0, 1024),
)
INCOMPLETE: Final = (
    "Distribution set is assigned/locked to a target that is incomplete (i.e. mandatory modules are missing)"
)
WRONG_TYPE: Final = (
    "The given action type for auto-assignment is invalid: allowed values are ['forced', 'soft', 'downloadonly']"
)


def make(ctx: Context, one: AutoAssignment) -> AutoAssignment:
    """Stores a new one, and locks its set. Raises 400, 404, 409, 429."""
    record = _need_assignable(ctx, one.set_id)
    if one.action_type == ForceType.TIMEFORCED:
        java_class = REPOSITORY + "InvalidAutoAssignActionTypeException"
        raise HawkbitError(400, "repo.invalidAutoAssignActionType", java_class, WRONG_TYPE)
    matcher(ctx, one.query)
    _check_quota(ctx, one)
    software.lock_implicitly(ctx, record)
    given = {"name": one.name, "description": one.description, "targetFilterQuery": one.query}
    stored = rules.as_stored(TEXTS, given)
    _check_free(ctx, stored["name"])
    waits = ctx.config.values["auto.assignment.approval.enabled"]
    status = AutoAssignStatus.WAITING_FOR_APPROVAL if waits else AutoAssignStatus.READY
    one = replace(one, name=stored["name"], description=stored["description"], status=status.value)
    ctx.repo.store.put(AUTO_ASSIGNMENT, ctx.tenant, one)
    return one


def _need_assignable(ctx: Context, set_id: int) -> DistributionSet:
    """Raises 404, also for a deleted set, 400 for one that is invalid or incomplete."""
    record = need_living_set(ctx, set_id)
    if not record.valid:
        raise software.invalid_set("Invalid distribution set is assigned to a target")
    if not software.is_complete_set(ctx, record):
        java_class = REPOSITORY + "IncompleteDistributionSetException"
        raise HawkbitError(400, "distributionset.incomplete", java_class, INCOMPLETE)
    return record


def need_living_set(ctx: Context, set_id: int) -> DistributionSet:
    """Raises 404."""
    record = software.need_set(ctx, set_id)
    if record.deleted:
        raise software.deleted("DistributionSet", set_id)
    return record


def _check_quota(ctx: Context, one: AutoAssignment) -> None:
    """Raises 429 when more targets would get the set than one automatic assignment may have."""
    most = ctx.repo.settings.quotas.targets_per_auto_assignment
    targets = ctx.repo.store.scan(TARGET, ctx.tenant)
    count = sum(1 for target in targets if wants(ctx, one.set_id, one.query, target))
    if 0 < most < count:
        raise quota(count, "Target", "TargetFilterQuery", one.name, most)


def _check_free(ctx: Context, name: str) -> None:
    if ctx.repo.store.count(AUTO_ASSIGNMENT, ctx.tenant, "name", name):
        raise already_exists(f"there is an automatic assignment {name} already")


def need(ctx: Context, assignment_id: int) -> AutoAssignment:
    """Raises 404."""
    one = ctx.repo.store.get(AUTO_ASSIGNMENT, ctx.tenant, assignment_id)
    if one is None:
        raise not_found("AutoAssignment", assignment_id)
    return one


def change(ctx: Context, one: AutoAssignment, **changes: Any) -> AutoAssignment:
    """Stores the changes, with who made them; nothing when nothing changes. Raises 409 for a name that is taken."""
    changed = replace(one, **changes)
    if changed == one:
        return one
    if changed.name is not None and changed.name != one.name:
        _check_free(ctx, changed.name)
    changed = replace(changed, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.store.put(AUTO_ASSIGNMENT, ctx.tenant, changed)
    return changed


def move(ctx: Context, assignment_id: int, before: AutoAssignStatus, after: AutoAssignStatus, wrong: str) -> None:
    """One move of the state machine. Raises 409 in another state than `before`."""
    one = _in_state(ctx, assignment_id, before, wrong)
    change(ctx, one, status=after.value)


def decide(ctx: Context, assignment_id: int, after: AutoAssignStatus, remark: str | None) -> None:
    """Approves or denies. Raises 409 when nobody asked for it, 400 for too long a remark."""
    wrong = "Auto assignment not waiting for approval"
    one = _in_state(ctx, assignment_id, AutoAssignStatus.WAITING_FOR_APPROVAL, wrong)
    check_remark(remark)
    change(ctx, one, status=after.value, decided_by=ctx.user, remark=remark)


def check_remark(remark: str | None) -> None:
    """Raises 400."""
    if broken := rules.broken_size("approvalRemark", remark, 0, GREATEST_REMARK):
        raise violations(broken)


def _in_state(ctx: Context, assignment_id: int, before: AutoAssignStatus, wrong: str) -> AutoAssignment:
    one = need(ctx, assignment_id)
    if one.status != before:
        java_class = REPOSITORY + "AutoAssignmentIllegalStateException"
        raise HawkbitError(
            409, "auto.assignment.illegalState", java_class, wrong, reason=f"{wrong}: it is {one.status}"
        )
    return one


def delete(ctx: Context, one: AutoAssignment) -> None:
    ctx.repo.store.delete(AUTO_ASSIGNMENT, ctx.tenant, one.id)


def named(ctx: Context, name: str) -> AutoAssignment | None:
    found = ctx.repo.store.find(AUTO_ASSIGNMENT, ctx.tenant, "name", name)
    return found[0] if found else None


def linked(ctx: Context, one: TargetFilter) -> AutoAssignment | None:
    """What a filter assigns: the automatic assignment of its name, if that has the filter's query too."""
    found = named(ctx, one.name)
    return found if found is not None and found.query == one.query else None


def drop_for_set(ctx: Context, set_id: int) -> None:
    """A set is no longer to be assigned: whatever assigns it is gone."""
    for one in ctx.repo.store.find(AUTO_ASSIGNMENT, ctx.tenant, "set", set_id):
        delete(ctx, one)


def follow_filter(ctx: Context, before: TargetFilter, after: TargetFilter) -> None:
    """A filter was changed: another query begins a new assignment, another name alone renames it."""
    one = linked(ctx, before)
    if one is None:
        return
    if after.query != before.query:
        delete(ctx, one)
        fresh = replace(
            one, id=ctx.repo.store.next_id(AUTO_ASSIGNMENT.name), name=after.name, query=after.query,
            decided_by=None, remark=None, created_by=ctx.user, created_at_ms=ctx.now_ms, modified_by=ctx.user,
            modified_at_ms=ctx.now_ms,
        )  # fmt: skip
        make(ctx, fresh)
    elif after.name != before.name:
        change(ctx, one, name=after.name)
