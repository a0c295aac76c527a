"""An update that waits until its device has confirmed it (§2.7): to people it looks as if nothing happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts
from fleetrig.harness.platforms.hawkbit.settings import CONFIRMATION_FLOW
from fleetrig.harness.servers.json_answer import read_json

WAITS: Final = "wait_for_confirmation"
LINKED: Final = re.compile(r"/confirmationBase/(\d+)")


def confirmation(facts: Facts) -> Iterator[Diagnosis]:
    """The action that waits, by the device's own poll or by what the account sees."""
    action_id = _linked(facts) or facts.waits
    if not action_id:
        return
    target = f"/rest/v1/targets/{quote(facts.controller_id, safe='')}"
    yield Diagnosis(
        "waits-for-confirmation", Weight.NOTE,
        f"Action {action_id} of {quoted(facts.controller_id)} waits until the device confirms it: {CONFIRMATION_FLOW} "
        "is on, or was when the update was assigned. Until then the poll links confirmationBase and no "
        "deploymentBase, so a device that does not know confirmationBase, or has denied, never begins.",
        "Let the device POST {\"confirmation\": \"confirmed\"} to "
        f"confirmationBase/{action_id}/feedback, or confirm in its place:",
        facts.shell.curl("PUT", f"{target}/actions/{action_id}/confirmation", {"confirmation": "confirmed"}),
    )  # fmt: skip


def waiting_in(actions: Any) -> str:
    """The id of an action that waits, from a page of actions; empty when none does."""
    found = actions.get("content") if isinstance(actions, dict) else None
    for action in found if isinstance(found, list) else ():
        # Up to 0.9 an action's own status was its detailStatus.
        if isinstance(action, dict) and WAITS in (action.get("status"), action.get("detailStatus")):
            return str(action.get("id", ""))
    return ""


def _linked(facts: Facts) -> str:
    try:
        href = read_json(facts.answer.body)["_links"]["confirmationBase"]["href"] if facts.answer is not None else ""
    except (ValueError, TypeError, LookupError):
        return ""
    found = LINKED.search(str(href))
    return "" if found is None else found[1]
