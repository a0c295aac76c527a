"""Assigning a distribution set to targets: online, offline, and by the server itself (§1.4).

Order of things as on the real server: double assignments, quotas, the set itself, target types, then target by target.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments, software, target_states
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ACTION,
    DEFAULT_WEIGHT,
    SET,
    Action,
    DistributionSet,
    ForceType,
    Status,
)
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Entry
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError, quota
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_TYPE, Target, UpdateStatus

NO_LOCK: Final = "assigning locks the set, for which the operator lacks UPDATE_DISTRIBUTION_SET"
MULTI_ASSIGNMENT: Final = "The requested operation requires multi assignments to be enabled."


@dataclass(frozen=True, slots=True)
class Assignment:
    """One set for one target, as asked for. `schedule`, `duration` and `timezone` are all given or all None."""

    controller_id: str
    set_id: int
    force_type: str = ForceType.FORCED
    force_time_ms: int = 0
    weight: int | None = None
    schedule: str | None = None
    duration: str | None = None
    timezone: str | None = None
    confirmation_required: bool = True


@dataclass(frozen=True, slots=True)
class Assigned:
    """What came of it: new actions, and how many targets had the set already (or, offline, were left alone)."""

    actions: tuple[Action, ...] = ()
    already: int = 0

    @property
    def total(self) -> int:
        return len(self.actions) + self.already


def assign(ctx: Context, assignments: Iterable[Assignment], message: str | None = None) -> Assigned:
    """Online: devices will fetch it. Unknown targets are dropped silently (S92). Raises 400, 404, 429."""
    wanted = list(dict.fromkeys(assignments))
    if not wanted:
        return Assigned()
    record = _check(ctx, wanted)
    found = [(one, target) for one in wanted if (target := ctx.repo.target(ctx.tenant, one.controller_id)) is not None]
    if not found:
        return Assigned()
    _lock_implicitly(ctx, record)
    new = [_assign_one(ctx, one, target, message) for one, target in found if target.assigned_set_id != one.set_id]
    return Assigned(tuple(new), len(found) - len(new))


def assign_offline(ctx: Context, pairs: Iterable[tuple[str, int]]) -> Assigned:
    """Records (controllerId, set id) as installed already; targets with work to do are left alone (S131).

    Who declares it, an operator or the device itself, has then modified the target.
    """
    wanted = [Assignment(controller_id, set_id) for controller_id, set_id in dict.fromkeys(pairs)]
    if not wanted:
        return Assigned()
    record = _check(ctx, wanted)
    found = [target for one in wanted if (target := ctx.repo.target(ctx.tenant, one.controller_id)) is not None]
    if not found:
        return Assigned()
    _lock_implicitly(ctx, record)
    new = [
        _declare_one(ctx, record.id, target)
        for target in found
        if target.assigned_set_id != record.id and target.update_status != UpdateStatus.PENDING
    ]
    return Assigned(tuple(new), len(found) - len(new))


def _check(ctx: Context, wanted: list[Assignment]) -> DistributionSet:
    """The one set in question. Raises what §0.1 has for each mistake."""
    if len({one.controller_id for one in wanted}) < len(wanted):
        java_class = REPOSITORY + ctx.repo.traits.multi_assignment_error
        raise HawkbitError(400, "multiAssignmentNotEnabled", java_class, MULTI_ASSIGNMENT)
    _check_quotas(ctx, wanted)
    record = software.need_complete_set(ctx, wanted[0].set_id)
    _check_target_types(ctx, wanted, record)
    return record


def _check_quotas(ctx: Context, wanted: list[Assignment]) -> None:
    quotas = ctx.repo.settings.quotas
    if len(wanted) > quotas.assignments_per_request:
        message = (
            f"Quota exceeded: Cannot assign {len(wanted)} entities at once. "
            f"The maximum is {quotas.assignments_per_request}."
        )
        raise HawkbitError(429, "quota.tooManyEntries", REPOSITORY + "AssignmentQuotaExceededException", message)
    for one in wanted:
        count = ctx.repo.store.count(ACTION, ctx.tenant, "target", one.controller_id)
        if count >= quotas.actions_per_target and not purge(ctx, one.controller_id, count):
            raise quota(1, "Action", "Target", one.controller_id, quotas.actions_per_target)


def _lock_implicitly(ctx: Context, record: DistributionSet) -> None:
    """Raises 500: so the real server fails, after several tries, for an operator without the right to lock."""
    if software.locks_implicitly(ctx, record) and not ctx.may(software.LOCKING):
        java_class = "org.eclipse.hawkbit.exception.GenericSpServerException"
        raise HawkbitError(500, "repo.genericError", java_class, "unknown error occurred", reason=NO_LOCK)
    software.lock_implicitly(ctx, record)


def purge(ctx: Context, controller_id: str, count: int) -> bool:
    """Deletes the oldest actions if `action.cleanup.onQuotaHit.percent` says so; False: nothing was deleted."""
    percent = ctx.config.values["action.cleanup.onQuotaHit.percent"]
    most = ctx.repo.settings.quotas.actions_per_target
    purged = most * percent // 100 - max(most - count, 0)
    if not 0 < percent < 100 or purged < 1:
        return False
    for action in ctx.repo.store.find(ACTION, ctx.tenant, "target", controller_id)[:purged]:
        deployments.remove(ctx.repo, ctx.tenant, action)
    return True


def _check_target_types(ctx: Context, wanted: list[Assignment], record: DistributionSet) -> None:
    """Raises 400 when a target is of a type that does not take sets of this type."""
    wrong: Counter[str] = Counter()
    for one in wanted:
        target = ctx.repo.target(ctx.tenant, one.controller_id)
        if target is None or target.type_id is None:
            continue
        kind = ctx.repo.store.get(TARGET_TYPE, ctx.tenant, target.type_id)
        if kind is not None and record.type_id not in kind.set_type_ids:
            wrong[kind.name] += 1
    if wrong:
        set_type = software.need_set_type(ctx, record.type_id).name
        names = "[" + ", ".join(wrong) + "]"
        message = f"Targets of types {names} are not compatible with distribution set of type {set_type}"
        raise HawkbitError(400, "target.type.incompatible", REPOSITORY + "IncompatibleTargetTypeException", message)


def _assign_one(ctx: Context, one: Assignment, target: Target, message: str | None) -> Action:
    cancel_scheduled(ctx, target.controller_id)
    end_older(ctx, target)
    ctx.repo.save(ctx.tenant, target_states.assigned(target, one.set_id, ctx.user, ctx.now_ms))
    waits = ctx.config.confirmation_on and one.confirmation_required and target.auto_confirm is None
    action = _new_action(ctx, one, Status.WAIT_FOR_CONFIRMATION if waits else Status.RUNNING, active=True)
    opening = message or f"Assignment initiated by user '{ctx.user}'"
    entry = opening_entry(ctx, action, target, opening, None if one.confirmation_required else ctx.user)
    return deployments.write_entry(ctx, action, entry)


def cancel_scheduled(ctx: Context, controller_id: str) -> None:
    """What a rollout scheduled for the target and did not start yet gives way too. The history does not tell of it."""
    for action in ctx.repo.store.find(ACTION, ctx.tenant, "scheduled", controller_id):
        deployments.save(ctx, action_rules.changed(action, status=Status.CANCELED.value))


def opening_entry(ctx: Context, action: Action, target: Target, opening: str, confirmed_by: str | None) -> Entry:
    """The first line of an action's history. `confirmed_by`: who began it without asking the device."""
    if not ctx.config.confirmation_on:
        return Entry(Status.RUNNING, (opening,))
    if action.waits_for_confirmation:
        why = action_rules.WAITING
    elif confirmed_by is not None:
        why = f"Assignment confirmed by initiator [{confirmed_by}]."
    else:
        why = auto_confirm_message(target)
    return Entry(Status.WAIT_FOR_CONFIRMATION, (opening, why))


def auto_confirm_message(target: Target) -> str:
    """What the history says of an action that was confirmed by itself."""
    status = target.auto_confirm or {}
    initiator, remark = status.get("initiator") or "n/a", status.get("remark") or "n/a"
    user = status.get("created_by") or initiator
    return (
        f"Assignment automatically confirmed by initiator '{initiator}'. \n\n"
        f"Auto confirmation activated by system user: '{user}' \n\nRemark: {remark}"
    )


def _declare_one(ctx: Context, set_id: int, target: Target) -> Action:
    cancel_scheduled(ctx, target.controller_id)
    target = target_states.declared(target, set_id, ctx.now_ms)
    target = replace(target, modified_by=ctx.user, modified_at_ms=ctx.now_ms)
    ctx.repo.save(ctx.tenant, target)
    action = _new_action(ctx, Assignment(target.controller_id, set_id), Status.FINISHED, active=False)
    opening = f"Assignment initiated by user '{ctx.user}'"
    return deployments.write_entry(ctx, action, Entry(Status.FINISHED, (opening, action_rules.OFFLINE)))


def end_older(ctx: Context, target: Target) -> None:
    """Older work gives way, unless its set is a required migration step: canceling, or closed at once (§1.4)."""
    closes = ctx.config.values["repository.actions.autoclose.enabled"]
    for action in deployments.active_actions(ctx, target.controller_id):
        record = ctx.repo.store.get(SET, ctx.tenant, action.set_id)
        if record is not None and record.required_migration_step:
            continue
        if closes:
            entry = Entry(Status.CANCELED, (action_rules.CLOSED_BY_NEXT,))
            deployments.write_entry(ctx, deployments.modified(ctx, action_rules.closed_as_canceled(action)), entry)
        elif action.status != Status.CANCELING:
            entry = Entry(Status.CANCELING, (action_rules.OVERRIDDEN,))
            canceling = action_rules.changed(action, status=Status.CANCELING)
            deployments.write_entry(ctx, deployments.modified(ctx, canceling), entry)


def _new_action(ctx: Context, one: Assignment, status: Status, *, active: bool) -> Action:
    return Action(
        id=deployments.next_action_id(ctx), controller_id=one.controller_id, set_id=one.set_id,
        status=status.value, active=active, force_type=one.force_type, force_time_ms=one.force_time_ms,
        weight=DEFAULT_WEIGHT if one.weight is None else one.weight, schedule=one.schedule, duration=one.duration,
        timezone=one.timezone, created_by=ctx.user, created_at_ms=ctx.now_ms, modified_by=ctx.user,
        modified_at_ms=ctx.now_ms,
    )  # fmt: skip
