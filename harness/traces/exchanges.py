"""Which answer belongs to which question, and whose a session is: by session, never by neighbourhood.

In the server lane what came last on a session is what is answered on it. HTTP in virtual time has no sessions: there a
request is answered in the same moment, or held until the server has an answer for its device. In the device lane a
device waits for one answer to each thing that it asks, under the name that it has for it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

from fleetrig.simulator.contract.by_session import MAX_SESSIONS, BySession
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent

ANSWERS_TO_DEVICE: Final = frozenset({"received", "no_reply", "downloaded"})
ANSWERS_OF_SERVER: Final = frozenset({"answered", "refused", "delivered", "fault", "step", "malformed"})
"""What belongs to what came last on the session."""
ENDS: Final = frozenset({"answered", "refused", "delivered", "pushed"})

K = TypeVar("K")


@dataclass(slots=True)
class Question:
    """What was asked. `is_shown` is for whoever shows it: an answer need not repeat it then."""

    seq: int
    at_us: int
    line: str
    asked: str
    """The whole of what was asked for, behind a `?` too: a device may be named there."""
    device: str
    is_web: bool = False
    """HTTP: one connection may carry what different people ask, so it belongs to nobody."""
    is_answered: bool = False
    is_shown: bool = False


class Exchanges:
    """Told every event of a trace in its order; holds what is under way, in bounded memory."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str], Question] = OrderedDict()
        """By device, and by its name for it."""
        self._held: OrderedDict[str, Question] = OrderedDict()
        """By device: the latest without a session."""
        self._received = BySession[Question]()
        self._devices = BySession[str]()

    def take(self, event: TraceEvent) -> Question | None:
        """The question itself, or the one that the event belongs to; None when nobody asked."""
        match event.lane:
            case Lane.DEVICE:
                return self._of_device(event)
            case Lane.SERVER | Lane.NETWORK:
                return self._of_server(event)
            case _:
                return None

    def whose(self, event: TraceEvent, question: Question | None) -> str:
        """The device that an event is about, as far as anything before it has said so."""
        if event.device or event.lane not in (Lane.SERVER, Lane.NETWORK):
            return event.device
        known = None if self._is_web(event) else self._devices.get(event.session)
        return known or (question.device if question is not None else "")

    def _of_device(self, event: TraceEvent) -> Question | None:
        key = event.device, event.name
        if event.kind == "sent":
            question = _question_in(event, event.device)
            _put(self._asked, key, question)
            return question
        return self._asked.pop(key, None) if event.kind in ANSWERS_TO_DEVICE else None

    def _of_server(self, event: TraceEvent) -> Question | None:
        if event.kind == "received" and event.lane is Lane.SERVER:
            question = _question_in(event, event.device)
            self._received.put(event.session, question)
            question.device = self.whose(event, question)
            self._keep_device(event)
            if not event.session and question.device:
                _put(self._held, question.device, question)
            return question
        self._keep_device(event)
        found = self._answered_by(event)
        if found is not None:
            found.device = found.device or event.device
            found.is_answered = found.is_answered or event.kind in ENDS
        return found

    def _keep_device(self, event: TraceEvent) -> None:
        if event.device and not self._is_web(event):
            self._devices.put(event.session, event.device)

    def _is_web(self, event: TraceEvent) -> bool:
        latest = self._received.get(event.session)
        return not event.session or (latest is not None and latest.is_web)

    def _answered_by(self, event: TraceEvent) -> Question | None:
        is_late = event.kind == "pushed" and isinstance(event.envelope, CoapResponse) and event.envelope.observe is None
        if event.kind not in ANSWERS_OF_SERVER and not is_late:
            return None
        found = self._received.get(event.session)
        if not event.session and (found is None or not _is_same_moment(found, event)):
            found = self._held.pop(event.device, None)
            is_late = True
        return None if found is None or (is_late and found.is_answered) else found


def _put(questions: OrderedDict[K, Question], key: K, question: Question) -> None:
    questions.pop(key, None)
    questions[key] = question
    if len(questions) > MAX_SESSIONS:
        questions.popitem(last=False)


def _question_in(event: TraceEvent, device: str) -> Question:
    line = event.envelope.line if event.envelope is not None else event.name
    is_web = isinstance(event.envelope, HttpRequest)
    asked = event.envelope.target if isinstance(event.envelope, HttpRequest) else line
    return Question(event.seq, event.at_us, line, asked, device, is_web)


def _is_same_moment(question: Question, event: TraceEvent) -> bool:
    is_same_device = not (question.device and event.device) or question.device == event.device
    return question.at_us == event.at_us and is_same_device
