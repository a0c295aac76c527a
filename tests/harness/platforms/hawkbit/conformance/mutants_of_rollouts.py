"""Mistakes in rollouts (rows S141 to S159)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt import (
    rollout_documents,
    rollout_lists,
    rollout_requests,
    rollouts,
)
from fleetrig.reference_server.platforms.hawkbit.scheduling import (
    rollout_actions,
    rollout_groups,
    rollout_making,
    rollout_scheduler,
    rollout_steps,
    rollout_store,
    rollout_targets,
)
from fleetrig.reference_server.platforms.hawkbit.state import assignment, target_states
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT, RolloutStatus
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.hawkbit.conformance.mutants import mutant, status_for


def largest_group_first(original: Any, ctx: Any, rollout: Any, *more: Any) -> Any:
    return list(reversed(original(ctx, rollout, *more)))


def all_groups_at_once(original: Any, ctx: Any, rollout: Any, parent: Any) -> Any:
    for group in rollout_store.groups_of(ctx, rollout.id):
        rollout_actions.start_group(ctx, rollout, group)
    return original(ctx, rollout, parent)


def also_at_the_threshold(original: Any, ctx: Any, group: Any, expected: Any) -> Any:
    return original(ctx, group, max(expected - 1, 1))


def without_details(original: Any, call: Any, rollout: Any, **more: Any) -> Any:
    return original(call, rollout, single=False)


def one_group_for_all(original: Any, groups: Any, at: Any) -> Any:
    return 100.0


def forget_own_query(original: Any, everybody: Any, query: Any) -> Any:
    return original(everybody, "")


def deleted_for_good(original: Any, ctx: Any, rollout: Any) -> Any:
    original(ctx, rollout)
    rollout_store.forget_rollout(ctx, rollout)
    return False


def keep_running(original: Any, ctx: Any, rollout: Any) -> Any:
    rollout_steps._finish_groups(ctx, rollout)
    return True


def everybody_again(original: Any, ctx: Any, rollout_id: Any) -> Any:
    actions = ctx.repo.store.find(ACTION, ctx.tenant, "rollout", rollout_id)
    return [ctx.repo.target(ctx.tenant, action.controller_id) for action in actions]


def start_though_assigned(original: Any, ctx: Any, rollout: Any, group: Any, action: Any) -> Any:
    target = ctx.repo.target(ctx.tenant, action.controller_id)
    if target is not None and target.assigned_set_id == action.set_id:
        ctx.repo.save(ctx.tenant, replace(target, assigned_set_id=None))
    return original(ctx, rollout, group, action)


def nobody_confirms(original: Any, ctx: Any, rollout: Any, group: Any, action: Any) -> Any:
    return original(ctx, rollout, replace(group, confirmation_required=False), action)


def start_when_ready(original: Any, ctx: Any, rollout: Any, **more: Any) -> Any:
    original(ctx, rollout, **more)
    now = ctx.repo.store.get(ROLLOUT, ctx.tenant, rollout.id)
    if now is not None and now.status == "ready":
        rollout_store.change_rollout(ctx, now, status="starting")


MUTANTS = (
    mutant("rollout-starts-by-itself", "S141 S151 S155", (rollout_steps, "_create", instead(start_when_ready))),
    mutant("groups-in-wrong-order", "S141 S148", (rollout_making, "groups_of", instead(largest_group_first))),
    mutant("rollout-of-one-group", "S141 S143", (rollout_making, "java_float", being(lambda number: 100.0))),
    mutant("rollout-without-details", "S141 S142", (rollout_lists, "rollout_document", instead(without_details))),
    mutant("rollout-not-renamed", "S142", (rollouts, "change_rollout", instead(
        lambda change, call, one, **more: change(call, one, **{k: v for k, v in more.items() if k != "name"})))),
    mutant("change-of-a-rollout-counts", "S142", (rollouts, "rollout_document", instead(
        lambda document, call, one, **more: document(call, one, **{**more, "counted": True})))),
    mutant("group-of-another-rollout-not-there", "S142", status_for("GET", "/deploygroups/0", 404, 200)),
    mutant("all-groups-begin", "S143 S145 S150", (rollout_steps, "start_children", instead(all_groups_at_once))),
    mutant("waiting-action-tells-no-rollout", "S143", (rollout_actions, "Action", instead(
        lambda make, **fields: make(**{**fields, "rollout_id": None})))),
    mutant("success-begins-nothing", "S144", (rollout_groups, "_on_success", giving(None))),
    mutant("rollout-never-over", "S144 S146 S152 S156 S159", (rollout_groups, "_is_over", giving(False))),
    mutant("pause-at-any-time", "S144 S145", status_for("POST", "/pause", 400, 204)),
    mutant("failures-pause-nothing", "S145", (rollout_groups, "has_failed", giving(False))),
    mutant("errors-not-counted", "S145", (rollout_documents, "WORDS", being({}))),
    mutant("threshold-is-enough", "S146", (rollout_groups, "has_failed", instead(also_at_the_threshold))),
    mutant("success-does-not-pause", "S147", (rollout_groups, "_pause", giving(None))),
    mutant("nothing-to-trigger-is-fine", "S147", status_for("POST", "/triggerNextGroup", 400, 204)),
    mutant("next-group-not-triggered", "S147 S157", (rollout_groups, "start_next_group", giving(True))),
    mutant("shares-of-everything", "S148 S149", (rollout_making, "percent_of_rest", instead(one_group_for_all))),
    mutant("no-group-has-a-query", "S148 S149", (rollout_targets.Audience, "of", instead(forget_own_query))),
    mutant("stopping-cancels-nothing", "S150", (rollout_steps, "_end", giving(None))),
    mutant("stopping-drops-nothing", "S150", (rollout_steps, "_drop_scheduled", giving(None))),
    mutant("stopped-twice", "S150", status_for("POST", "/stop", 400, 204)),
    mutant("begun-rollout-forgotten", "S151", (rollout_steps, "_delete", instead(deleted_for_good))),
    mutant("deleting-leaves-work", "S151", (rollout_steps, "_delete", instead(keep_running))),
    mutant("deleted-still-listed", "S151", (rollout_lists, "SOFT_DELETED", being(
        {"EXCLUDE_SOFT_DELETED": lambda rollout: True}))),
    mutant("retry-for-everybody", "S152", (rollout_targets, "_failed_in", instead(everybody_again))),
    mutant("running-rollout-retried", "S152", status_for("POST", "/retry", 400, 201)),
    mutant("percentage-of-101", "S153", (rollouts, "check_percentages", giving(None))),
    mutant("empty-rollout-made", "S153", status_for("POST", "/rollouts", 400, 201)),
    mutant("any-weight", "S153", (rollout_requests, "broken_weight", giving([]))),
    mutant("groups-may-miss-targets", "S153", (rollout_making, "_check_shares", giving(None))),
    mutant("nobody-must-approve", "S154", (rollout_steps, "_create", instead(
        lambda create, ctx, one, **more: create(ctx, one, may_approve=True)))),
    mutant("remark-forgotten", "S154", (rollouts, "change_rollout", instead(
        lambda change, call, one, **more: change(call, one, **{k: v for k, v in more.items() if k != "remark"})))),
    mutant("denied-is-approved", "S154", (rollouts, "_decide", instead(
        lambda decide, call, rollout_id, _: decide(call, rollout_id, RolloutStatus.READY)))),
    mutant("start-time-ignored", "S155", (rollout_scheduler, "step", instead(
        lambda step, ctx, one, **more: None if one.status == "ready" else step(ctx, one, **more)))),
    mutant("downloading-is-no-success", "S156", (rollout_groups, "_is_over", giving(False)),
           (rollout_groups, "has_succeeded", giving(False))),
    mutant("who-has-the-set-gets-it-again", "S156", (rollout_actions, "start", instead(start_though_assigned))),
    mutant("groups-need-no-confirmation", "S157", (rollout_actions, "start", instead(nobody_confirms))),
    mutant("newcomers-never-taken-in", "S158", (rollout_groups, "_newcomers", giving([]))),
    mutant("dynamic-group-unnamed", "S158", (rollout_requests, "Template", then(
        lambda template: replace(template, name_suffix="")))),
    mutant("waiting-action-outlives-assignment", "S159", (assignment, "cancel_scheduled", giving(None))),
    mutant("deleted-targets-count", "S159",
           (rollout_groups, "_recount", instead(lambda _, ctx, rollout, group: group))),
    mutant("rollout-target-not-pending", "S143", (target_states, "assigned", then(
        lambda target: replace(target, update_status="registered")))),
)  # fmt: skip
