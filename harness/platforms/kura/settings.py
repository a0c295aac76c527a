"""What an operator configures for a run: its accounts, what holds in each, and the requests made beforehand.

Keys of an account's services have the names that Kapua's REST API gives them (spec 5.1, 5.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fleetrig.harness.platforms.kura.request_terms import RequestTerms
from fleetrig.harness.scenario_file.values import Count, Flag, PositiveCount, written_as

ACCOUNTS: Final = "accounts"
PROVISION_REQUEST: Final = "provision_request"
ALL_DEVICES: Final = "infiniteChildEntities"
MOST_DEVICES: Final = "maxNumberChildEntities"
UNPROVISIONED: Final = "allowNewUnprovisionedDevices"
COUPLING: Final = "deviceConnectionUserCouplingDefaultMode"
LOCKS: Final = "lockoutPolicy.enabled"
MOST_FAILURES: Final = "lockoutPolicy.maxFailures"
FORGETS_FAILURES: Final = "lockoutPolicy.resetAfter"
LOCKED_FOR: Final = "lockoutPolicy.lockDuration"

OF_CREDENTIALS: Final = (LOCKS, MOST_FAILURES, FORGETS_FAILURES, LOCKED_FOR)
"""Of its credential service."""

MOST_ACCOUNTS: Final = 8
USUAL_ACCOUNTS: Final = ("acct",)

AccountName = Annotated[str, written_as(r"[a-z][a-z0-9-]{0,39}", "a name of up to 40 small letters, digits and -")]


def _differing(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("expected names that differ from each other")
    return names


Accounts = Annotated[tuple[AccountName, ...], Field(min_length=1, max_length=MOST_ACCOUNTS), AfterValidator(_differing)]

NONE: Final = "none"


def _terms_or_none(value: Any) -> Any:
    """One form with a word beside it: a union would tell each mistake twice."""
    if value == NONE:
        return None
    if not isinstance(value, Mapping | RequestTerms):
        raise ValueError("expected none, or the terms of a request, such as {activation_key: true}")
    return value


Terms = Annotated[
    RequestTerms | None, BeforeValidator(_terms_or_none, json_schema_input_type=RequestTerms | Literal["none"])
]
"""None: no device has a request."""

OF_SERVICES: Final[Mapping[str, Any]] = {
    ALL_DEVICES: Flag,
    MOST_DEVICES: Count,
    UNPROVISIONED: Flag,
    COUPLING: Literal["LOOSE", "STRICT"],
    LOCKS: Flag,
    MOST_FAILURES: PositiveCount,
    FORGETS_FAILURES: PositiveCount,
    LOCKED_FOR: PositiveCount,
}
"""What can be changed while a run goes on; it holds in all accounts of the run."""

SETTINGS: Final[Mapping[str, Any]] = {
    ACCOUNTS: Accounts,
    PROVISION_REQUEST: Terms,
    **OF_SERVICES,
}
"""Key -> the form of its value."""

NOTES: Final[Mapping[str, str]] = {
    ACCOUNTS: "The accounts of the run; devices that are configured by hand and requests that name none use the first. "
    "Several have a signing certificate each, as accounts of several instances have.",
    PROVISION_REQUEST: "Made for each device beforehand, with the usual terms when not given; none: no device has one.",
    ALL_DEVICES: "Any number of devices may register themselves by their BIRTH; true when not given.",
    MOST_DEVICES: "How many devices an account may have, with infiniteChildEntities: false.",
    UNPROVISIONED: "false: only devices with a provision request may register; no public name of this switch is known.",
    COUPLING: "How connections are coupled to users where nothing else is said: LOOSE, or STRICT (always "
    "the same user).",
    LOCKS: "Credentials are locked after too many wrong passwords.",
    MOST_FAILURES: "After how many.",
    FORGETS_FAILURES: "After so many seconds wrong passwords are forgotten.",
    LOCKED_FOR: "For how many seconds credentials are locked.",
}

BOOTSTRAP: Final = frozenset({"bootstrap", "wrong_password", "wrong_activation_key", "no_activation_key"})
"""Credentials of devices that provision themselves; those with `password` are configured by hand."""


def chosen(given: Mapping[str, Any], credential: str) -> dict[str, Any]:
    """All settings; what a scenario says itself wins.

    A device limit is what a scenario asks for; without one any device may register (Kapua's own default is: none).
    """
    usual: dict[str, Any] = {
        ACCOUNTS: USUAL_ACCOUNTS,
        PROVISION_REQUEST: RequestTerms() if credential in BOOTSTRAP else None,
        ALL_DEVICES: MOST_DEVICES not in given,
    }
    return {**usual, **given}
