"""Assigning through Mgmt: `…/distributionsets/{id}/assignedTargets` and `…/targets/{id}/assignedDS` (§1.3, §1.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import set_document
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import INT_MAX, Call
from fleetrig.reference_server.platforms.hawkbit.request.documents import link
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state import maintenance, software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ForceType
from fleetrig.reference_server.platforms.hawkbit.state.assignment import Assigned, Assignment, assign, assign_offline
from fleetrig.reference_server.platforms.hawkbit.state.errors import (
    REPOSITORY,
    HawkbitError,
    crash,
    not_readable,
    violations,
)

GREATEST_WEIGHT = 1000
REQUESTS = "assignDistributionSets.deploymentRequests"


def assign_targets(call: Call, set_id: int) -> Reply:
    """`POST /distributionsets/{id}/assignedTargets[?offline=true]`."""
    bodies = fields.as_new_objects(call.array)
    call.need("READ_DISTRIBUTION_SET")
    controller_ids = [_controller_id(body) for body in bodies]
    if call.boolean("offline"):
        return _reply(call, assign_offline(call, [(controller_id, set_id) for controller_id in controller_ids]))
    wanted = [_assignment(call, one, set_id, body) for one, body in zip(controller_ids, bodies, strict=True)]
    return _assign(call, wanted)


def assign_set(call: Call, controller_id: str) -> Reply:
    """`POST /targets/{id}/assignedDS[?offline=true]`. Raises 404 for an unknown target."""
    bodies = fields.as_new_objects(call.json)
    for body in bodies:
        _check_readable(body)
    offline = call.boolean("offline")
    if not offline:
        call.need("READ_TARGET")
        call.repo.need_target(call.tenant, controller_id)
    call.need("UPDATE_TARGET")
    call.need("READ_DISTRIBUTION_SET")
    if offline:
        return _reply(call, assign_offline(call, [(controller_id, _set_id(body)) for body in bodies]))
    return _assign(call, [_assignment(call, controller_id, _set_id(body), body) for body in bodies])


def _assign(call: Call, wanted: list[Assignment]) -> Reply:
    """Raises 400 for nothing to assign and a weight out of range, and whatever `assign` raises."""
    if not wanted:
        raise violations([f"{REQUESTS} must not be empty."])
    broken = [sentence for number, one in enumerate(wanted) for sentence in _broken_weight(number, one.weight)]
    if broken:
        raise violations(broken)
    return _reply(call, assign(call, wanted))


def _broken_weight(number: int, weight: int | None) -> list[str]:
    path = f"{REQUESTS}[{number}].targetWithActionType.weight"
    if weight is None or 0 <= weight <= GREATEST_WEIGHT:
        return []
    limit = "greater than or equal to 0" if weight < 0 else f"less than or equal to {GREATEST_WEIGHT}"
    return [f"{path} must be {limit}."]


def read_assigned_set(call: Call, controller_id: str) -> Reply:
    """204 when there is none, also for an unknown target."""
    target = call.repo.target(call.tenant, controller_id)
    return _set_reply(call, None if target is None else target.assigned_set_id)


def read_installed_set(call: Call, controller_id: str) -> Reply:
    """204 when there is none, also for an unknown target."""
    target = call.repo.target(call.tenant, controller_id)
    return _set_reply(call, None if target is None else target.installed_set_id)


def _set_reply(call: Call, set_id: int | None) -> Reply:
    if set_id is None:
        return Reply(204)
    return Reply(body=set_document(call, software.need_set(call, set_id), single=True))


def _reply(call: Call, assigned: Assigned) -> Reply:
    """`assigned` counts new actions, `alreadyAssigned` the targets that got none."""
    links = [
        {
            "id": action.id,
            "_links": {"self": link(call, f"/targets/{quote(action.controller_id, safe='')}/actions/{action.id}")},
        }
        for action in assigned.actions
    ]
    body = {
        "alreadyAssigned": assigned.already,
        "assigned": len(assigned.actions),
        "assignedActions": links,
        "total": assigned.total,
    }
    ids = ", ".join(str(action.id) for action in assigned.actions[:10])
    return Reply(body=body, changed=f"actions {ids} created" if ids else "")


def _controller_id(body: dict[str, Any]) -> str:
    controller_id = fields.text(body, "id")
    if controller_id is None:
        problem = "expected objects with the id of a target"
        raise crash(problem) if "id" in body else not_readable(problem)
    return controller_id


def _set_id(body: dict[str, Any]) -> int:
    set_id = fields.integer(body, "id")
    if set_id is None:
        raise crash("an assignment without the id of a distribution set")
    return set_id


def _check_readable(body: dict[str, Any]) -> None:
    """The body is read before anything is looked up. Raises 400."""
    if "id" not in body:
        raise not_readable("expected the id of a distribution set")
    for name in ("id", "weight", "forcetime"):
        fields.integer(body, name)
    fields.boolean(body, "confirmationRequired")
    force_type(body, "type")


def _assignment(call: Call, controller_id: str, set_id: int, body: dict[str, Any]) -> Assignment:
    """Raises 400 for an unknown type, a time that is null and a window that never opens."""
    weight = fields.integer(body, "weight")
    if weight is not None and not -INT_MAX - 1 <= weight <= INT_MAX:
        raise not_readable(f"weight: {weight} does not fit into 32 bits")
    kind, force_time_ms = force_type(body, "type") or ForceType.FORCED, fields.integer(body, "forcetime")
    if "forcetime" in body and force_time_ms is None:
        raise not_readable("forcetime: expected a number, got null")
    confirmation = fields.boolean(body, "confirmationRequired")
    schedule, duration, timezone = _window(call, body)
    return Assignment(
        controller_id,
        set_id,
        kind,
        force_time_ms or 0,
        weight,
        schedule,
        duration,
        timezone,
        call.config.confirmation_on if confirmation is None else confirmation,
    )


def force_type(body: dict[str, Any], name: str) -> ForceType | None:
    """By its word or its place among them. Raises 400 for a word that is none."""
    given = body.get(name)
    if type(given) is int and 0 <= given < len(ForceType):
        return tuple(ForceType)[given]
    word = fields.text(body, name)
    if word is None:
        return None
    try:
        return ForceType(word)
    except ValueError:
        raise not_readable(f"{name}: expected one of {', '.join(ForceType)}, got {word[:50]!r}") from None


def _window(call: Call, body: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    if body.get("maintenanceWindow") is None:
        return None, None, None
    window = fields.as_object(body["maintenanceWindow"], "maintenanceWindow")
    schedule, duration, timezone = (fields.text(window, name) or None for name in ("schedule", "duration", "timezone"))
    try:
        maintenance.check(schedule, duration, timezone, call.now_us)
    except maintenance.BadWindow as wrong:
        java_class = REPOSITORY + "InvalidMaintenanceScheduleException"
        raise HawkbitError(400, "maintenanceScheduleInvalid", java_class, str(wrong)) from None
    return schedule, duration, timezone
