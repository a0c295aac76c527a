"""OTLP/JSON lines, as the file exporter of the OpenTelemetry collector writes them: one export request a line.

Each event is a log record. Exchanges, phases and the run are spans; a run is one trace. The numbers of traces and
spans are made of the run, its seed and the event: the same trace gives the same lines. Numbers of traces and spans are
hexadecimal, integers of 64 bits text (OTLP 1.x, "JSON Protobuf Encoding").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.exports.exported_trace import JsonObject
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.traces.event_words import words_of
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord
from fleetrig.harness.traces.trace_records import RunBegins
from fleetrig.simulator.contract.trace import Lane

BATCH: Final = 200
"""Log records or spans in a line, at most."""
INTERNAL, SERVER, CLIENT = 1, 2, 3
"""Kinds of span."""
OK, ERROR = 1, 2
INFO, WARN = 9, 13
"""Severity numbers."""


def otlp(records: Iterable[SeenRecord]) -> Iterator[str]:
    """One line after another, each with its line end."""
    batch = _Batch(None, 0)
    runs = 0
    for record in records:
        match record:
            case RunBegins():
                yield from batch.rest()
                runs += 1
                batch = _Batch(record, runs)
            case SeenEvent():
                batch.take(record)
                yield from batch.full()
            case _:
                continue
    yield from batch.rest()


@dataclass(slots=True)
class _Batch:
    """What was not written yet of one run."""

    run: RunBegins | None
    number: int
    logs: list[JsonObject] = field(default_factory=list)
    spans: list[JsonObject] = field(default_factory=list)
    first_us: int = 0
    last_us: int = 0

    def take(self, seen: SeenEvent) -> None:
        event = seen.event
        self.first_us, self.last_us = self.first_us or event.at_us, max(self.last_us, event.at_us)
        self.logs.append(self._log(seen))
        if seen.question is not None and seen.question.seq != event.seq:
            self.spans.append(self._exchange(seen))
        elif event.lane is Lane.BENCH and event.kind == "verdict":
            self.spans.append(self._phase(seen))

    def full(self) -> Iterator[str]:
        if len(self.logs) >= BATCH:
            yield from self._lines()

    def rest(self) -> Iterator[str]:
        """The last lines, and the span of the run."""
        if self.first_us:
            name = self.run.run if self.run is not None else "trace"
            self.spans.append(self._span(name, "run", self.first_us, self.last_us, INTERNAL))
        yield from self._lines()

    def _lines(self) -> Iterator[str]:
        for what, scope, items in (("Spans", "spans", self.spans), ("Logs", "logRecords", self.logs)):
            if items:
                scoped = {"scope": {"name": "fleetrig", "version": VERSION}, scope: items}
                about = {"resource": {"attributes": self._about()}, f"scope{what}": [scoped]}
                yield json.dumps({f"resource{what}": [about]}, ensure_ascii=False, separators=(",", ":")) + "\n"
        self.logs, self.spans = [], []

    def _about(self) -> Sequence[JsonObject]:
        run = self.run
        if run is None:
            return _attributes({"service.name": "fleetrig"})
        return _attributes({"service.name": "fleetrig", "fleetrig.run": run.run, "fleetrig.platform": run.platform,
                            "fleetrig.seed": run.seed, "fleetrig.time": run.time})  # fmt: skip

    def _log(self, seen: SeenEvent) -> JsonObject:
        event = seen.event
        words = words_of(event, seen.question)
        ends_exchange = seen.question is not None and seen.question.seq != event.seq
        return {
            "timeUnixNano": str(event.at_us * 1000),
            "severityNumber": WARN if words.is_wrong else INFO,
            "body": {"stringValue": words.text},
            "attributes": _attributes({"fleetrig.lane": str(event.lane), "fleetrig.kind": event.kind,
                                       "fleetrig.seq": event.seq, "fleetrig.device": seen.device,
                                       "fleetrig.phase": seen.phase, "fleetrig.reason": event.reason,
                                       "fleetrig.cites": event.cites}),
            "traceId": self._id("trace", 16),
            "spanId": self._id(f"{event.lane}:{event.seq}" if ends_exchange else "run", 8),
        }  # fmt: skip

    def _exchange(self, seen: SeenEvent) -> JsonObject:
        """From the question to this; several events may belong to one question, each has a span of its own."""
        event, question = seen.event, seen.question
        assert question is not None
        kind = CLIENT if event.lane is Lane.DEVICE else SERVER
        span = self._span(question.line, f"{event.lane}:{event.seq}", question.at_us, event.at_us, kind)
        code = ERROR if words_of(event, question).is_wrong else OK
        status = {"code": code, **({"message": event.reason} if code == ERROR and event.reason else {})}
        said = {"fleetrig.device": seen.device, "fleetrig.kind": event.kind}
        return {**span, "parentSpanId": self._id("run", 8), "status": status, "attributes": _attributes(said)}

    def _phase(self, seen: SeenEvent) -> JsonObject:
        event = seen.event
        span = self._span(event.name, f"phase:{event.seq}", seen.phase_us, event.at_us, INTERNAL)
        has_failed = event.reason in ("failed", "broken")
        return {**span, "parentSpanId": self._id("run", 8), "status": {"code": ERROR if has_failed else OK}}

    def _span(self, name: str, what: str, from_us: int, to_us: int, kind: int) -> JsonObject:
        """Lanes in real time differ by a little: no span ends before it begins."""
        return {"traceId": self._id("trace", 16), "spanId": self._id(what, 8), "name": name, "kind": kind,
                "startTimeUnixNano": str(from_us * 1000),
                "endTimeUnixNano": str(max(from_us, to_us) * 1000)}  # fmt: skip

    def _id(self, what: str, length_bytes: int) -> str:
        about = (self.run.run, self.run.seed) if self.run is not None else ("", 0)
        text = "\0".join(map(str, (*about, self.number, what)))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[: 2 * length_bytes]


def _attributes(values: Mapping[str, str | int]) -> Sequence[JsonObject]:
    """Without the empty ones."""
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
        if value != ""
    ]
