"""The events of a trace with what went before them: to which question they belong, whose they are, in which phase."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fleetrig.harness.traces.exchanges import Exchanges, Question
from fleetrig.harness.traces.message_words import spoken_words
from fleetrig.harness.traces.trace_records import DamagedLine, EventsGone, RunBegins, StoredEvent, TraceRecord
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MOST_NAMES: Final = 10_000
"""Of devices and phases that are kept, to say which there are."""


class SeenEvent(NamedTuple):
    """An event as a reader needs it. `device` is whose it is, `phase` in which phase it happened."""

    event: TraceEvent
    line: str
    number: int
    question: Question | None
    device: str
    phase: str
    phase_us: int
    """When that began."""
    begun_us: int
    """When its run, or the trace, began."""
    run: RunBegins | None = None


SeenRecord = SeenEvent | RunBegins | EventsGone | DamagedLine


@dataclass(slots=True)
class TraceContents:
    """What has been seen of a trace so far: for a sentence about what is not in it."""

    events: int = 0
    devices: dict[str, None] = field(default_factory=dict)
    phases: dict[str, None] = field(default_factory=dict)
    runs: dict[str, None] = field(default_factory=dict)
    last_seq: dict[Lane, int] = field(default_factory=dict)
    damaged: list[DamagedLine] = field(default_factory=list)
    """The first few."""
    damaged_count: int = 0
    latest_run: RunBegins | None = None

    def note(self, record: SeenRecord) -> None:
        match record:
            case SeenEvent(event=event):
                self.events += 1
                self.last_seq[event.lane] = event.seq
                _keep(self.devices, event.device if event.lane is not Lane.BOARD else "")
                _keep(self.phases, record.phase)
            case RunBegins():
                _keep(self.runs, record.run)
                self.latest_run = record
            case DamagedLine():
                self.damaged_count += 1
                if len(self.damaged) < 1:
                    self.damaged.append(record)
            case EventsGone():
                pass


def _keep(names: dict[str, None], name: str) -> None:
    if name and len(names) < MOST_NAMES:
        names[name] = None


def seen_records(records: Iterable[TraceRecord], contents: TraceContents) -> Iterator[SeenRecord]:
    """The same, events with what belongs to them; `contents` is told of each."""
    follower = _Follower(contents.devices)
    for record in records:
        seen = follower.take(record)
        contents.note(seen)
        yield seen


class _Follower:
    """Follows a trace; at the beginning of a run all that was before is forgotten."""

    def __init__(self, devices: Collection[str]) -> None:
        """`devices`: those that have been seen so far."""
        self._devices = devices
        self._begin(None)

    def _begin(self, run: RunBegins | None) -> None:
        self._run = run
        self._exchanges = Exchanges()
        self._begun_us: int | None = None
        self._phase, self._phase_us = "", 0

    def take(self, record: TraceRecord) -> SeenRecord:
        match record:
            case StoredEvent():
                return self._event(record)
            case RunBegins():
                self._begin(record)
                return record
            case _:
                return record

    def _event(self, stored: StoredEvent) -> SeenEvent:
        event = stored.event
        if self._begun_us is None and event.at_us:
            self._begun_us = event.at_us
        is_of_bench = event.lane is Lane.BENCH
        if is_of_bench and event.kind == "phase":
            self._phase, self._phase_us = event.name, event.at_us
        question = self._exchanges.take(event)
        device = self._exchanges.whose(event, question) or self._named_in(event)
        if question is not None and not question.device:
            question.device = device
        seen = SeenEvent(
            event, stored.line, stored.number, question, device,
            self._phase, self._phase_us, self._begun_us or 0, self._run,
        )  # fmt: skip
        if is_of_bench and event.kind == "verdict":
            self._phase = ""
        return seen

    def _named_in(self, event: TraceEvent) -> str:
        """The device that a request is about which a fault kept from the platform: its path names it."""
        if event.lane is not Lane.SERVER or event.kind != "received":
            return ""
        return next((word for word in spoken_words(event.envelope) if word in self._devices), "")
