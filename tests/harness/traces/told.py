"""Traces for tests: events in few words, as lines and as what a reader gets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fleetrig.harness.traces.seen_events import SeenEvent, TraceContents, seen_records
from fleetrig.harness.traces.trace_layout import TraceLayout
from fleetrig.harness.traces.trace_records import StoredEvent, read_record
from fleetrig.harness.traces.trace_view import TraceAsked, TraceView
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

RUN = json.dumps(
    {"fleetrig": "0.1.0", "run": "a/b[n=1]", "seed": 3, "time": "virtual", "values": {"n": 1}, "digest": ""}
)


def told(lane: Lane, seq: int, kind: str, device: str = "", *, ms: int = 0, **more: Any) -> TraceEvent:
    """An event so many milliseconds after the beginning of virtual time."""
    return TraceEvent(VIRTUAL_EPOCH_US + ms * 1000, seq, device, lane, kind, **more)


def poll(device: str = "gw-1") -> HttpRequest:
    return HttpRequest("GET", "http://h", f"/DEFAULT/controller/v1/{device}")


def lines_of(*events: TraceEvent) -> list[str]:
    return [to_line(event, Secrets()) for event in events]


def seen(*events: TraceEvent) -> list[SeenEvent]:
    records = (StoredEvent(event, line, 1) for event, line in zip(events, lines_of(*events), strict=True))
    return [one for one in seen_records(records, TraceContents()) if isinstance(one, SeenEvent)]


def shown(lines: Iterable[str], asked: TraceAsked | None = None, **layout: Any) -> list[str]:
    """What a reader gets to see, without the heading."""
    view = TraceView(asked or TraceAsked(), TraceLayout(**layout))
    said = list(view.lines(read_record(line, number) for number, line in enumerate(lines, 1)))
    return [line for line in said if " begins 2026-" not in line]


OK = HttpResponse(200)


def exchange(
    device: str, *, session: int = 0, ms: int = 0, at: int = 1, answer: Envelope = OK, reason: str = ""
) -> list[TraceEvent]:
    """The four events of one request."""
    request = poll(device)
    kind = "refused" if reason else "answered"
    return [
        told(Lane.DEVICE, at, "sent", device, ms=ms, envelope=request, name="poll"),
        told(Lane.SERVER, at, "received", device, ms=ms, envelope=request, session=session, reason="127.0.0.1"),
        told(Lane.SERVER, at + 1, kind, device, ms=ms, envelope=answer, session=session, reason=reason),
        told(Lane.DEVICE, at + 1, "received", device, ms=ms + 2, envelope=answer, name="poll", took_us=2000),
    ]
