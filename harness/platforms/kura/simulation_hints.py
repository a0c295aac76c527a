"""What to do next when a server does not let gateways of a simulation in (spec 1.2, 1.6, 5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BAD_CREDENTIALS: Final = frozenset({"CONNACK 4", "CONNACK 5"})
BAD_ID: Final = "CONNACK 2"
BUSY: Final = "CONNACK 3"
SILENT: Final = frozenset({"timeout", "closed", "reset"})

NO_REQUEST: Final = (
    "the broker lets nobody in for whom no provision request waits: one with exactly this client id, user name and "
    "password, active and not yet completed; three wrong passwords lock a user for hours"
)
NOT_LET_IN: Final = (
    "user and password must be those of a user of the account {account} who may connect to the broker; three wrong "
    "passwords lock a user for hours, and a coupling may bind a client id to another user"
)
NO_ANSWER: Final = (
    "{url} took the connection and said nothing in time: is it a broker of the Kura namespace with provisioning (any "
    "other takes the request and says nothing), and is it overloaded?"
)
ID_REFUSED: Final = "the client id is not taken: it must not hold / or ::; give other names with --serial"
OVERLOADED: Final = "the broker is busy and says so: it wants fewer at once; give a longer --spread"


@dataclass(frozen=True, slots=True)
class SigningIn:
    """How the gateways of a simulation sign in."""

    url: str
    is_bootstrap: bool
    account: str = ""
    """Of gateways that are configured already."""


def advice(answer: str, way: SigningIn) -> str:
    """For a device that heard this; empty for what says nothing."""
    match answer:
        case _ if answer in BAD_CREDENTIALS:
            return NO_REQUEST if way.is_bootstrap else NOT_LET_IN.format(account=way.account or "made for them")
        case _ if answer == BAD_ID:
            return ID_REFUSED
        case _ if answer == BUSY:
            return OVERLOADED
        case _ if answer in SILENT:
            return NO_ANSWER.format(url=way.url)
        case _:
            return ""


def hint(answer: str, way: SigningIn) -> str:
    """The same when every device heard this first."""
    said = advice(answer, way)
    return f"all devices heard {answer}: {said}" if said else ""
