"""What actions and their history can be searched and sorted by (`ActionFields.java`, `ActionStatusFields.java`).

`look` is the call: the getters need its tenant's other records.
"""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.search.software_fields import AUDIT
from fleetrig.reference_server.platforms.hawkbit.search.target_fields import UPDATE_STATUSES
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, Status
from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT, ROLLOUT_GROUP
from fleetrig.reference_server.stores.interface import Kind

STATUSES: Final = tuple(
    status.value
    for status in (
        Status.FINISHED, Status.ERROR, Status.WARNING, Status.RUNNING, Status.CANCELED, Status.CANCELING,
        Status.RETRIEVED, Status.DOWNLOAD, Status.SCHEDULED, Status.CANCEL_REJECTED, Status.DOWNLOADED,
        Status.WAIT_FOR_CONFIRMATION,
    )
)  # fmt: skip
"""In the order in which the real server counts them."""


SET_PARTS: Final = ("id", "name", "version", "type.id", "type.key", "type.name")


def _plain(part: str, holds: Holds = Holds.TEXT) -> Field:
    return Field(lambda record, look: getattr(record, part), holds)


def _target(part: str, holds: Holds = Holds.TEXT) -> Field:
    def get(action: Action, look: Call) -> Any:
        target: Target | None = look.repo.target(look.tenant, action.controller_id)
        return getattr(target, part, None)

    return Field(get, holds, choices=UPDATE_STATUSES if holds is Holds.CHOICE else ())


def _set(part: str, holds: Holds = Holds.TEXT) -> Field:
    def get(action: Action, look: Call) -> Any:
        record = software.need_set(look, action.set_id)
        head, dot, rest = part.partition(".")
        return getattr(software.need_set_type(look, record.type_id), rest) if dot else getattr(record, head)

    return Field(get, Holds.NUMBER if part.endswith("id") and holds is Holds.TEXT else holds)


def _name_of(kind: Kind[Any], part: str) -> Field:
    """The name of the record whose id stands in `part` of an action."""

    def get(action: Action, look: Call) -> Any:
        record_id = getattr(action, part)
        return None if record_id is None else getattr(look.repo.store.get(kind, look.tenant, record_id), "name", None)

    return Field(get)


def _none(holds: Holds = Holds.TEXT) -> Field:
    """A field that no action has a value in."""
    return Field(lambda action, look: None, holds)


FIELDS: Final = {
    **AUDIT,
    "active": _plain("active", Holds.BOOLEAN),
    "status": Field(lambda action, look: str(action.status), Holds.CHOICE, choices=STATUSES),
    "lastStatusCode": _plain("last_status_code", Holds.NUMBER),
    "weight": _plain("weight", Holds.NUMBER),
    "target.controllerId": _target("controller_id"),
    "target.name": _target("name"),
    "target.updateStatus": _target("update_status", Holds.CHOICE),
    "target.address": _target("address"),
    **{f"distributionSet.{part}": _set(part) for part in SET_PARTS},
    "distributionSet.type": _set("type_id", Holds.RECORD),
    "rollout.id": _plain("rollout_id", Holds.NUMBER),
    "rollout.name": _name_of(ROLLOUT, "rollout_id"),
    "rolloutGroup.id": _plain("rollout_group_id", Holds.NUMBER),
    "rolloutGroup.name": _name_of(ROLLOUT_GROUP, "rollout_group_id"),
    "externalRef": _none(),
}
ACTION_FIELDS: Final = Fields(FIELDS)
OVER: Final = ("pending", "finished")
OLD_ACTION_FIELDS: Final = Fields(
    {
        **{name: field for name, field in FIELDS.items() if name != "active"},
        "status": Field(
            lambda action, look: "pending" if action.active else "finished",
            Holds.CHOICE,
            choices=("pending", "finished"),
        ),
        "detailStatus": FIELDS["status"],
    }
)


def action_fields(traits: Traits) -> Fields:
    """What actions are searched and sorted by; see `Traits.actions_tell_active`."""
    return ACTION_FIELDS if traits.actions_tell_active else OLD_ACTION_FIELDS


def _entry(part: str, holds: Holds = Holds.NUMBER) -> Field:
    return Field(lambda entry, look: getattr(entry, part), holds)


STATUS_FIELDS: Final = Fields(
    {
        "id": _entry("id"),
        "timestamp": _entry("timestamp_ms"),
        "reportedAt": _entry("reported_at_ms"),
        "createdAt": _entry("reported_at_ms"),
        "createdBy": _none(),
    }
)
