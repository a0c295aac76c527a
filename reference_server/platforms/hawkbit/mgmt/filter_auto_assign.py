"""`/targetfilters/{id}/autoAssignDS`: what a filter assigns by itself (§1.5). A way to the assignment of its name."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.hawkbit.mgmt.assignment import force_type
from fleetrig.reference_server.platforms.hawkbit.mgmt.auto_assignment_api import make, read_draft
from fleetrig.reference_server.platforms.hawkbit.mgmt.filters import full_filter_document, need_filter
from fleetrig.reference_server.platforms.hawkbit.mgmt.software_views import set_document
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.scheduling import auto_assignment_store
from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.errors import crash
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET_FILTER, TargetFilter


def read(call: Call, filter_id: int) -> Reply:
    """204 when nothing is assigned."""
    one = auto_assignment_store.linked(call, need_filter(call, filter_id))
    if one is None:
        return Reply(204)
    return Reply(body=set_document(call, software.need_set(call, one.set_id), single=True))


def switch_on(call: Call, filter_id: int) -> Reply:
    """`POST {"id","type"?,"weight"?,"confirmationRequired"?}`. Locks the set. Raises 400, 404, 429."""
    body = fields.as_object(call.json)
    set_id = fields.integer(body, "id")
    force_type(body, "type")
    target_filter = need_filter(call, filter_id)
    if set_id is None:
        raise crash("the real server breaks without the id of a set")
    named = {**body, "name": target_filter.name, "targetFilterQuery": target_filter.query, "description": None}
    draft = read_draft(call, {**named, "startAt": None}, set_id, action_type="type")
    call.need("READ_DISTRIBUTION_SET")
    auto_assignment_store.need_living_set(call, draft.set_id)
    call.need("UPDATE_TARGET")
    before = auto_assignment_store.linked(call, target_filter)
    if before is not None:
        auto_assignment_store.delete(call, before)
    make(call, draft)
    target_filter = touched(call, target_filter)
    body_of_filter = full_filter_document(call, target_filter)
    return Reply(body=body_of_filter, changed=f"filter {filter_id} assigns set {set_id}")


def switch_off(call: Call, filter_id: int) -> Reply:
    call.need("READ_TARGET")
    target_filter = touched(call, need_filter(call, filter_id))
    one = auto_assignment_store.named(call, target_filter.name)
    if one is not None:
        auto_assignment_store.delete(call, one)
    return Reply(204, changed=f"filter {filter_id} assigns nothing")


def touched(call: Call, one: TargetFilter) -> TargetFilter:
    """A change of what a filter assigns is a change of the filter."""
    one = replace(one, modified_by=call.user, modified_at_ms=call.now_ms)
    call.repo.store.put(TARGET_FILTER, call.tenant, one)
    return one
