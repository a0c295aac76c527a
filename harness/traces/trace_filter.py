"""Which events of a trace are wanted. Pure, but for the file that is looked through for the sessions of devices."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from fleetrig.harness.traces.event_words import words_of
from fleetrig.harness.traces.message_words import spoken_words, words_in
from fleetrig.harness.traces.seen_events import REFUSALS, SeenEvent
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPublishAck, MqttSuback
from fleetrig.simulator.contract.trace import Lane, TraceEvent

GLOBS: Final = re.compile(r"[*?\[]")
CLASS: Final = re.compile(r"([1-5])(?:xx|\.xx)", re.IGNORECASE)
NOT_TAKEN: Final = frozenset({*REFUSALS, "handing_on_failed"})
BETWEEN_PHASES: Final = frozenset({"phase", "note", "found", "verdict", "ended"})
"""Events of the bench that say where one is, and what is made to go wrong, whichever device is looked at."""


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """All that is given must fit; what is given several times, once."""

    devices: tuple[str, ...] = ()
    """Ids or globs."""
    lanes: frozenset[Lane] = frozenset()
    kinds: frozenset[str] = frozenset()
    statuses: tuple[str, ...] = ()
    """`401`, `4xx`, `2.05`, `5` of a CONNACK."""
    is_refused: bool = False
    is_wrong: bool = False
    """Whatever is shown as wrong: refusals and failures, faults, answers that never came, power cuts."""
    text: str = ""
    phase: str = ""
    run: str = ""
    sessions: Collection[int] = field(default=(), repr=False)
    """Those of the wanted devices, as far as they are known beforehand."""

    @property
    def names_one_device(self) -> bool:
        return len(self.devices) == 1 and not GLOBS.search(self.devices[0])

    @property
    def leaves_out(self) -> bool:
        """Whether anything is left out."""
        return bool(self.devices or self._is_about_events or self.phase or self.run)

    @property
    def _is_about_events(self) -> bool:
        return bool(self.lanes or self.kinds or self.statuses or self.is_refused or self.is_wrong or self.text)

    def fits(self, seen: SeenEvent) -> bool:
        event = seen.event
        if self.run and (seen.run is None or not fits_name(seen.run.run, self.run)):
            return False
        if self.phase and not fits_name(seen.phase, self.phase):
            return False
        if self.devices and not self.is_of_devices(seen):
            return event.lane is Lane.BENCH and event.kind in BETWEEN_PHASES and not self._is_about_events
        if self.is_wrong and not words_of(event, seen.question).is_wrong:
            return False
        return self._fits_event(event) and (not self.text or holds_text(seen.line, self.text))

    def is_of_devices(self, seen: SeenEvent) -> bool:
        """What is nobody's by name belongs to who has its session, or to who is named in what was said."""
        event = seen.event
        if event.lane is Lane.BENCH:
            return False
        if any(fnmatchcase(seen.device, one) for one in self.devices):
            return True
        asked = words_in(seen.question.asked) if seen.question is not None else ()
        is_web = seen.question is not None and seen.question.is_web
        is_its_session = not (seen.device or is_web) and event.session in self.sessions
        return is_its_session or self._names_one(asked) or self._names_one(spoken_words(event.envelope))

    def _names_one(self, words: Iterable[str]) -> bool:
        return any(fnmatchcase(word, one) for one in self.devices for word in words)

    def _fits_event(self, event: TraceEvent) -> bool:
        return (
            (not self.lanes or event.lane in self.lanes)
            and (not self.kinds or event.kind in self.kinds)
            and (not self.is_refused or is_refusal(event))
            and (not self.statuses or any(has_status(event.envelope, one) for one in self.statuses))
        )


def fits_name(name: str, wanted: str) -> bool:
    """The name, a glob over it, or a part of it, small and capital letters alike."""
    name, wanted = name.casefold(), wanted.casefold()
    return wanted in name or fnmatchcase(name, wanted)


def is_refusal(event: TraceEvent) -> bool:
    """Somebody was refused: said by a server, seen by a device, or an answer that says so."""
    return event.kind in NOT_TAKEN or is_failure(event.envelope)


def has_status(envelope: Envelope | None, wanted: str) -> bool:
    """`4xx` stands for all of its class, with HTTP and CoAP alike."""
    statuses = statuses_of(envelope)
    if found := CLASS.fullmatch(wanted):
        is_web = isinstance(envelope, HttpResponse | CoapResponse)
        return is_web and any(status.startswith(found[1]) for status in statuses)
    return wanted in statuses


def statuses_of(envelope: Envelope | None) -> tuple[str, ...]:
    match envelope:
        case HttpResponse(status=status):
            return (str(status),)
        case CoapResponse(code=code):
            return (code,)
        case MqttConnack(code=number) | MqttPublishAck(code=number) | MqttDisconnect(code=number):
            return (str(number),)
        case MqttSuback(codes=codes):
            return tuple(map(str, codes))
        case _:
            return ()


def holds_text(line: str, text: str) -> bool:
    """Whether a line of JSON holds a text, escaped as it may be, small and capital letters alike."""
    line = line.casefold()
    return any(form in line for form in _forms_of(text))


@lru_cache(maxsize=4)
def _forms_of(text: str) -> frozenset[str]:
    escaped, small = json.dumps(text)[1:-1], json.dumps(text.casefold())[1:-1]
    return frozenset({text.casefold(), escaped.casefold(), small})
