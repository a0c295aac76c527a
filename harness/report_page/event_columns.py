"""The events of a run as columns: a text that stands in many of them is kept once. Of too many a part is kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.traces.event_words import EventWords
from fleetrig.harness.traces.message_details import detail_lines
from fleetrig.harness.traces.seen_events import SeenEvent
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MOST_EVENTS: Final = 12_000
MOST_WRONG: Final = 3_000
"""Of what went wrong, of devices, and of the bench's events."""
MOST_TEXT_CHARS: Final = 400
MOST_DETAIL_CHARS: Final = 700
ALL_DETAILS_CHARS: Final = 900_000
LANES: Final = tuple(str(lane) for lane in Lane)
WRONG, EVIDENCE = 1, 2

Point = tuple[str, int]
"""(lane, number in it)."""


class _Texts:
    """Each text once."""

    def __init__(self) -> None:
        self.list: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.list)
            self.list.append(text)
        return found


@dataclass(slots=True)
class Sampler:
    """Which events are kept of a run that has `total`: all if they are few enough; else what bench and evidence need,
    what went wrong, the first of each device, and every so many-th of the rest."""

    total: int
    needed: Collection[Point]
    """Evidence, and the last event of each device."""
    most: int = MOST_EVENTS
    _seen: int = 0
    _wrong: int = 0
    _bench: int = 0
    _devices: set[str] = field(default_factory=set)

    @property
    def is_whole(self) -> bool:
        return self.total <= self.most

    def keeps(self, seen: SeenEvent, *, is_wrong: bool) -> bool:
        if self.is_whole:
            return True
        event = seen.event
        self._seen += 1
        if (str(event.lane), event.seq) in self.needed:
            return True
        if event.lane is Lane.BENCH and self._bench < MOST_WRONG:
            self._bench += 1
            return True
        if is_wrong and self._wrong < MOST_WRONG:
            self._wrong += 1
            return True
        if seen.device not in self._devices and len(self._devices) < MOST_WRONG:
            self._devices.add(seen.device)
            return True
        return self._seen % max(1, 2 * self.total // self.most) == 0


class EventColumns:
    """Told the events that are kept."""

    def __init__(self, began_us: int, evidence: Collection[Point], details_chars: int = ALL_DETAILS_CHARS) -> None:
        self._began_us = began_us
        self._evidence = evidence
        self._texts, self._devices, self._phases = _Texts(), _Texts(), _Texts()
        self._columns: dict[str, list[int]] = {
            name: []
            for name in ("at", "lane", "seq", "device", "kind", "text", "detail", "phase", "to", "flags", "cause")
        }
        self._details_chars = details_chars
        self.has_all_details = True
        self.count = 0

    def take(self, seen: SeenEvent, words: EventWords, cause: str) -> None:
        """`cause`: what it is counted as where it went wrong."""
        event, texts, question = seen.event, self._texts, seen.question
        is_evidence = (str(event.lane), event.seq) in self._evidence
        row = {
            "at": event.at_us - self._began_us,
            "lane": LANES.index(str(event.lane)),
            "seq": event.seq,
            "device": self._devices.number(seen.device),
            "kind": texts.number(event.kind),
            "text": texts.number(_cut(f"{words.mark} {words.text}", MOST_TEXT_CHARS)),
            "detail": texts.number(self._details(event)),
            "phase": self._phases.number(seen.phase),
            "to": question.seq if question is not None and question.seq != event.seq else 0,
            "flags": WRONG * words.is_wrong + EVIDENCE * is_evidence,
            "cause": texts.number(cause),
        }
        for name, value in row.items():
            self._columns[name].append(value)
        self.count += 1

    def document(self) -> dict[str, Any]:
        return {
            "lanes": LANES,
            "device_names": self._devices.list,
            "phase_names": self._phases.list,
            "texts": self._texts.list,
            "events": self._columns,
        }

    def _details(self, event: TraceEvent) -> str:
        """Headers and body; none any more once the page would become large."""
        lines = [] if event.envelope is None else list(detail_lines(event.envelope))
        if event.reason and event.envelope is not None:
            lines.append(f"reason: {event.reason}")
        text = _cut("\n".join(lines), MOST_DETAIL_CHARS)
        self._details_chars -= len(text)
        if self._details_chars < 0:
            self.has_all_details = False
            return ""
        return text


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]} …"
