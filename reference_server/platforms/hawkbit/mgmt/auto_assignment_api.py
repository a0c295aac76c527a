"""`/autoassignments`: a set for whatever matches a query, with a life of its own (main branch after 1.1.0)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.assignment import force_type
from fleetrig.reference_server.platforms.hawkbit.mgmt.rollout_requests import NAMED, broken_weight, small
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import named_fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import audit, link, without_nulls
from fleetrig.reference_server.platforms.hawkbit.request.fields import as_object, boolean, integer, text
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.scheduling import auto_assignment_store
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.state import rules, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import DEFAULT_WEIGHT, ForceType
from fleetrig.reference_server.platforms.hawkbit.state.auto_assignment_records import (
    AUTO_ASSIGNMENT,
    AutoAssignment,
    AutoAssignStatus,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_all_found, not_readable, violations

TYPES: Final = {
    ForceType.FORCED: "forced",
    ForceType.SOFT: "soft",
    ForceType.TIMEFORCED: "timeforced",
    ForceType.DOWNLOADONLY: "download_only",
}
"""How a query calls them."""
MOVES: Final = {
    AutoAssignStatus.WAITING_FOR_APPROVAL: ("approve", "deny"),
    AutoAssignStatus.READY: ("start",),
    AutoAssignStatus.RUNNING: ("pause",),
    AutoAssignStatus.PAUSED: ("resume",),
}
"""The links that a status has."""


def _set(part: str) -> Field:
    return Field(lambda one, look: getattr(software.need_set(look, one.set_id), part))


FIELDS: Final = Fields(
    {
        **named_fields().fields,
        "status": Field(lambda one, look: str(one.status), Holds.CHOICE, choices=tuple(AutoAssignStatus)),
        "actionType": Field(lambda one, look: TYPES[one.action_type], Holds.CHOICE, choices=tuple(TYPES.values())),
        "approvalDecidedBy": Field(lambda one, look: one.decided_by),
        "distributionSet.name": _set("name"),
        "distributionSet.version": _set("version"),
    }
)


def create(call: Call) -> Reply:
    body = as_object(call.json)
    set_id = integer(body, "distributionSetId")
    draft = read_draft(call, body, set_id, action_type="actionType")
    call.need("READ_DISTRIBUTION_SET")
    auto_assignment_store.need_living_set(call, draft.set_id)
    one = make(call, draft)
    return Reply(201, document(call, one), changed=f"automatic assignment {one.id} created")


def read_draft(call: Call, body: dict[str, Any], set_id: int | None, *, action_type: str) -> AutoAssignment:
    """An assignment as asked for. Raises 400 for what cannot be read."""
    start_at_ms, weight = integer(body, "startAt"), small(body, "weight")
    kind, confirmation = force_type(body, action_type), boolean(body, "confirmationRequired")
    if set_id is None:
        raise not_readable("expected the id of a distribution set")
    return AutoAssignment(
        id=call.repo.store.next_id(AUTO_ASSIGNMENT.name), name=text(body, "name"),
        description=text(body, "description"), query=text(body, "targetFilterQuery") or "", set_id=set_id,
        action_type=(kind or ForceType.FORCED).value, start_at_ms=start_at_ms,
        weight=DEFAULT_WEIGHT if weight is None else weight,
        confirmation_required=call.config.confirmation_on if confirmation is None else confirmation,
        created_by=call.user, created_at_ms=call.now_ms, modified_by=call.user, modified_at_ms=call.now_ms,
    )  # fmt: skip


def make(call: Call, draft: AutoAssignment) -> AutoAssignment:
    """Raises 400, 403, 404, 409, 429."""
    call.need("CREATE_AUTO_ASSIGNMENT")
    broken = broken_weight("create.create", draft.weight)
    if not draft.query:
        broken.append("create.create.targetFilterQuery must not be empty.")
    if broken:
        raise violations(broken)
    return auto_assignment_store.make(call, draft)


def read_of_set(call: Call, set_id: int) -> Reply:
    """`GET /distributionsets/{id}/autoAssignments`."""
    call.need("READ_DISTRIBUTION_SET")
    call.need("READ_DISTRIBUTION_SET")
    software.need_set(call, set_id)
    found = call.repo.store.find(AUTO_ASSIGNMENT, call.tenant, "set", set_id)
    return page(call, found, FIELDS, lambda one: document(call, one), look=call)


def read_all(call: Call) -> Reply:
    found = call.repo.store.scan(AUTO_ASSIGNMENT, call.tenant)
    return page(call, found, FIELDS, lambda one: document(call, one), look=call)


def read(call: Call, assignment_id: int) -> Reply:
    return Reply(body=document(call, auto_assignment_store.need(call, assignment_id)))


def update(call: Call, assignment_id: int) -> Reply:
    """Name and description."""
    body = as_object(call.json)
    given = {name: text(body, name) for name in ("name", "description")}
    one = auto_assignment_store.need(call, assignment_id)
    changes = {name: value for name, value in given.items() if value is not None}
    stored = rules.as_stored(NAMED, {"name": one.name, **changes})
    one = auto_assignment_store.change(call, one, **stored)
    return Reply(body=document(call, one), changed=f"automatic assignment {assignment_id} changed")


def delete(call: Call, assignment_id: int) -> Reply:
    one = call.repo.store.get(AUTO_ASSIGNMENT, call.tenant, assignment_id)
    if one is None:
        raise not_all_found("AutoAssignment", [assignment_id], [])
    auto_assignment_store.delete(call, one)
    return Reply(204, changed=f"automatic assignment {assignment_id} deleted")


def approve(call: Call, assignment_id: int) -> Reply:
    return _decide(call, assignment_id, AutoAssignStatus.READY)


def deny(call: Call, assignment_id: int) -> Reply:
    return _decide(call, assignment_id, AutoAssignStatus.APPROVAL_DENIED)


def _decide(call: Call, assignment_id: int, after: AutoAssignStatus) -> Reply:
    auto_assignment_store.decide(call, assignment_id, after, call.query.get("remark"))
    return Reply(204, changed=f"automatic assignment {assignment_id} {after.value}")


def start(call: Call, assignment_id: int) -> Reply:
    return _move(call, assignment_id, AutoAssignStatus.READY, AutoAssignStatus.RUNNING, "ready")


def pause(call: Call, assignment_id: int) -> Reply:
    return _move(call, assignment_id, AutoAssignStatus.RUNNING, AutoAssignStatus.PAUSED, "running")


def resume(call: Call, assignment_id: int) -> Reply:
    return _move(call, assignment_id, AutoAssignStatus.PAUSED, AutoAssignStatus.RUNNING, "paused")


def _move(call: Call, assignment_id: int, before: AutoAssignStatus, after: AutoAssignStatus, word: str) -> Reply:
    auto_assignment_store.move(call, assignment_id, before, after, f"Auto assignment not {word}")
    return Reply(204, changed=f"automatic assignment {assignment_id} {after.value}")


def document(call: Call, one: AutoAssignment) -> dict[str, Any]:
    path = f"/autoassignments/{one.id}"
    record = software.need_set(call, one.set_id)
    links = {"self": link(call, path)}
    links |= {move: link(call, f"{path}/{move}") for move in MOVES.get(AutoAssignStatus(one.status), ())}
    links["distributionset"] = link(call, f"/distributionsets/{record.id}", f"{record.name}:{record.version}")
    return without_nulls(
        {
            **audit(one),
            "id": one.id,
            "name": one.name,
            "description": one.description,
            "targetFilterQuery": one.query,
            "distributionSetId": one.set_id,
            "status": str(one.status),
            "startAt": one.start_at_ms,
            "actionType": one.action_type,
            "weight": one.weight,
            "confirmationRequired": one.confirmation_required,
            "approvalDecidedBy": one.decided_by,
            "approvalRemark": one.remark,
            "_links": links,
        }
    )
