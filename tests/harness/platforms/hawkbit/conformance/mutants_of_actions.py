"""Mistakes in assignment, deployment, feedback and cancellation (rows S90 to S111, S119, S121, S129 to S137, S191)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fleetrig.reference_server.platforms.hawkbit.ddi import deployment as ddi_deployment
from fleetrig.reference_server.platforms.hawkbit.ddi import deployment_document, feedback_body, pending
from fleetrig.reference_server.platforms.hawkbit.ddi import installed as ddi_installed
from fleetrig.reference_server.platforms.hawkbit.ddi import root as ddi_root
from fleetrig.reference_server.platforms.hawkbit.mgmt import assignment as mgmt_assignment
from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assigner import AutoAssigner
from fleetrig.reference_server.platforms.hawkbit.state import (
    action_rules,
    artifact_urls,
    assignment,
    deployments,
    software,
    target_states,
)
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import Entry, Line, TargetEffect
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare, not_found
from tests.harness.conformance.code_changes import always, being, giving, instead, then
from tests.harness.platforms.hawkbit.conformance.mutants import mutant, status_for

QUOTA = "hawkbit.server.security.dos."


# -- functions that make the mistake; the first argument is the original


def forget_assigned_set(original: Any, call: Any, wanted: Any, *more: Any) -> Any:
    for one in wanted:
        target = call.repo.target(call.tenant, one.controller_id)
        if target is not None:
            call.repo.save(call.tenant, replace(target, assigned_set_id=None))
    return original(call, wanted, *more)


def refuse_unknown(original: Any, call: Any, wanted: Any, *more: Any) -> Any:
    for one in wanted:
        if call.repo.target(call.tenant, one.controller_id) is None:
            raise not_found("Target", one.controller_id)
    return original(call, wanted, *more)


def encode_device(original: Any, *parts: Any) -> Any:
    download = original(*parts)
    return replace(download, controller_id=quote(download.controller_id, safe=""))


def register_pending(original: Any, call: Any) -> Any:
    target, changed = original(call)
    if target.update_status == "pending":
        target = replace(target, update_status="registered")
        call.repo.save(call.tenant, target)
    return target, changed


def note_always(original: Any, ctx: Any, action: Any, message: str) -> None:
    deployments.write_entry(ctx, action_rules.after_retrieval(action), Entry(Status.RETRIEVED, (message,)))


def retrieve_only_active(original: Any, action: Any) -> Any:
    return original(action) if action.active else action


def whole_history(original: Any, call: Any, action: Any, messages: int) -> list[str]:
    entries = reversed(deployments.history(call, action))
    return [text for entry in entries for text in entry.messages]


def without_md5sum(document: Any) -> Any:
    return {**document, "_links": {"download-http": document["_links"]["download-http"]}}


def without_sha256(hashes: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in hashes.items() if name != "sha256"}


def accept_when_over(original: Any, ctx: Any, target: Any, action: Any, feedback: Any) -> Any:
    return original(ctx, target, action, feedback) if action.active else action


def refuse_when_canceling(original: Any, ctx: Any, target: Any, action: Any, feedback: Any) -> Any:
    if action.is_cancel:
        raise bare(404, "canceling")
    return original(ctx, target, action, feedback)


def refuse_when_canceled(original: Any, ctx: Any, target: Any, action: Any, feedback: Any) -> Any:
    if not action.active:
        raise bare(410, "canceled already")
    return original(ctx, target, action, feedback)


def close_when_canceled(original: Any, action: Any, entry: Any) -> Any:
    if entry.status is Status.CANCELED:
        return action_rules.closed_as_canceled(action), TargetEffect.NOTHING
    return original(action, entry)


def keep_open_when_downloaded(original: Any, action: Any, entry: Any) -> Any:
    return (action, TargetEffect.NOTHING) if entry.status is Status.DOWNLOADED else original(action, entry)


def cancel_when_rejected(original: Any, action: Any, entry: Any) -> Any:
    if entry.status is Status.CANCEL_REJECTED:
        return action_rules.closed_as_canceled(action), TargetEffect.CANCELED
    return original(action, entry)


def fill_in_result(original: Any, body: Any, name: str) -> Any:
    return original({"result": {"finished": "success"}, **body} if name == "result" else body, name)


def take_unknown_execution(original: Any, body: Any, name: str, words: Any) -> Any:
    return words.PROCEEDING if name == "execution" and body.get(name) == "x" else original(body, name, words)


def own_or_not(original: Any, call: Any, action_id: int) -> Any:
    action = deployments.find_action(call, action_id)
    return original(call, action_id) if action is None else (call.repo.need_target(call.tenant, call.device), action)


def foreign_is_unknown(original: Any, call: Any, action_id: int) -> Any:
    action = deployments.find_action(call, action_id)
    if action is not None and action.controller_id != call.device:
        raise not_found("Action", action_id)
    return original(call, action_id)


def never_canceling(original: Any, call: Any, action_id: int) -> Any:
    target, action = original(call, action_id)
    return target, replace(action, status="running") if action.is_cancel else action


def never_active(original: Any, call: Any, action_id: int) -> Any:
    target, action = original(call, action_id)
    return target, replace(action, active=False)


def at_any_time(original: Any, target: Any, action: Any, timestamp_ms: int) -> Any:
    return original(target, action, max(timestamp_ms, (target.installed_at_ms or 0) + 1))


def cancel_at_once(original: Any, ctx: Any, action: Any) -> Any:
    target = ctx.repo.need_target(ctx.tenant, action.controller_id)
    return deployments.force_quit(ctx, target, original(ctx, action))


def newest_first(original: Any, active: Any) -> Any:
    return max(active, key=lambda action: action.id, default=None)


def cancel_link_with_query(original: Any, call: Any, action: Any) -> Any:
    return {rel: {"href": link["href"] + ("?c=1" if rel == "cancelAction" else "")}
            for rel, link in original(call, action).items()}  # fmt: skip


MUTANTS = (
    # assignment
    mutant("assigned-not-pending", "S90 S121",
           (target_states, "assigned", then(lambda target: replace(target, update_status="registered")))),
    mutant("assigned-set-not-kept", "S90",
           (target_states, "assigned", then(lambda target: replace(target, assigned_set_id=None)))),
    mutant("assigned-twice", "S91", (mgmt_assignment, "assign", instead(forget_assigned_set))),
    mutant("unknown-target-refused", "S92", (mgmt_assignment, "assign", instead(refuse_unknown))),
    mutant("unknown-target-ok", "S93", status_for("POST", "/assignedDS", 404, 200)),
    mutant("older-action-lives-on", "S110", (assignment, "end_older", giving(None))),
    mutant("newest-action-shown", "S110", (action_rules, "current", instead(newest_first))),
    mutant("first-poll-registers-pending", "S121", (ddi_root, "seen", instead(register_pending))),
    mutant("offline-not-in-sync", "S131",
           (target_states, "declared", then(lambda target: replace(target, update_status="registered")))),
    mutant("offline-without-installed-at", "S131",
           (target_states, "declared", then(lambda target: replace(target, installed_at_ms=None)))),
    mutant("incomplete-set-assigned", "S132", (software, "need_complete_set", being(software.need_valid_set))),
    mutant("used-module-not-locked", "S132", (assignment, "_lock_implicitly", giving(None))),
    mutant("empty-upload-ok", "S132", status_for("POST", "/artifacts", 400, 201)),
    mutant("auto-assignment-sleeps", "S137", (AutoAssigner, "note", giving(None))),
    # deployment
    mutant("every-read-in-the-history", "S94", (deployments, "note_retrieval", instead(note_always))),
    mutant("no-read-in-the-history", "S94 S129", (deployments, "note_retrieval", giving(None))),
    mutant("no-cache-breaker", "S95 S120", (pending, "_cache_breaker", giving(""))),
    mutant("no-md5sum-link", "S94 S95 S117", (deployment_document, "_artifact", then(without_md5sum))),
    mutant("device-encoded-in-file-links", "S191", (deployment_document, "Download", instead(encode_device))),
    mutant("name-of-file-as-in-a-path", "S191", (artifact_urls, "form_encoded", instead(lambda _, name: quote(name)))),
    mutant("no-sha256", "S94 S95 S117", (deployment_document, "hashes", then(without_sha256))),
    mutant("download-only-installs", "S111", (deployment_document, "_update", giving("forced"))),
    mutant("downloaded-does-not-end-it", "S111", (action_rules, "after_feedback", instead(keep_open_when_downloaded))),
    mutant("downloaded-asks-no-attributes", "S111",
           (target_states, "downloaded", then(lambda target: replace(target, request_attributes=False)))),
    mutant("finished-stays-finished-when-read", "S129",
           (action_rules, "after_retrieval", instead(retrieve_only_active))),
    mutant("soft-is-forced", "S134", (action_rules, "is_forced", giving(True))),
    mutant("timeforced-never-due", "S134", (action_rules, "time_has_come", giving(False))),
    mutant("forcing-keeps-the-link", "S134", (action_rules, "cache_breaker", giving(1))),
    mutant("history-tells-all", "S134", (deployment_document, "_history", instead(whole_history))),
    mutant("installed-base-while-active", "S135", (ddi_installed, "need_own_action", instead(never_active))),
    mutant("declaring-is-always-new", "S135", status_for("PUT", "/installedBase", 200, 201)),
    mutant("declaring-unknown-set-ok", "S135", status_for("PUT", "/installedBase", 404, 200)),
    # feedback
    mutant("attributes-not-asked-again", "S96",
           (target_states, "installed", then(lambda target: replace(target, request_attributes=False)))),
    mutant("installed-but-pending", "S96 S97 S99 S109",
           (target_states, "installed", then(lambda target: replace(target, update_status="pending")))),
    mutant("no-installed-base-link", "S96 S99 S131 S117", (deployments, "installed_action", giving(None))),
    mutant("gone-is-not-found", "S97 S111 S129 S133",
           (deployments, "bare", instead(lambda make, status, *more: make(404 if status == 410 else status, *more)))),
    mutant("late-report-accepted", "S97 S111 S129 S133", (deployments, "report", instead(accept_when_over))),
    mutant("failed-keeps-assigned-set", "S98",
           (target_states, "failed", being(lambda target: replace(target, update_status="error")))),
    mutant("failed-asks-attributes", "S98",
           (target_states, "failed", then(lambda target: replace(target, request_attributes=True)))),
    mutant("failed-is-no-error", "S98 S129",
           (target_states, "failed", then(lambda target: replace(target, update_status="pending")))),
    mutant("closed-none-fails", "S99", (action_rules.Feedback, "failed",
           being(property(lambda self: self.finished is not action_rules.Finished.SUCCESS)))),
    mutant("canceled-ends-it", "S100", (action_rules, "after_feedback", instead(close_when_canceled))),
    mutant("rejected-is-an-error-entry", "S100", (action_rules, "FEEDBACK", being(
           {**action_rules.FEEDBACK, (action_rules.Execution.REJECTED, False): Line(Status.RUNNING, "")}))),
    mutant("code-not-told", "S100", (action_rules, "_code_message", giving(()))),
    mutant("result-may-be-missing", "S101", (feedback_body, "_part", instead(fill_in_result))),
    mutant("unknown-execution-taken", "S101", (feedback_body, "_word", instead(take_unknown_execution))),
    mutant("51-messages", "S102", properties={QUOTA + "maxMessagesPerActionStatus": "51"}),
    mutant("49-messages", "S102", properties={QUOTA + "maxMessagesPerActionStatus": "49"}),
    mutant("long-messages-whole", "S102", (action_rules, "split_messages", being(tuple))),
    mutant("1000-reports", "S103", properties={QUOTA + "maxStatusEntriesPerAction": "1001"}),
    mutant("998-reports", "S103", properties={QUOTA + "maxStatusEntriesPerAction": "999"}),
    mutant("closed-refused-when-full", "S103", (Entry, "is_final", always(False))),
    mutant("foreign-action-accepted", "S104", (ddi_deployment, "need_own_action", instead(own_or_not))),
    mutant("foreign-action-unknown", "S104", (ddi_deployment, "need_own_action", instead(foreign_is_unknown))),
    mutant("old-timestamp-installs", "S119", (target_states, "installed", instead(at_any_time))),
    # cancellation
    mutant("canceling-still-deployable", "S105", (ddi_deployment, "need_own_action", instead(never_canceling))),
    mutant("cancel-link-with-query", "S105", (pending, "_link_of", instead(cancel_link_with_query))),
    mutant("soft-cancel-ends-it", "S105 S107", (deployments, "cancel", instead(cancel_at_once))),
    mutant("cancelling-twice-ok", "S105", status_for("DELETE", "", 405, 204)),
    mutant("canceled-not-in-sync", "S106 S133",
           (target_states, "canceled", then(lambda target: replace(target, update_status="pending")))),
    mutant("canceled-keeps-assigned-set", "S106 S133",
           (target_states, "canceled", being(lambda target, _: replace(target, update_status="in_sync")))),
    mutant("confirming-cancel-twice-gone", "S106 S133", (deployments, "report_cancel", instead(refuse_when_canceled))),
    mutant("rejected-cancel-cancels", "S107", (action_rules, "after_cancel_feedback", instead(cancel_when_rejected))),
    mutant("not-cancelable-is-not-found", "S108", status_for("POST", "/feedback", 405, 404)),
    mutant("closing-while-canceling-refused", "S109", (deployments, "report", instead(refuse_when_canceling))),
    mutant("force-quit-without-cancel", "S108", status_for("DELETE", "", 405, 204)),
    mutant("cancel-shows-as-update", "S105 S110", (Action, "is_cancel", always(False))),
)  # fmt: skip
