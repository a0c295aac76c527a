"""The keys of a tenant's configuration and the form of their values: hawkBit 1.1, and 0.9 where it had others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from fleetrig.harness.scenario_file.values import Flag, Text, Whole, written_as
from fleetrig.simulator.contract.header_text import why_no_header_text

TARGET_MODE: Final = "authentication.targettoken.enabled"
"""Devices may authenticate with their own token."""
GATEWAY_MODE: Final = "authentication.gatewaytoken.enabled"
"""Devices may authenticate with the tenant's gateway token."""
GATEWAY_KEY: Final = "authentication.gatewaytoken.key"
HEADER_MODE: Final = "authentication.header.enabled"
"""Devices may authenticate with a certificate that a reverse proxy checks."""
HEADER_AUTHORITY: Final = "authentication.header.authority"
CONFIRMATION_FLOW: Final = "user.confirmation.flow.enabled"
"""Devices are asked before an update."""
POLLING_TIME: Final = "pollingTime"
POLLING_OVERDUE_TIME: Final = "pollingOverdueTime"


def _header_text(text: str) -> str:
    if why := why_no_header_text(text):
        raise ValueError(f"a token that devices can send was expected, but this one {why}")
    return text


HeaderText = Annotated[str, AfterValidator(_header_text)]
_DURATION: Final = r"([-+]?\d+(:[-+]?\d+){0,2}|P[-+0-9DTHMS.,]+)"
_INTERVAL: Final = rf"\s*{_DURATION}\s*(~\d{{1,2}}%)?\s*"
Duration = Annotated[str, written_as(_DURATION, "a duration such as 00:05:00 or PT5M")]
PollingTime = Annotated[
    str,
    written_as(
        rf"{_INTERVAL}(,[^,]*->{_INTERVAL})*",
        "a polling time such as 00:05:00, PT5M, 00:05:00~10% (at most 99%) or 00:05:00, group == 'fast' -> 00:00:30",
    ),
]

SETTINGS: Final[Mapping[str, Any]] = {
    TARGET_MODE: Flag,
    GATEWAY_MODE: Flag,
    GATEWAY_KEY: HeaderText,
    HEADER_MODE: Flag,
    HEADER_AUTHORITY: str,
    POLLING_TIME: PollingTime,
    POLLING_OVERDUE_TIME: Duration,
    "maintenanceWindowPollCount": Whole,
    "repository.actions.autoclose.enabled": Flag,
    CONFIRMATION_FLOW: Flag,
    "rollout.approval.enabled": Flag,
    "auto.assignment.approval.enabled": Flag,
    "batch.assignments.enabled": Flag,
    "implicit.lock.enabled": Flag,
    "action.cleanup.auto.expiry": Whole,
    "action.cleanup.auto.status": Text,
    "action.cleanup.onQuotaHit.percent": Whole,
    "action.delete.allowed.statuses": Text,
    # Of 0.9 only:
    "minPollingTime": Duration,
    "multi.assignments.enabled": Flag,
    "action.cleanup.enabled": Flag,
    "action.cleanup.actionExpiry": Whole,
    "action.cleanup.actionStatus": Text,
}
"""Key -> the form of its value."""

_MAKES_ROOM: Final = "of 0.9, which 1.1 calls action.cleanup.auto."
NOTES: Final[Mapping[str, str]] = {
    TARGET_MODE: "Devices may authenticate with their own token.",
    GATEWAY_MODE: "Devices may authenticate with the tenant's gateway token.",
    GATEWAY_KEY: "The gateway token; a run makes one where devices have it and this is not given.",
    HEADER_MODE: "Devices may authenticate with a certificate, which a proxy in front of the server checks.",
    HEADER_AUTHORITY: "Which authorities the tenant trusts, as the proxy tells of them, with commas; a run "
    "lists its own.",
    POLLING_TIME: "How often devices shall poll: 00:05:00, PT5M, 00:05:00~10%. Less than 30 s needs "
    "hawkbit.fast_polling.",
    POLLING_OVERDUE_TIME: "How long after its polling time a device is overdue: 00:05:00 or PT5M.",
    "maintenanceWindowPollCount": "How often a device that waits for a maintenance window polls until it opens.",
    "repository.actions.autoclose.enabled": "A new assignment closes the actions before it at once; otherwise "
    "the device is asked to cancel them.",
    CONFIRMATION_FLOW: "Devices are asked before an update.",
    "rollout.approval.enabled": "Somebody has to approve a rollout before it starts.",
    "auto.assignment.approval.enabled": "Somebody has to approve an automatic assignment.",
    "batch.assignments.enabled": "The server tells of many assignments at once, to those that hear its messages.",
    "implicit.lock.enabled": "Distribution sets and modules are locked as soon as they are assigned.",
    "action.cleanup.auto.expiry": "How old actions must be to be cleaned up, in milliseconds; -1: never.",
    "action.cleanup.auto.status": "Of which states, with commas: CANCELED,ERROR.",
    "action.cleanup.onQuotaHit.percent": "How much of a target's old actions goes when its quota of actions is "
    "full; 0: none.",
    "action.delete.allowed.statuses": "Which actions may be deleted by hand, by their states, with commas.",
    "minPollingTime": "The least interval between two polls; of 0.9, where the tenant has it.",
    "multi.assignments.enabled": "Several updates can be open at once; of 0.9.",
    "action.cleanup.enabled": "Old actions are cleaned up; of 0.9.",
    "action.cleanup.actionExpiry": f"The age of actions, {_MAKES_ROOM}expiry.",
    "action.cleanup.actionStatus": f"The states of actions, {_MAKES_ROOM}status.",
}
"""Setting -> a sentence for editors."""

NEEDED_MODES: Final = {
    "target_token": TARGET_MODE,
    "wrong_target_token": TARGET_MODE,
    "gateway_token": GATEWAY_MODE,
    "certificate": HEADER_MODE,
    "untrusted_certificate": HEADER_MODE,
    "expired_certificate": HEADER_MODE,
    "foreign_certificate": HEADER_MODE,
}
"""Credential -> the setting that enables it."""

CERTIFICATES: Final = frozenset(word for word, mode in NEEDED_MODES.items() if mode == HEADER_MODE)
"""Credentials that are certificates: good, of an authority that nobody trusts, out of date, of another unit."""
