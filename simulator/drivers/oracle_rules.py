"""How a device's messages are compared with what its model sends: tolerance, what counts as the same, how much time.

Real devices differ from our model in ways that harm nobody: they look twice, ask for a head first, report progress more
often. What is harmless is a fact of the platform, so each platform states its `Leniency`, as data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from fleetrig.simulator.agent import effect_name
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttPublishAck
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.effects import Ask, Connect, Download, DrawToken, Effect, Tell

MOST_COMPARED_BYTES: Final = 64 * 1024
SHOWN_CHARS: Final = 80

TokenReader = Callable[[DrawToken, Envelope], str | None]
"""What a device must have drawn, since it says it in this message; None when the message does not tell."""


class NextMessage(NamedTuple):
    """What a device said next, to one who asks what it saw and drew before: clock and chance are its own."""

    event: TraceEvent
    token_in: TokenReader | None

    def token(self, wanted: DrawToken) -> str:
        """Empty when that cannot be told."""
        if self.token_in is None or self.event.envelope is None:
            return ""
        return self.token_in(wanted, self.event.envelope) or ""


class Tolerance(StrEnum):
    """How close a device must keep to its model."""

    MESSAGES = "messages"
    """Which messages come in which order."""
    TOLERANT = "tolerant"
    """Also the fields that matter, and the times, with slack."""
    STRICT = "strict"
    """All of each message; nothing is left out, repeated or added; the times with the slack of a network."""


@dataclass(frozen=True, slots=True)
class Slack:
    """How far a message may lie outside the range that the model permits, as a share of it and in seconds."""

    early_share: float
    early_s: float
    late_share: float
    late_s: float

    def earliest_s(self, least_s: float) -> float:
        return least_s * (1 - self.early_share) - self.early_s

    def latest_s(self, most_s: float) -> float:
        return most_s * (1 + self.late_share) + self.late_s


SLACK: Final[Mapping[Tolerance, Slack]] = {
    Tolerance.TOLERANT: Slack(0.1, 0.3, 0.5, 10.0),
    Tolerance.STRICT: Slack(0.0, 0.1, 0.0, 2.0),
}
"""Real programs start slowly and round; a loaded machine delays what it hears, never what it has heard already."""


@dataclass(frozen=True, slots=True)
class Leniency:
    """What devices of a platform may do otherwise without harm. Names are those of exchanges, some of them globs."""

    repeats: Mapping[str, int] = field(default_factory=dict)
    """May be sent again at once, so often in a row; the answer to the last one counts."""
    looks_again: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Exchange -> what may come again after it before it is repeated; counted as its repetitions are."""
    optional: tuple[str, ...] = ()
    """May be left out while the device works on something."""
    unsaid: tuple[str, ...] = ()
    """Requests over HTTP that a device need not make, or that do not say whose they are; the model goes on as if they
    had gone well."""
    beside: tuple[str, ...] = ()
    """May come at any time and say nothing about where the device is."""
    compared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Exchange (glob, the first that fits) -> the fields that matter, as `field_of` reads them."""
    seen_as: Mapping[str, str] = field(default_factory=dict)
    """What the model calls an effect -> what it is called where it arrives, if that is something else."""
    lost_as: tuple[str, ...] = ("timeout",)
    """What a device may make of a request that went nowhere, as far as it decides otherwise then."""
    clauses: Mapping[str, str] = field(default_factory=dict)
    """Exchange (glob) -> the row of the contract that speaks of it."""
    token_in: TokenReader | None = None
    """How a token is read from the message before which it was drawn; wanted where models draw any."""

    @property
    def strict(self) -> Leniency:
        """What is left of it where nothing is harmless: how messages are read, not what may be otherwise."""
        return Leniency(seen_as=self.seen_as, lost_as=self.lost_as, clauses=self.clauses, token_in=self.token_in)

    def fields(self, name: str) -> tuple[str, ...]:
        return next((fields for glob, fields in self.compared.items() if fnmatchcase(name, glob)), ())

    def clause(self, name: str) -> str:
        return next((clause for glob, clause in self.clauses.items() if fnmatchcase(name, glob)), "")

    def name_of(self, effect: Effect) -> str:
        name = effect_name(effect)
        return self.seen_as.get(name, name)


def fits_any(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def envelope_of(effect: Effect) -> Envelope | None:
    """What the server sees of an effect; None for what it does not see, an acknowledgement included."""
    match effect:
        case Connect(envelope=envelope):
            return envelope
        case Ask(request=request) | Download(request=request):
            return request
        case Tell(envelope=envelope):
            return None if isinstance(envelope, MqttPublishAck) else envelope
        case _:
            return None


def difference(wanted: Envelope, got: Envelope, fields: tuple[str, ...]) -> str:
    """The first field that differs, in words; empty when none does."""
    for name in fields:
        expected, came = field_of(wanted, name), field_of(got, name)
        if expected != came:
            return f"{name} {_shown(expected)}, not {_shown(came)}"
    return ""


def field_of(envelope: Envelope, name: str) -> Any:
    """`header:NAME`, `body`, `body:a.b` (JSON), or a field of the envelope itself; None when there is none."""
    kind, _, rest = name.partition(":")
    match kind:
        case "header":
            return envelope.header(rest) if isinstance(envelope, HttpRequest) else None
        case "body":
            return _at(_document(envelope), rest)
        case _:
            return getattr(envelope, kind, None)


def all_fields(envelope: Envelope) -> tuple[str, ...]:
    """What `strict` compares: all that the model says; an id of a packet or a token is the connection's business."""
    match envelope:
        case HttpRequest():
            headers = tuple(f"header:{name}" for name, _ in envelope.headers)
            return ("method", "target", *headers, "body")
        case _:
            left_out = {"origin", "packet_id", "token", "payload"}
            names = tuple(name for name in envelope.__dataclass_fields__ if name not in left_out)
            return (*names, "body")


def _document(envelope: Envelope) -> Any:
    """The JSON of a payload, or its bytes where it is none."""
    body = payload_of(envelope)
    if not isinstance(body, bytes):
        body = body_bytes(body) if len(body) <= MOST_COMPARED_BYTES else b""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _at(document: Any, path: str) -> Any:
    for key in filter(None, path.split(".")):
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _shown(value: object) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
