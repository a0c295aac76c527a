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
