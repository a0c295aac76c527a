"""Reading `/rollouts`, their groups and the targets of these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.mgmt.rollout_documents import group_document, rollout_document
from fleetrig.reference_server.platforms.hawkbit.mgmt.tags import named_fields
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_documents import target_page
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.scheduling.rollout_store import (
    groups_of,
    members_of,
    need_group,
    need_rollout,
)
from fleetrig.reference_server.platforms.hawkbit.search.listing import page
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.search.sources import Chosen, Derived, Stored
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Action
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_found, not_readable
from fleetrig.reference_server.platforms.hawkbit.state.records import Target
from fleetrig.reference_server.platforms.hawkbit.state.rollout_records import ROLLOUT, Rollout, RolloutStatus


def _set(part: str) -> Field:
    def get(rollout: Rollout, look: Call) -> Any:
        record = software.need_set(look, rollout.set_id)
        return software.need_set_type(look, record.type_id).key if part == "type" else getattr(record, part)

    return Field(get, Holds.NUMBER if part == "id" else Holds.TEXT)


GROUP_FIELDS: Final = named_fields("description")
ROLLOUT_FIELDS: Final = Fields(
    {
        **GROUP_FIELDS.fields,
        "status": Field(lambda rollout, look: str(rollout.status), Holds.CHOICE, choices=tuple(RolloutStatus)),
        **{f"distributionSet.{part}": _set(part) for part in ("id", "name", "version", "type")},
    }
)
TARGET_SORTS: Final = named_fields("description")
"""What targets of a group are sorted by: the fields that a rollout has too."""
SOFT_DELETED: Final[dict[str, Callable[[Rollout], bool]]] = {
    "ONLY_SOFT_DELETED": lambda rollout: rollout.deleted,
    "EXCLUDE_SOFT_DELETED": lambda rollout: not rollout.deleted,
    "INCLUDE_SOFT_DELETED": lambda rollout: True,
}


def read_rollouts(call: Call) -> Reply:
    """Without soft deleted ones, unless asked for."""
    full = is_full(call)
    shown = SOFT_DELETED.get(call.query.get("soft_deleted_mode", "") or "EXCLUDE_SOFT_DELETED")
    if shown is None:
        raise not_readable(f"soft_deleted_mode: expected one of {', '.join(SOFT_DELETED)}")
    found = [rollout for rollout in call.repo.store.scan(ROLLOUT, call.tenant) if shown(rollout)]
    return page(call, found, ROLLOUT_FIELDS, lambda rollout: rollout_document(call, rollout, single=full), look=call)


def read_rollout(call: Call, rollout_id: int) -> Reply:
    return Reply(body=rollout_document(call, need_rollout(call, rollout_id), single=True))


def read_groups(call: Call, rollout_id: int) -> Reply:
    full = is_full(call)
    rollout = need_rollout(call, rollout_id)
    return page(
        call,
        groups_of(call, rollout_id),
        GROUP_FIELDS,
        lambda group: group_document(call, rollout, group, full=full),
        sorts=ROLLOUT_FIELDS,
        look=call,
    )


def read_group(call: Call, rollout_id: int, group_id: int) -> Reply:
    rollout, group = need_rollout(call, rollout_id), need_group(call, group_id)
    if group.rollout_id != rollout_id:
        raise not_found("RolloutGroup", group_id)
    return Reply(body=group_document(call, rollout, group, full=True))


def read_group_targets(call: Call, rollout_id: int, group_id: int) -> Reply | Steps:
    """Those of a group, whatever rollout it is of. Before the start the members, later those with an action."""
    need_rollout(call, rollout_id)
    call.need("READ_TARGET")
    group = need_group(call, group_id)
    by_members = need_rollout(call, group.rollout_id).status == RolloutStatus.READY or "q" in call.query
    if by_members:
        members = Chosen(members_of(call, group_id), partial(call.repo.target, call.tenant), by=_number)
        return target_page(call, members, sorts=TARGET_SORTS)
    actions = Stored(ACTION, of=("rollout_group", group_id))
    return target_page(call, Derived(actions, partial(_target_of, call), by=_number), sorts=TARGET_SORTS)


def _target_of(call: Call, action: Action) -> Target | None:
    return call.repo.target(call.tenant, action.controller_id)


def _number(target: Target) -> int:
    return target.id


def is_full(call: Call) -> bool:
    """`representation=full`; anything else is compact."""
    return call.query.get("representation", "").lower() == "full"
