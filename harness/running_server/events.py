"""What happened at a running server, as a test asks for it: events, and which of them are meant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, get_args

from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.trace_json import from_line

__tracebackhide__ = True

EventKind = Literal[
    "received", "step", "answered", "refused", "fault", "delivered", "opened", "pushed", "advanced", "closed",
    "malformed", "handed_on", "handing_on_failed",
]  # fmt: skip
"""docs/control.md says what each is."""
EventLane = Literal["server", "network"]

ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """Something that happened at the server. What it does not say is empty."""

    number: int
    """Counts all events of the server."""
    at: datetime
    """By the server's clock."""
    lane: str
    kind: str
    device: str
    line: str
    """What came or went, in one line: `POST /a` and `200`, `CONNECT gw-7` and `CONNACK 5`, `GET coap:/a` and `2.05`."""
    reason: str
    name: str
    fault: str
    session: int
    """An answer has that of its question; 0 for none."""
    envelope: Envelope | None = field(repr=False)
    """The whole message, with its headers or fields."""

    @property
    def body(self) -> bytes:
        """Of the message, secrets masked; empty when there is none."""
        return b"" if self.envelope is None else body_bytes(payload_of(self.envelope))

    def json(self) -> Any:
        """The body as JSON. Raises ValueError for what is none."""
        return json.loads(self.body)

    def __str__(self) -> str:
        why = f"({self.reason})" if self.reason and self.kind != "received" else ""  # which says from where
        parts = [f"{self.at:%H:%M:%S.%f}"[:-3], f"{self.kind:<8}", self.device, self.line or self.name, why]
        return "  ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are meant. `line` and `device` are globs."""

    kind: EventKind | None = None
    line: str = ANY
    device: str = ANY
    lane: EventLane | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a word that no event has."""
        for name, word, known in (("kind", self.kind, get_args(EventKind)), ("lane", self.lane, get_args(EventLane))):
            if word is not None and word not in known:
                raise UsageError(f"{name}={word!r}: {expected(str(word), known)}")
        if not self.device or not self.line:
            raise UsageError("device and line are globs, such as gw-* and POST */feedback: leave them away for all")

    def fits(self, event: ServerEvent) -> bool:
        return self.kind in (None, event.kind) and fnmatchcase(event.line, self.line)

    def parameters(self) -> dict[str, str]:
        """What the server itself can choose by. It is not asked for a kind alone: an answer would be without its
        question, and nobody would know whose it is.
        """
        given = {"device": None if self.device == ANY else self.device, "lane": self.lane}
        return {name: word for name, word in given.items() if word is not None}

    def __str__(self) -> str:
        line = "" if self.line == ANY else f" «{self.line}»"
        device = "" if self.device == ANY else f" of {self.device}"
        return f"{self.kind or 'event'}{line}{device}"


class DeviceEvents:
    """Tells what devices did from what operators did, event by event: a platform calls both by the device's name.

    An answer is of whoever has asked last on its session, since a connection may serve both.
    """

    def __init__(self, operator_lines: Sequence[str]) -> None:
        self._lines = operator_lines
        self._operators: set[int] = set()

    def has(self, event: ServerEvent) -> bool:
        if event.kind == "received":
            change = self._operators.add if fits_any(event.line, self._lines) else self._operators.discard
            change(event.session)
        return event.session not in self._operators


def fits_any(line: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(line, glob) for glob in globs)


def event_in(line: str) -> ServerEvent | int:
    """An event; the number of events that the server has forgotten where there is none. Raises BrokenBench."""
    try:
        document = read_json(line.encode())
        match document:
            case {"dropped": int(dropped)}:
                return dropped
            case {"number": int(number)}:
                return _event(number, document, line)
    except (NotJson, ValueError) as wrong:
        raise BrokenBench(f"this is no line of a trace ({wrong}): {line[:100]!r}") from None
    raise BrokenBench(f"this is no line of a trace: {line[:100]!r}")


def _event(number: int, document: Mapping[str, Any], line: str) -> ServerEvent:
    event = from_line(line)
    return ServerEvent(
        number, time_of(event.at_us), str(event.lane), event.kind, event.device,
        "" if event.envelope is None else event.envelope.line, event.reason, event.name, event.fault, event.session,
        event.envelope,
    )  # fmt: skip


def time_of(at_us: int) -> datetime:
    """Microseconds since 1970 as a time of UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
