"""`/rest/v1/actions`: the actions of all targets (§1.3)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt import action_deletion
from fleetrig.reference_server.platforms.hawkbit.mgmt.target_actions import action_document, full_action_document
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.search.action_fields import action_fields
from fleetrig.reference_server.platforms.hawkbit.search.listing import stored_page, with_moments
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.sources import Stored
from fleetrig.reference_server.platforms.hawkbit.state import deployments
from fleetrig.reference_server.platforms.hawkbit.state.action_records import ACTION, Action
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_found, not_readable

FULL = "full"


def listed(call: Call) -> Reply | Steps:
    """Newest first. `representation=full` gives each with all its links; any other word is as good as none."""
    is_full = call.query.get("representation", "").lower() == FULL

    def document(action: Action) -> dict[str, Any]:
        return _full(call, action) if is_full else action_document(call, action)

    return stored_page(call, Stored(ACTION), action_fields(call.traits), document, look=call, newest_first=True)


def read(call: Call, action_id: int) -> Reply:
    return Reply(body=_full(call, _need(call, action_id)))


def delete(call: Call, action_id: int) -> Reply:
    """Raises 404, 405 for an action in a state in which none is deleted."""
    action = _need(call, action_id)
    action_deletion.check(call, [action], action_deletion.BY_ID.format(action_id))
    deployments.remove(call.repo, call.tenant, action)
    return Reply(call.done_status, changed=f"action {action_id} deleted")


def delete_many(call: Call) -> Reply:
    """Either what `?q=` finds or the ids in the body, unknown ones left out. Raises 400 for both or neither, 405."""
    query, action_ids = call.joined("q") or "", action_deletion.ids_in_body(call)
    if bool(query) == bool(action_ids):
        raise not_readable("expected either q or a list of action ids")
    call.need("UPDATE_TARGET")
    if query:
        match = compiled(with_moments(call, query), action_fields(call.traits))
        doomed = [action for action in call.repo.store.scan(ACTION, call.tenant) if match(action, call)]
        action_deletion.check(call, doomed, action_deletion.BY_QUERY)
    else:
        if None in action_ids:
            raise not_readable("null in the list of action ids")
        doomed = action_deletion.deletable(call, action_ids)
    for action in doomed:
        deployments.remove(call.repo, call.tenant, action)
    return Reply(call.done_status, changed=f"{len(doomed)} actions deleted")


def _full(call: Call, action: Action) -> dict[str, Any]:
    return full_action_document(call, call.repo.need_target(call.tenant, action.controller_id), action)


def _need(call: Call, action_id: int) -> Action:
    action = deployments.find_action(call, action_id)
    if action is None:
        raise not_found("Action", action_id)
    return action
