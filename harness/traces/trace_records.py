"""The lines of a trace, one by one: what each of them tells. Pure.

{"fleetrig": "0.1.0", "run": "a/b", …}                  a run begins
{"at_us": …, "seq": 3, "lane": "server", "kind": …}      an event
{"at_us": …, "way": "from_board", "text": "login: "}     bytes of a board's line, as they are kept beside a trace
{"dropped": 17}                                          a server has forgotten so many events before they were read
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fleetrig.hil.port import Way
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import from_line

SERIAL_KINDS: Final = {Way.FROM_BOARD: "line", Way.TO_BOARD: "typed"}
OF_LOAD: Final = "load"
"""What the first line of a load run has for its time."""
NOTED: Final = "note"
SHOWN_OF_DAMAGED_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class RunBegins:
    """The first line of a run's trace."""

    run: str
    seed: int = 1
    time: str = ""
    version: str = ""
    one_of: int = 0
    """Of so many devices it has one; 0 when it has all of them."""
    platform: str = ""
    """Empty in traces of older versions."""


class StoredEvent(NamedTuple):
    """An event, and the line that tells of it. `number` is that of the line, or of the event where a server counts."""

    event: TraceEvent
    line: str
    number: int


@dataclass(frozen=True, slots=True)
class EventsGone:
    """Nobody can say any more what happened here."""

    count: int


@dataclass(frozen=True, slots=True)
class DamagedLine:
    """What is no line of a trace, or half of one."""

    number: int
    begins: str

    def __str__(self) -> str:
        return f"line {self.number:,} is no line of a trace: {self.begins!r}"


TraceRecord = RunBegins | StoredEvent | EventsGone | DamagedLine


def read_record(line: str, number: int) -> TraceRecord:
    """What a line tells; never raises."""
    try:
        return StoredEvent(from_line(line), line, number)
    except ValueError:
        return _other_record(line, number)


def _other_record(line: str, number: int) -> TraceRecord:
    damaged = DamagedLine(number, line.strip()[:SHOWN_OF_DAMAGED_CHARS])
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return damaged
    match fields:
        case {"fleetrig": str(version), "run": str(run), "seed": int(seed), "time": str(time)}:
            one_of, platform = fields.get("one_of", 0), fields.get("platform", "")
            return RunBegins(
                run, seed, time, version,
                one_of=one_of if isinstance(one_of, int) else 0,
                platform=platform if isinstance(platform, str) else "",
            )  # fmt: skip
        case {"dropped": int(count)}:
            return EventsGone(count)
        case {"way": str()} | {"note": str()}:
            event = _serial_event(fields, number)
            return damaged if event is None else StoredEvent(event, line, number)
        case _:
            return damaged


def _serial_event(fields: Mapping[str, Any], number: int) -> TraceEvent | None:
    """What went over a serial line, as an event of the board lane; its number is that of the line."""
    at_us = fields.get("at_us", 0)
    match fields:
        case {"way": way, "text": str(text)} if way in SERIAL_KINDS:
            kind, said = SERIAL_KINDS[Way(way)], text.rstrip("\r\n")
        case {"way": way, "base64": str(coded)} if way in SERIAL_KINDS:
            kind, said = SERIAL_KINDS[Way(way)], _bytes_text(coded)
        case {"note": str(said)}:
            kind = NOTED
        case _:
            return None
    return TraceEvent(at_us if isinstance(at_us, int) else 0, number, "", Lane.BOARD, kind, reason=said)


def _bytes_text(coded: str) -> str:
    try:
        content = base64.b64decode(coded, validate=True)
    except ValueError:
        return coded
    return f"{len(content):,} bytes: {content[:24].hex(' ')}" + (" …" if len(content) > 24 else "")
