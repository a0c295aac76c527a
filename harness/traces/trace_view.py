"""A trace as its reader asked for it: narrowed, in words, laid out. Lines come as the events come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.traces.event_point import EventPoint
from fleetrig.harness.traces.event_words import RULE, words_of
from fleetrig.harness.traces.message_details import ReadBody, detail_lines
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord, TraceContents, seen_records
from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.harness.traces.trace_layout import TraceLayout, date_text
from fleetrig.harness.traces.trace_records import OF_LOAD, DamagedLine, EventsGone, RunBegins, TraceRecord
from fleetrig.harness.traces.trace_window import EventsPassedOver, ShownEvent, Surroundings, TracePlace, TraceSpan
from fleetrig.simulator.contract.trace import Lane

KEPT_BEFORE: Final = 100
TOLD_DAMAGED: Final = 3
"""So many damaged lines are told where they stand; the end says how many there were."""


@dataclass(frozen=True, slots=True)
class TraceAsked:
    """What a reader wants to see of a trace."""

    wanted: TraceFilter = field(default_factory=TraceFilter)
    begins: TracePlace | None = None
    ends: TracePlace | None = None
    around: Sequence[EventPoint] = ()
    context: int = 10
    verbose: bool = False
    raw: bool = False


@dataclass(slots=True)
class TraceView:
    """Use once. What it has seen and shown stands in its fields when `lines` has come to its end."""

    asked: TraceAsked
    layout: TraceLayout
    platform: str = ""
    """Of a trace that does not say it itself; empty if nobody knows."""
    contents: TraceContents = field(default_factory=TraceContents)
    shown: int = 0
    fitting: int = 0
    """Events, without those that were shown before there was one of the devices that are looked for."""
    surroundings: Surroundings = field(init=False)
    span: TraceSpan = field(init=False)
    _before: deque[ShownEvent] = field(default_factory=lambda: deque(maxlen=KEPT_BEFORE), init=False)
    _is_headed: bool = field(default=False, init=False)
    _phase: tuple[str, int] = field(default=("", 0), init=False)
    """The one whose rule was shown last."""
    _day: str = field(default="", init=False)
    _read_body: ReadBody | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.surroundings = Surroundings(self.asked.around, self.asked.context)
        self.span = TraceSpan(self.asked.begins, self.asked.ends)
        self._know_platform(self.platform)

    def lines(self, records: Iterable[TraceRecord]) -> Iterator[str]:
        """Without their line ends."""
        for record in self._narrowed(seen_records(records, self.contents)):
            match record:
                case ShownEvent():
                    yield from self._shown(record)
                case RunBegins():
                    self._is_headed, self._phase = False, ("", 0)
                    self._know_platform(record.platform)
                case EventsPassedOver(count) if not self.asked.raw:
                    yield from self.layout.remark(f"⋯ {count:,} more between")
                case EventsGone(count) if not self.asked.raw:
                    yield from self.layout.remark(f"… {count:,} events are missing here: the server had forgotten them")
                case DamagedLine() if not self.asked.raw and self.contents.damaged_count <= TOLD_DAMAGED:
                    yield from self.layout.remark(str(record))

    def _shown(self, shown: ShownEvent) -> Iterator[str]:
        """Where one is in a run is said only once there is something of the devices that are looked for."""
        if self.asked.wanted.devices and not self.fitting and shown.seen.event.lane is Lane.BENCH:
            self._before.append(shown)
            return
        self.fitting += not shown.is_looked_for or self.asked.wanted.fits(shown.seen)
        for one in (*self._before, shown):
            self.shown += 1
            yield from self._event(one.seen, is_looked_for=one.is_looked_for)
        self._before.clear()

    def _narrowed(self, records: Iterator[SeenRecord]) -> Iterator[ShownEvent | EventsPassedOver | SeenRecord]:
        if self.asked.around:
            yield from self.surroundings.of(records, self._fits)
            return
        for record in records:
            if not isinstance(record, SeenEvent):
                yield record
            elif self._fits(record):
                yield ShownEvent(record)
            if self.span.has_ended:
                return

    def _fits(self, seen: SeenEvent) -> bool:
        return self.span.take(seen) and self.asked.wanted.fits(seen)

    def _event(self, seen: SeenEvent, *, is_looked_for: bool) -> Iterator[str]:
        if self.asked.raw:
            yield seen.line
            return
        yield from self._heading(seen)
        event, question = seen.event, seen.question
        words = words_of(event, question)
        if question is not None and question.seq == event.seq:
            question.is_shown = True
        if words.mark == RULE and not is_looked_for:
            yield from self.layout.rule(words.text, event.at_us, seen.begun_us, is_wrong=words.is_wrong)
        else:
            yield from self.layout.event(seen, words, is_looked_for=is_looked_for)
        if self.asked.verbose:
            yield from self.layout.details(self._details(seen))

    def _heading(self, seen: SeenEvent) -> Iterator[str]:
        """What must be known before an event is shown: which run, which day, which phase."""
        if not self._is_headed:
            self._is_headed = True
            yield from self.layout.remark(heading_of(seen.run, seen.begun_us))
        if self.layout.clock and (day := date_text(seen.event.at_us)[:10]) != self._day:
            self._day = day
            yield from self.layout.rule(f"{day} (UTC)", seen.event.at_us, seen.begun_us)
        if (phase := (seen.phase, seen.phase_us)) != self._phase:
            self._phase = phase
            says_it = seen.event.lane is Lane.BENCH and seen.event.kind in ("phase", "verdict")
            if seen.phase and not says_it:
                yield from self.layout.rule(f"phase «{seen.phase}»", seen.phase_us, seen.begun_us)

    def _details(self, seen: SeenEvent) -> Iterator[str]:
        event = seen.event
        about = {"stage": event.stage, "session": str(event.session or ""), "cites": event.cites}
        if known := ", ".join(f"{name} {value}" for name, value in about.items() if value):
            yield known
        if event.envelope is not None:
            yield from detail_lines(event.envelope, self._read_body)

    def _know_platform(self, name: str) -> None:
        if self.asked.verbose and name in PLATFORMS:
            from fleetrig.harness.platform import platform_of  # its engine is imported when there are bodies to read

            self._read_body = platform_of(name).read_body


def heading_of(run: RunBegins | None, begun_us: int) -> str:
    """`hawkbit/demo, seed 1, virtual time, by fleetrig 0.1.0; begins 2026-01-01 00:00:00.000 UTC`."""
    begins = f"begins {date_text(begun_us)} UTC" if begun_us else "says no times"
    if run is None:
        return f"This trace {begins}"
    time = "as load" if run.time == OF_LOAD else f"{run.time} time"
    sampled = f"; it has one device in {run.one_of}" if run.one_of else ""
    return f"{run.run}, seed {run.seed}, {time}, by fleetrig {run.version}; {begins}{sampled}"
