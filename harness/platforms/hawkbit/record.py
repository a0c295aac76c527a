"""A target as the registry shows it, under the words of scenario files."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall

ASSIGNMENTS: Final = {"installed": "installedDS", "assigned": "assignedDS"}


def read_record(admin: HawkbitAdmin, serial: str, wanted: frozenset[str], prefix: str = "") -> AdminCall[Record | None]:
    """A target with as much of what hangs on it as is wanted; a type that the run made without the run's prefix.

    Raises BrokenBench for a token that is not shown.
    """
    target = yield from admin.target(serial)
    if target is None:
        return None
    token = target.get("securityToken")
    if "token" in wanted and token is None:
        raise BrokenBench(f"{admin.url} does not show tokens to the account {admin.account.user!r}, "
                          "so tokens_differ cannot be judged; it needs READ_TARGET_SECURITY_TOKEN")  # fmt: skip
    attributes = (yield from admin.attributes(serial)) if "attributes" in wanted else {}
    kind = target.get("targetTypeName")
    fields: dict[str, Json] = {
        "created_by": target.get("createdBy"),
        "name": target.get("name"),
        "type": kind if kind is None else str(kind).removeprefix(prefix),
    }
    for word, which in ASSIGNMENTS.items():
        if word in wanted:
            fields[word] = yield from admin.set_version(serial, which)
    if wanted & {"action", "open_actions"}:
        actions = yield from admin.actions(serial)
        fields["action"] = actions[0]["status"] if actions else None
        fields["open_actions"] = sum(bool(action.get("active")) for action in actions)
    return Record(serial, str(target.get("updateStatus")), attributes, fields, token)
