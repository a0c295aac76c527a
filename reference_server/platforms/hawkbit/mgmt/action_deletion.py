"""Deleting actions: which states allow it (`action.delete.allowed.statuses`), and the ids in a request (§1.3)."""

from __future__ import annotations

from collections.abc import Iterable

from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.replies import JSON
from fleetrig.reference_server.platforms.hawkbit.search.action_fields import STATUSES
from fleetrig.reference_server.platforms.hawkbit.state import deployments
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action
from fleetrig.reference_server.platforms.hawkbit.state.errors import REPOSITORY, HawkbitError

IN_LIST = "{} actions from ID list are not in allowed statuses for deletion"
BY_QUERY = "{} actions matching the rsql filter are not in allowed statuses for deletion"
BY_ID = "Status of action with id {} is not in allowed values for deletion"


def ids_in_body(call: Call) -> list[int | None]:
    """The list of ids that a request may bring. A body of a type that cannot be read counts as none."""
    sent = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not call.has_body or not (sent == JSON or sent.endswith("+json")):
        return []
    return [fields.integer({"id": item}, "id") for item in fields.as_list(call.json)]


def is_deletable(call: Call, action: Action) -> bool:
    return action.status in _allowed(call)


def deletable(call: Call, action_ids: Iterable[int | None]) -> list[Action]:
    """Those of the ids that there are, of any target. Raises 405 when one is not in a state to be deleted."""
    wanted = [action_id for action_id in dict.fromkeys(action_ids) if action_id is not None]
    known = [action for action_id in wanted if (action := deployments.find_action(call, action_id)) is not None]
    check(call, known, IN_LIST)
    return known


def check(call: Call, doomed: list[Action], message: str) -> None:
    """Raises 405 with `message`, their number in it, when some are in a state in which none is deleted."""
    wrong = sum(not is_deletable(call, action) for action in doomed)
    if wrong:
        words = ", ".join(word.upper() for word in _allowed(call))
        java_class = REPOSITORY + "DeleteActionNotAllowedException"
        raise HawkbitError(405, "action.notDeletable", java_class, f"{message.format(wrong)}: [{words}]")


def _allowed(call: Call) -> list[str]:
    """In the order in which the real server counts them."""
    words = {word.strip().lower() for word in call.config.values["action.delete.allowed.statuses"].split(",")}
    return [status for status in STATUSES if status in words]
