"""How a hawkBit device reports, and what it makes of being heard, unheard, or no longer wanted (§2.5, §2.6)."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum, auto
from typing import Final

from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Effect, HttpReply, NoReply, Outcome
from fleetrig.simulator.flows.hawkbit.device import Contact
from fleetrig.simulator.flows.hawkbit.messages import feedback_request

REPORT_TRIES: Final = 3
BUSY: Final = frozenset({408, 409, 429})
"""Client errors that pass by themselves, like all of 5xx."""
REFUSED: Final = frozenset({401, 403})
"""The credential is not accepted at the moment: a later poll will tell."""


class Heard(Enum):
    YES = auto()
    """Taken, or refused for good (400): saying it again would not help."""
    NO = auto()
    GONE = auto()
    """404: the server knows nothing of it at the moment."""
    OVER = auto()
    """410: the action is closed; the server wants no more of it (V23)."""


def report(
    contact: Contact, href: str, execution: str, finished: str = "none", details: tuple[str, ...] = ()
) -> Generator[Effect, Outcome, Heard]:
    """Reports on a deployment or a cancel."""
    request = feedback_request(href, contact.credential, execution, finished, details)
    return (yield from tell(contact, f"feedback-{execution}", request))


def tell(contact: Contact, name: str, request: HttpRequest) -> Generator[Effect, Outcome, Heard]:
    """Sends feedback; tries again, a few times, while the server is at fault or busy (V24)."""
    attempt = 1
    while True:
        heard, worth_a_try = _heard((yield from contact.ask(name, request)))
        if not worth_a_try or attempt == REPORT_TRIES:
            return heard
        yield from contact.wait(contact.backoff(attempt), "report retry")
        attempt += 1


def _heard(answer: HttpReply | NoReply) -> tuple[Heard, bool]:
    """What became of a report, and whether to repeat it at once."""
    if isinstance(answer, NoReply):
        return Heard.NO, True
    match answer.envelope.status:
        case 404:
            return Heard.GONE, False
        case 410:
            return Heard.OVER, False
        case status if status >= 500 or status in BUSY:
            return Heard.NO, True
        case status if 300 <= status < 400 or status in REFUSED:
            return Heard.NO, False
        case _:
            return Heard.YES, False
