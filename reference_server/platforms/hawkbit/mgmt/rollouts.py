"""`/rollouts`: making them, moving them, reading them (`MgmtRolloutResource.java`)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.rollout_documents import rollout_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.rollout_requests import (
    NAMED,
    RolloutRequest,
    broken_rollout,
    check_percentages,
    group_drafts,
    read_rollout,
    with_defaults,
)
from fleetrig.reference_server.platforms.hawkbit.request.call import LONG_MAX, Call
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_object, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.scheduling import rollout_groups
from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assigner import matcher
from fleetrig.reference_server.platforms.hawkbit.scheduling.auto_assignment_store import check_remark
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_making import Plan, check_group_amount, make
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import (
    change_rollout,
    groups_of,
    need_rollout,
    wrong_state,
)
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    already_exists,
    forbidden,
    invalid,
    not_found,
    violations,
)
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import (
    DEFAULTS,
    ROLLOUT,
    STOPPABLE,
    GroupStatus,
    Rollout,
    RolloutStatus,
)

NO_QUERY: Final = "Cannot create a Rollout with an empty target query filter!"
GONE: Final = (RolloutStatus.DELETING, RolloutStatus.DELETED)


def create(call: Call) -> Reply:
    """201, `creating`: the scheduler gives the groups their targets. Raises 400, 404, 409, 429."""
    body = as_object(call.json)
    request = read_rollout(body)
    _check_query(call, request.texts["targetFilterQuery"])
    call.need("READ_DISTRIBUTION_SET")
    software.need_complete_set(call, request.set_id)
    plan = _plan(call, request, body)
    rollout = make(call, _new(call, request), plan)
    return Reply(201, rollout_document(call, rollout, single=True), changed=f"rollout {rollout.id} created")


def _check_query(call: Call, query: str | None) -> None:
    if query is None:
        java_class = REPOSITORY + "RSQLParameterSyntaxException"
        raise HawkbitError(400, "rest.param.rsqlParamSyntax", java_class, NO_QUERY)
    call.need("READ_TARGET")
    matcher(call, query)


def _plan(call: Call, request: RolloutRequest, body: dict[str, Any]) -> Plan:
    conditions = with_defaults(request, body)
    confirmation_on = call.config.confirmation_on
    if request.groups is None:
        call.need("CREATE_ROLLOUT")
        return _equal_plan(call, request, Plan(
            amount=1 if request.amount is None else request.amount,
            template=request.template,
            conditions=conditions,
            confirmation_required=confirmation_on if request.confirmation is None else request.confirmation,
        ))  # fmt: skip
    if request.dynamic:
        raise invalid("Dynamic rollouts are not supported with groups")
    if request.amount is not None:
        raise invalid("If 'group' is set the 'amountGroups' must not be set in the request")
    call.need("CREATE_ROLLOUT")
    _check_rules(request, "create.rollout")
    groups = group_drafts(request, conditions, confirmation_on)
    check_group_amount(call, len(groups))
    check_percentages(groups)
    return Plan(groups=groups, conditions=conditions)


def _equal_plan(call: Call, request: RolloutRequest, plan: Plan) -> Plan:
    _check_rules(request, "create.create")
    if plan.amount < 0:
        raise invalid("The amount of groups cannot be lower than or equal to zero for static rollouts")
    if plan.amount == 0 and plan.template is None:
        raise invalid(
            "When amount of groups is 0, the rollouts shall be dynamic and a dynamic group template must be provided"
        )
    check_group_amount(call, plan.amount)
    if plan.template is not None and not request.dynamic:
        raise invalid("Dynamic group template is only allowed for dynamic rollouts")
    if request.start_at_ms is not None and request.start_at_ms != LONG_MAX and not call.has("HANDLE_ROLLOUT"):
        message = "You need permission to start rollouts to create a scheduled rollout"
        raise forbidden("HANDLE_ROLLOUT", call.user, message=message)
    return plan


def _check_rules(request: RolloutRequest, path: str) -> None:
    if broken := broken_rollout(request, path):
        raise violations(broken)


def _new(call: Call, request: RolloutRequest) -> Rollout:
    stored = rules.as_stored(NAMED, {name: request.texts[name] for name in ("name", "description")})
    return Rollout(
        id=call.repo.store.next_id(ROLLOUT.name), name=stored["name"], description=stored["description"],
        query=request.texts["targetFilterQuery"],
        set_id=request.set_id, force_type=request.force_type, force_time_ms=request.force_time_ms,
        start_at_ms=request.start_at_ms, weight=request.weight, dynamic=request.dynamic, created_by=call.user,
        created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip


def update(call: Call, rollout_id: int) -> Reply:
    """Name and description. Other than reading, a change counts nothing: its answer shows no target as begun."""
    body = as_object(call.json)
    given = {name: text(body, name) for name in ("name", "description")}
    if broken := rules.broken_texts("update.update", NAMED, given):
        raise violations(broken)
    rollout = need_rollout(call, rollout_id)
    if rollout.status in GONE:
        message = f"Rollout {rollout_id} is soft deleted and cannot be changed"
        raise HawkbitError(403, "entityReadOnly", REPOSITORY + "EntityReadOnlyException", message)
    changes = {name: rules.trimmed(value) for name, value in given.items() if value is not None}
    if changes.get("name", rollout.name) != rollout.name:
        _check_free(call, changes["name"])
    rollout = change_rollout(call, rollout, **changes)
    document = rollout_document(call, rollout, single=True, counted=False)
    return Reply(body=document, changed=f"rollout {rollout_id} changed")


def _check_free(call: Call, name: str) -> None:
    if call.repo.store.count(ROLLOUT, call.tenant, "name", name):
        raise already_exists(f"there is a rollout {name} already")


def approve(call: Call, rollout_id: int) -> Reply:
    return _decide(call, rollout_id, RolloutStatus.READY)


def deny(call: Call, rollout_id: int) -> Reply:
    return _decide(call, rollout_id, RolloutStatus.APPROVAL_DENIED)


def _decide(call: Call, rollout_id: int, after: RolloutStatus) -> Reply:
    rollout = need_rollout(call, rollout_id)
    if rollout.status != RolloutStatus.WAITING_FOR_APPROVAL:
        raise wrong_state("Rollout is not in status WAITING_FOR_APPROVAL")
    remark = call.query.get("remark")
    check_remark(remark)
    change_rollout(call, rollout, status=after.value, decided_by=call.user, remark=remark)
    return Reply(204, changed=f"rollout {rollout_id} {after.value}")


def start(call: Call, rollout_id: int) -> Reply:
    wrong = "Rollout can only be started in state ready but current state is"
    return _move(call, rollout_id, RolloutStatus.READY, RolloutStatus.STARTING, wrong)


def pause(call: Call, rollout_id: int) -> Reply:
    wrong = "Rollout can only be paused in state running but current state is"
    return _move(call, rollout_id, RolloutStatus.RUNNING, RolloutStatus.PAUSED, wrong)


def resume(call: Call, rollout_id: int) -> Reply:
    """Begins the next group too, if the last one failed or is the reason for the pause."""
    wrong = "Rollout can only be resumed in state paused but current state is"
    reply = _move(call, rollout_id, RolloutStatus.PAUSED, RolloutStatus.RUNNING, wrong)
    rollout = need_rollout(call, rollout_id)
    started = [group for group in groups_of(call, rollout_id) if group.status != GroupStatus.SCHEDULED]
    if started and rollout_groups.goes_on_when_resumed(call, rollout, started[-1]):
        rollout_groups.start_children(rollout_groups.by_server(call), rollout, started[-1])
    return reply


def _move(call: Call, rollout_id: int, before: RolloutStatus, after: RolloutStatus, wrong: str) -> Reply:
    rollout = need_rollout(call, rollout_id)
    if rollout.status != before:
        raise wrong_state(f"{wrong} {rollout.status}")
    change_rollout(call, rollout, status=after.value)
    return Reply(204, changed=f"rollout {rollout_id} {after.value}")


def stop(call: Call, rollout_id: int) -> Reply:
    rollout = need_rollout(call, rollout_id)
    if rollout.status not in STOPPABLE:
        names = ", ".join(status.name for status in STOPPABLE)
        raise wrong_state(f"Rollout can only be stopped into the following statuses [{names}]")
    change_rollout(call, rollout, status=RolloutStatus.STOPPING.value)
    return Reply(204, changed=f"rollout {rollout_id} stopping")


def delete(call: Call, rollout_id: int) -> Reply:
    """The scheduler does it."""
    change_rollout(call, need_rollout(call, rollout_id), status=RolloutStatus.DELETING.value)
    return Reply(call.done_status, changed=f"rollout {rollout_id} deleting")


def trigger_next_group(call: Call, rollout_id: int) -> Reply:
    rollout = need_rollout(call, rollout_id)
    if rollout.status != RolloutStatus.RUNNING:
        raise wrong_state("Rollout is not in running state")
    if not any(group.status == GroupStatus.SCHEDULED for group in groups_of(call, rollout_id)):
        raise wrong_state("Rollout does not have any groups left to be triggered")
    if not rollout_groups.start_next_group(call, rollout):
        raise wrong_state("Cannot find any started rollout group to trigger next from")
    return Reply(204, changed=f"next group of rollout {rollout_id} triggered")


def retry(call: Call, rollout_id: int) -> Reply:
    """201: a new rollout for the targets that failed."""
    rollout = need_rollout(call, rollout_id)
    call.need("READ_ROLLOUT")
    if rollout.deleted:
        raise not_found("Rollout", rollout_id)
    if rollout.status != RolloutStatus.FINISHED:
        raise invalid("Rollout must be finished in order to be retried!")
    call.need("CREATE_ROLLOUT")
    again = Rollout(
        id=call.repo.store.next_id(ROLLOUT.name), name=f"{rollout.name}_retry", description=rollout.description,
        query=f"failedrollout=={rollout.id}", set_id=rollout.set_id, force_type=rollout.force_type,
        force_time_ms=rollout.force_time_ms, start_at_ms=rollout.start_at_ms, retry_of=rollout.id,
        created_by=call.user, created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip
    made = make(call, again, Plan(conditions=DEFAULTS))
    return Reply(201, rollout_document(call, made, single=True), changed=f"rollout {made.id} created")
