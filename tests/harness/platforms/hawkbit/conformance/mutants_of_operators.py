"""Mistakes in what operators' tools call: actions, software, sets, types, labels, search (rows S160 to S190)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt import (
    action_deletion,
    all_actions,
    artifacts,
    config_values,
    filter_auto_assign,
    filters,
    groups,
    invalidation,
    module_types,
    modules,
    set_search,
    set_statistics,
    set_tags,
    set_types,
    sets,
    software_metadata,
    tags,
    target_actions,
    target_details,
    target_requests,
    target_types,
)
from fleetrig.reference_server.platforms.hawkbit.request import error_replies, fields
from fleetrig.reference_server.platforms.hawkbit.scheduling import auto_assignment_store
from fleetrig.reference_server.platforms.hawkbit.scheduling.action_cleanup import ActionCleanup
from fleetrig.reference_server.platforms.hawkbit.search import rsql, rsql_match, rsql_values
from fleetrig.reference_server.platforms.hawkbit.state import (
    assignment,
    deployments,
    maintenance,
    quartz_cron,
    quartz_field,
    software,
)
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, SET
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import AutoAssignStatus
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare, rsql_syntax
from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import BadCron
from tests.harness.conformance.code_changes import being, giving, instead
from tests.harness.platforms.hawkbit.conformance.mutants import mutant, status_for


def oldest_first(original: Any, call: Any, records: Any, *more: Any, **named: Any) -> Any:
    return original(call, records, *more, **{**named, "newest_first": False})


def newest(original: Any, call: Any, controller_id: str, keep_last: int) -> Any:
    return list(call.repo.store.find(ACTION, call.tenant, "target", controller_id))[-1:]


def deleting_nothing(original: Any, repo: Any, tenant: str, action: Any) -> Any:
    return None


def body_of_404(original: Any, call: Any, controller_id: str, action_id: int) -> Any:
    target, action = call.repo.target(call.tenant, controller_id), deployments.find_action(call, action_id)
    return (target, action) if target and action else original(call, controller_id, action_id)


def all_visible(original: Any, *arguments: Any) -> Any:
    return {**original(*arguments), "targetVisible": True}


def replace_nothing(original: Any, call: Any, record: Any, found: Any) -> Any:
    return replace(record, module_ids=(*record.module_ids, *(module.id for module in found)))


def found_only(original: Any, *arguments: Any) -> Any:
    return original(*arguments[:-1], tags.POLICIES[2])


def first_set_only(original: Any, call: Any, tag_id: int, set_ids: list[int], change_one: Any) -> Any:
    return original(call, tag_id, set_ids[:1], change_one)


def known_sets_only(original: Any, call: Any, tag_id: int, set_ids: list[int], change_one: Any) -> Any:
    known = [set_id for set_id in set_ids if call.repo.store.get(SET, call.tenant, set_id)]
    return original(call, tag_id, known, change_one)


def open_only(original: Any, call: Any, set_id: int) -> Any:
    """RUNNING alone."""
    return {status: count for status, count in original(call, set_id).items() if status == "RUNNING"}


def no_subgroups(original: Any, call: Any, group: str, **more: Any) -> Any:
    return original(call, group, with_subgroups=False)


def add_to_group(original: Any, call: Any, group: Any, targets: Any) -> Any:
    return original(call, group, list(targets)[:1] if group else [])


def any_move(original: Any, ctx: Any, assignment_id: int, before: Any, wrong: str) -> Any:
    return auto_assignment_store.need(ctx, assignment_id)


def with_case(original: Any, node: Any) -> Any:
    return lambda value: value == node.values[0] if node.operator is rsql.Operator.EQUAL else original(node)(value)


def first_only(original: Any, node: Any, *more: Any, **named: Any) -> Any:
    is_or = isinstance(node, rsql.Logical) and not node.is_and
    return original(node.children[0] if is_or else node, *more, **named)


def keep_type(original: Any, call: Any, target: Any, **changes: Any) -> None:
    if changes.get("type_id", 1) is not None:
        original(call, target, **changes)


def no_steps(original: Any, text: str, *more: Any) -> Any:
    raise BadCron("unknown")


def cut_schedules(original: Any, expression: str) -> Any:
    if expression.count("#") or "W" in expression.upper().split()[3]:
        raise BadCron("unknown")
    return original(expression)


MUTANTS = (
    # actions
    mutant("actions-oldest-first", "S160", (all_actions, "stored_page", instead(oldest_first))),
    mutant("full-actions-are-compact", "S160", (all_actions, "FULL", being("whole"))),
    mutant("open-actions-deleted", "S160 S161", (action_deletion, "check", giving(None))),
    mutant("actions-not-deleted", "S160 S161", (deployments, "remove", instead(deleting_nothing))),
    mutant("oldest-action-kept", "S161", (target_actions, "_oldest", instead(newest))),
    mutant("both-ways-of-deleting", "S161", status_for("DELETE", "/actions", 400, 204)),
    mutant("another-targets-action-shown", "S162", (target_actions, "_need", instead(body_of_404))),
    mutant("operators-word-ignored", "S163", (deployments, "confirm", giving(None))),
    mutant("auto-confirmed-twice", "S163", status_for("POST", "/activate", 409, 204)),
    mutant("auto-confirmed-without-trace", "S163", (assignment, "auto_confirm_message", giving("confirmed"))),
    mutant("old-actions-stay", "S188", (ActionCleanup, "run", giving(None))),
    mutant("all-old-actions-go", "S188", (ActionCleanup, "_statuses", giving({"finished", "running", "retrieved"}))),
    # software
    mutant("module-twice", "S164", status_for("POST", "/softwaremodules", 409, 201)),
    mutant("module-keeps-description", "S164", (modules, "changes", giving({}))),
    mutant("module-of-locked-set-deleted", "S165", status_for("DELETE", "", 423, 204)),
    mutant("deleted-file-downloads", "S165", status_for("GET", "/download", 410, 200)),
    mutant("checksums-unchecked", "S166", (artifacts, "CHECKSUMS", being(()))),
    mutant("file-name-of-the-form", "S166", (artifacts, "_given", giving(None))),
    mutant("file-stays", "S166", status_for("GET", "/artifacts", 200, 404)),
    mutant("hidden-metadata-shown", "S167", (software_metadata.MetadataHandlers, "_new_value", instead(all_visible))),
    mutant("metadata-not-deleted", "S167", (software_metadata, "not_found", being(
        lambda *_: bare(200, "none")))),
    # sets
    mutant("completeness-not-searched", "S168", (set_search, "_wanted", giving(True))),
    mutant("module-not-replaced", "S169", (sets, "with_modules", instead(replace_nothing))),
    mutant("any-module-taken", "S169", (sets, "_check_modules", giving(None))),
    mutant("modules-not-locked-with-set", "S170", (software, "lock_modules", giving(None))),
    mutant("two-sets-of-one-name", "S170", (sets, "_refuse_duplicate", giving(None))),
    mutant("installed-is-assigned", "S171", (sets, "_targets", instead(
        lambda read, call, set_id, _: read(call, set_id, "assigned_set")))),
    mutant("invalid-set-assigned", "S172", (software, "need_valid_set", being(software.need_set))),
    mutant("invalidation-cancels-nothing", "S172", (invalidation, "_cancel", giving(None))),
    mutant("invalidation-forces-nothing", "S172", (invalidation, "_force_quit", giving(None))),
    mutant("set-tag-not-taken-away", "S189", (set_tags, "_without", being(lambda record, tag_id: record))),
    mutant("set-tag-on-one-set", "S189", (set_tags, "_change_sets", instead(first_set_only))),
    mutant("unknown-sets-left-out", "S189", (set_tags, "_change_sets", instead(known_sets_only))),
    mutant("two-set-tags-of-one-name", "S189", (set_tags, "_check_free", giving(None))),
    mutant("actions-not-counted", "S190", (set_statistics, "_actions", giving({}))),
    mutant("only-open-actions-counted", "S190", (set_statistics, "_actions", instead(open_only))),
    mutant("zeros-in-a-part", "S190", (set_statistics, "rollout_counts", giving({"FINISHED": 0}))),
    # types
    mutant("used-module-type-gone", "S173", (module_types, "number", giving(1)),),
    mutant("module-type-twice", "S173", status_for("POST", "/softwaremoduletypes", 409, 201)),
    mutant("used-set-type-changes", "S174", (set_types, "_unused", being(set_types._changeable))),
    mutant("unknown-module-type-taken", "S174", (set_types, "_need_module_types", giving(None))),
    mutant("default-type-deleted", "S174", status_for("DELETE", "", 400, 204)),
    mutant("incompatible-set-assigned", "S175", (assignment, "_check_target_types", giving(None))),
    mutant("used-target-type-deleted", "S175", status_for("DELETE", "", 409, 204)),
    mutant("target-type-stays", "S175", (target_details, "_save", instead(keep_type))),
    mutant("nameless-target-type", "S175", (target_types, "_draft", instead(
        lambda draft, call, entry: draft(call, {"name": "x", **entry})))),
    # labels
    mutant("unknown-targets-left-out", "S176", (tags, "_change_targets", instead(found_only))),
    mutant("tag-not-taken-away", "S176", (tags, "_without", being(lambda target, tag_id: target))),
    mutant("subgroups-not-asked-for", "S177", (groups, "_members", instead(no_subgroups))),
    mutant("groups-take-one-or-none", "S177", (groups, "_assign", instead(add_to_group))),
    mutant("nonsense-filter-kept", "S178", (filters, "compiled", giving(None))),
    mutant("two-filters-of-one-name", "S178", (filters, "_check_free", giving(None))),
    mutant("assignment-stays-with-old-query", "S179", (auto_assignment_store, "follow_filter", giving(None))),
    mutant("filter-assigns-forced", "S179", (filter_auto_assign, "read_draft", instead(
        lambda draft, *given, **named: replace(draft(*given, **named), action_type="forced")))),
    mutant("assignment-moves-freely", "S180", (auto_assignment_store, "_in_state", instead(any_move))),
    mutant("denied-assignment-approved", "S180", (auto_assignment_store, "decide", instead(
        lambda decide, call, one, _, remark: decide(call, one, AutoAssignStatus.READY, remark)))),
    # search
    mutant("search-minds-case", "S181", (rsql_values, "_test_text", instead(with_case))),
    mutant("or-is-the-first", "S181", (rsql_match, "_compile", instead(first_only))),
    mutant("negation-ignored", "S181", (rsql_match, "NEGATED", being({}))),
    mutant("tags-always-match", "S181", (rsql_match, "_match_many", giving(lambda record, look: True))),
    mutant("any-word-for-a-state", "S182", (rsql_values, "rsql_field", being(lambda *_: rsql_syntax("wrong")))),
    mutant("order-of-words", "S182", (rsql_values, "_refuse_order", giving(None))),
    mutant("history-without-messages", "S183", (target_actions, "_entry_document", instead(
        lambda document, entry, **named: {**document(entry, **named), "messages": []}))),
    mutant("weight-not-searched", "S183", (rsql_values, "_test_number", giving(lambda value: value is None))),
    # forms
    mutant("schedules-without-steps", "S184", (quartz_field, "_steps", instead(no_steps))),
    mutant("schedules-without-special-days", "S184", (quartz_cron, "parse", instead(cut_schedules))),
    mutant("any-zone", "S184", (maintenance, "_offset_s", giving(0))),
    mutant("numbers-not-converted", "S185", (config_values, "_number", giving(None))),
    mutant("negative-overdue-time", "S185", (config_values, "_check_overdue_time", giving(None))),
    mutant("no-page-for-browsers", "S186", (error_replies, "_audience", giving(None))),
    mutant("numbers-are-no-text", "S187", (fields, "as_text", instead(
        lambda read, value, what: read(value if not isinstance(value, int) else {}, what)))),
    mutant("any-word-is-true", "S187", (target_requests, "boolean", instead(
        lambda read, body, name: True if body.get(name) == "maybe" else read(body, name)))),
)  # fmt: skip
