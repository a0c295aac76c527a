"""Actions in the store: looking them up, writing their history, and carrying out what `actions` decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state import action_rules, rules, target_states
from fleetrig.reference_server.platforms.hawkbit.state.action_records import (
    ACTION,
    STATUS_ENTRY,
    Action,
    Status,
    StatusEntry,
    joined,
)
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Confirmation, Entry, Feedback, TargetEffect
from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError, bare, quota, violations
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository

ALREADY_CANCELED: Final = "Actions in canceling or canceled state cannot be canceled"
NOT_CANCELING: Final = "The action is not in canceling state."


def find_action(ctx: Context, action_id: int) -> Action | None:
    return ctx.repo.store.get(ACTION, ctx.tenant, action_id)


def next_action_id(ctx: Context) -> int:
    return ctx.repo.store.next_id(ACTION.name, ctx.repo.settings.first_action_id)


def active_actions(ctx: Context, controller_id: str) -> list[Action]:
    """A target's active actions, oldest first."""
    return ctx.repo.store.find(ACTION, ctx.tenant, "active", controller_id)


def current_action(ctx: Context, controller_id: str) -> Action | None:
    return action_rules.current(active_actions(ctx, controller_id))


def installed_action(ctx: Context, target: Target) -> Action | None:
    """The latest action of the installed set that says `finished` (not `retrieved`: S129)."""
    if target.installed_set_id is None:
        return None
    key = joined(target.installed_set_id, target.controller_id)
    found = ctx.repo.store.find(ACTION, ctx.tenant, "finished", key)
    return found[-1] if found else None


def history(ctx: Context, action: Action) -> list[StatusEntry]:
    """An action's history, oldest first."""
    return ctx.repo.store.find(STATUS_ENTRY, ctx.tenant, "action", action.id)


def moment_us(ctx: Context, action: Action) -> int:
    """Now, where the time decides about the action; else always the same moment, since nobody has to ask for it."""
    return ctx.now_us if action_rules.is_timed(action) else 0


def save(ctx: Context, action: Action) -> None:
    ctx.repo.store.put(ACTION, ctx.tenant, action)
    if action.rollout_id is not None:
        ctx.repo.moved_rollouts.add(ctx.tenant)


def write_entry(ctx: Context, action: Action, entry: Entry) -> Action:
    """Adds a line to the history, and gives the action as it is then stored. Checks no quota."""
    entry_id = ctx.repo.store.next_id(STATUS_ENTRY.name)
    line = StatusEntry(
        id=entry_id,
        action_id=action.id,
        status=entry.status.value,
        timestamp_ms=ctx.now_ms if entry.timestamp_ms is None else entry.timestamp_ms,
        reported_at_ms=ctx.now_ms,
        messages=action_rules.split_messages(entry.messages),
        code=entry.code,
    )
    ctx.repo.store.put(STATUS_ENTRY, ctx.tenant, line)
    action = replace(action, last_entry_status=line.status)
    save(ctx, action)
    return action


def check_quota(ctx: Context, action: Action, entry: Entry) -> None:
    """Raises 429 when the history is full (final entries pass) or the entry has too many messages (S102, S103)."""
    quotas = ctx.repo.settings.quotas
    if not entry.is_final:
        lines = ctx.repo.store.count(STATUS_ENTRY, ctx.tenant, "action", action.id)
        if lines >= quotas.status_entries_per_action:
            raise quota(1, "ActionStatus", "Action", action.id, quotas.status_entries_per_action)
    count = len(action_rules.split_messages(entry.messages))
    if count > quotas.messages_per_status:
        raise quota(count, "Message", "ActionStatus", "<new>", quotas.messages_per_status)


def report(ctx: Context, target: Target, action: Action, feedback: Feedback) -> Action:
    """Feedback on a deployment. Raises 404 while it waits for confirmation, 410 when it is over, 429."""
    if action.waits_for_confirmation:
        raise bare(404, f"action {action.id} waits for confirmation: report to confirmationBase first")
    if not action.active:
        raise bare(410, f"action {action.id} is over ({action.status}): nothing more can be reported on it")
    _check_markup("addUpdateActionStatus", feedback)
    entry = action_rules.feedback_entry(feedback)
    check_quota(ctx, action, entry)
    action, effect = action_rules.after_feedback(action, entry)
    action = write_entry(ctx, action, entry)
    _affect(ctx, target, action, effect, entry)
    return action


def report_cancel(ctx: Context, target: Target, action: Action, feedback: Feedback) -> Action:
    """Feedback on a cancellation, also on one that is over (S106). Raises 405 when nothing is being canceled."""
    _check_markup("addCancelActionStatus", feedback)
    if not action.is_cancel:
        raise _not_cancelable(NOT_CANCELING, f"action {action.id} is {action.status}: nobody asked to cancel it")
    entry = action_rules.cancel_entry(feedback, ctx.repo.traits.cancel_completed)
    if entry.status in (Status.RUNNING, Status.WARNING):
        check_quota(ctx, action, entry)
    action, effect = action_rules.after_cancel_feedback(action, entry)
    action = write_entry(ctx, action, entry)
    _affect(ctx, target, action, effect, entry)
    return action


def _check_markup(method: str, feedback: Feedback) -> None:
    """Raises 400 for what looks like a tag in what a device says."""
    path = f"{method}.create.messages[].<iterable element>"
    broken = [sentence for text in feedback.details for sentence in rules.broken_markup(path, text)]
    if broken:
        raise violations(broken)


def confirm(
    ctx: Context, action: Action, confirmation: Confirmation, details: tuple[str, ...], code: int | None
) -> Action:
    """A confirmation or denial, by device or operator. Raises 410 when the action is over, 404 when it does not wait.

    A denial also takes back an earlier confirmation while the action is active and the flow is on (main branch).
    """
    if not action.active:
        raise bare(410, f"action {action.id} is over ({action.status}): there is nothing to confirm")
    if not action.waits_for_confirmation:
        may_revoke = not action.is_cancel and ctx.config.confirmation_on and ctx.repo.traits.confirmations_are_revocable
        if confirmation is Confirmation.CONFIRMED or not may_revoke:
            raise bare(404, f"action {action.id} does not wait for confirmation ({action.status})")
    entry = action_rules.confirmation_entry(action, confirmation, details, code)
    check_quota(ctx, action, entry)
    return write_entry(ctx, action_rules.after_confirmation(action, entry), entry)


def note_retrieval(ctx: Context, action: Action, message: str) -> None:
    """The device read the action; written once until something else happens (S94)."""
    if action.last_entry_status != Status.RETRIEVED:
        write_entry(ctx, action_rules.after_retrieval(action), Entry(Status.RETRIEVED, (message,)))


def note_download(ctx: Context, action: Action, raw_path: str) -> None:
    """The device fetches a file. Raises 429 when the history is full."""
    entry = Entry(Status.DOWNLOAD, (f"{action_rules.SERVER}Target downloads {raw_path}",))
    check_quota(ctx, action, entry)
    write_entry(ctx, action, entry)


def cancel(ctx: Context, action: Action) -> Action:
    """An operator's soft cancel: the device is asked. Raises 405."""
    if action.is_cancel:
        hint = "its device has not answered yet; ?force=true ends it" if action.active else "it is over"
        raise _not_cancelable(ALREADY_CANCELED, f"action {action.id} is {action.status}: {hint}")
    if not action.active:
        message = f"{action.id} is not active and cannot be canceled"
        raise _not_cancelable(message, f"action {action.id} is over ({action.status})")
    action = modified(ctx, action_rules.changed(action, status=Status.CANCELING))
    return write_entry(ctx, action, Entry(Status.CANCELING, (action_rules.CANCEL_REQUESTED,)))


def cancel_if_lapsed(ctx: Context, action: Action) -> Action:
    """The action, canceling from now on if its maintenance schedule has no window left (§2.2)."""
    if not action.active or action.is_cancel or not action_rules.is_lapsed(action, moment_us(ctx, action)):
        return action
    action = action_rules.changed(action, status=Status.CANCELING)
    return write_entry(ctx, action, Entry(Status.CANCELING, (action_rules.LAPSED,)))


def force_quit(ctx: Context, target: Target, action: Action) -> Action:
    """Ends a canceling action without its device. Raises 405."""
    if not action.is_cancel:
        message = f"{action.id} is not canceled yet and cannot be force quit"
        raise _not_force_quitable(message, f"action {action.id} is {action.status}: cancel it without force first")
    if not action.active:
        message = f"{action.id} is not active and cannot be force quit"
        raise _not_force_quitable(message, f"action {action.id} is over ({action.status})")
    action = modified(ctx, action_rules.closed_as_canceled(action))
    entry = Entry(Status.CANCELED, (action_rules.FORCE_QUIT,))
    action = write_entry(ctx, action, entry)
    _affect(ctx, target, action, TargetEffect.CANCELED, entry)
    return action


def modified(ctx: Context, action: Action) -> Action:
    """The action as changed by the caller, who is an operator."""
    return replace(action, modified_by=ctx.user, modified_at_ms=ctx.now_ms)


def remove(repo: Repository, tenant: str, action: Action) -> None:
    """Deletes an action and its history."""
    for line in repo.store.find(STATUS_ENTRY, tenant, "action", action.id):
        repo.store.delete(STATUS_ENTRY, tenant, line.id)
    repo.store.delete(ACTION, tenant, action.id)


def _not_cancelable(message: str, reason: str) -> HawkbitError:
    java_class = REPOSITORY + "CancelActionNotAllowedException"
    return HawkbitError(405, "action.notCancelable", java_class, message, reason=reason)


def _not_force_quitable(message: str, reason: str) -> HawkbitError:
    java_class = REPOSITORY + "ForceQuitActionNotAllowedException"
    return HawkbitError(405, "action.notForceQuitable", java_class, message, reason=reason)


def _affect(ctx: Context, target: Target, action: Action, effect: TargetEffect, entry: Entry) -> None:
    """What an entry means for the target."""
    match effect:
        case TargetEffect.NOTHING:
            return
        case TargetEffect.INSTALLED:
            at_ms = ctx.now_ms if entry.timestamp_ms is None else entry.timestamp_ms
            target = target_states.installed(target, action, at_ms)
        case TargetEffect.FAILED:
            target = target_states.failed(target)
        case TargetEffect.DOWNLOADED:
            target = target_states.downloaded(target)
        case TargetEffect.CANCELED:
            left = [other for other in active_actions(ctx, target.controller_id) if other.id != action.id]
            target = target_states.canceled(target, left[0] if left else None)
    ctx.repo.save(ctx.tenant, target)
