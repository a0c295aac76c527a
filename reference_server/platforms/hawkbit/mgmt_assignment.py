"""Assigning through Mgmt: `…/distributionsets/{id}/assignedTargets` and `…/targets/{id}/assignedDS` (§1.3, §1.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reference_server.platforms.hawkbit import fields, maintenance, software
from reference_server.platforms.hawkbit.action_records import ForceType
from reference_server.platforms.hawkbit.assignment import Assigned, Assignment, assign, assign_offline
from reference_server.platforms.hawkbit.call import Call
from reference_server.platforms.hawkbit.documents import link
from reference_server.platforms.hawkbit.errors import REPOSITORY, HawkbitError, not_readable, violations
from reference_server.platforms.hawkbit.records import Target
from reference_server.platforms.hawkbit.replies import Reply
from reference_server.platforms.hawkbit.software_views import set_document

GREATEST_WEIGHT = 1000


def assign_targets(call: Call, set_id: int) -> Reply:
    """`POST /distributionsets/{id}/assignedTargets[?offline=true]`."""
    bodies = fields.as_objects(call.array)
    if call.boolean("offline"):
        return _reply(call, assign_offline(call, [(_controller_id(body), set_id) for body in bodies]))
    return _reply(call, assign(call, [_assignment(call, _controller_id(body), set_id, body) for body in bodies]))


def assign_set(call: Call, controller_id: str) -> Reply:
    """`POST /targets/{id}/assignedDS[?offline=true]`. Raises 404 for an unknown target."""
    bodies = fields.as_objects(call.json)
    if call.boolean("offline"):
        return _reply(call, assign_offline(call, [(controller_id, _set_id(body)) for body in bodies]))
    call.repo.need_target(call.tenant, controller_id)
    return _reply(call, assign(call, [_assignment(call, controller_id, _set_id(body), body) for body in bodies]))


def read_assigned_set(call: Call, controller_id: str) -> Reply:
    """204 when there is none."""
    target = call.repo.need_target(call.tenant, controller_id)
    return _set_reply(call, target, target.assigned_set_id)


def read_installed_set(call: Call, controller_id: str) -> Reply:
    """204 when there is none."""
    target = call.repo.need_target(call.tenant, controller_id)
    return _set_reply(call, target, target.installed_set_id)


def _set_reply(call: Call, target: Target, set_id: int | None) -> Reply:
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
        raise not_readable("expected objects with the id of a target")
    return controller_id


def _set_id(body: dict[str, Any]) -> int:
    set_id = fields.integer(body, "id")
    if set_id is None:
        raise not_readable("expected the id of a distribution set")
    return set_id


def _assignment(call: Call, controller_id: str, set_id: int, body: dict[str, Any]) -> Assignment:
    """Raises 400 for an unknown type, a weight out of range and a window that never opens."""
    weight = fields.integer(body, "weight")
    if weight is not None and not 0 <= weight <= GREATEST_WEIGHT:
        raise violations([f"weight must be between 0 and {GREATEST_WEIGHT}."])
    confirmation = fields.boolean(body, "confirmationRequired")
    schedule, duration, timezone = _window(call, body)
    return Assignment(
        controller_id,
        set_id,
        force_type(body, "type") or ForceType.FORCED,
        fields.integer(body, "forcetime") or 0,
        weight,
        schedule,
        duration,
        timezone,
        call.config.confirmation_on if confirmation is None else confirmation,
    )


def force_type(body: dict[str, Any], name: str) -> ForceType | None:
    """Raises 400 for a word that is none."""
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
