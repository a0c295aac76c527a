"""A trace event as one line of JSON, and back.

    {"at_us": 1767225600000000, "seq": 3, "lane": "server", "kind": "refused", "device": "dev-1", "reason": "…",
     "session": 7, "envelope": {"response": {"status": 401, "headers": [["Pragma", "no-cache"]], "body": "text"}}}

Fields that are empty are left out. `envelope_json` says how envelopes are written. Secrets are masked; but for
them, and the content of files, nothing is lost.
"""

from __future__ import annotations

import json
from typing import Any, Final

from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.envelope_json import envelope_from_json, envelope_to_json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent

WORDS: Final = ("device", "stage", "fault", "reason", "cites", "name")
NUMBERS: Final = ("took_us", "session")
LATEST_ENVELOPES: Final = 32
"""From one event that tells of an envelope to the next there are hardly ever more others."""

LARGEST: Final = 2**63 - 1
LATEST_US: Final = 253_402_300_800 * US_PER_S
"""The end of the year 9999, beyond which there are no dates."""


in_json: Final = json.JSONEncoder(separators=(",", ":")).encode


class TraceLines:
    """Events as lines. Many tell of an envelope that the event before told of: it is written once."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._latest: dict[int, tuple[Envelope, str]] = {}
        """By the identity of the envelope, which is alive as long as it stands here."""
        self._forms = 0

    def line(self, event: TraceEvent) -> str:
        """One line, ASCII only, without its line end."""
        fields: dict[str, Any] = {"at_us": event.at_us, "seq": event.seq, "lane": event.lane, "kind": event.kind}
        for word in WORDS:
            if value := getattr(event, word):
                fields[word] = self._secrets.hide(value)
        if event.took_us:
            fields["took_us"] = event.took_us
        if event.session:
            fields["session"] = event.session
        line = in_json(fields)
        return line if event.envelope is None else f'{line[:-1]},"envelope":{self._envelope(event.envelope)}}}'

    def _envelope(self, envelope: Envelope) -> str:
        if len(self._latest) == LATEST_ENVELOPES or self._forms != self._secrets.forms:
            self._latest.clear()
            self._forms = self._secrets.forms
        if (known := self._latest.get(id(envelope))) is not None:
            return known[1]
        written = in_json(envelope_to_json(envelope, self._secrets))
        self._latest[id(envelope)] = envelope, written
        return written


def to_line(event: TraceEvent, secrets: Secrets) -> str:
    """One line, ASCII only, without its line end."""
    return TraceLines(secrets).line(event)


def _check_kinds(fields: dict[str, Any]) -> None:
    """Raises TypeError for a field that is neither left out nor what it must be."""
    for name in ("at_us", "seq", *NUMBERS):
        value = fields.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST:
            raise TypeError(f"{name} is no number of 64 bits")
    if not 0 <= fields.get("at_us", 0) < LATEST_US:
        raise ValueError("at_us is no time before the year 10000")
    for name in ("kind", *WORDS):
        if not isinstance(fields.get(name, ""), str):
            raise TypeError(f"{name} is no text")


def from_line(line: str) -> TraceEvent:
    """Raises ValueError for what is no such line."""
    try:
        fields = json.loads(line)
        _check_kinds(fields)
        words = {word: fields[word] for word in (*WORDS, *NUMBERS) if word in fields}
        envelope = envelope_from_json(fields["envelope"]) if "envelope" in fields else None
        words.setdefault("device", "")
        return TraceEvent(
            fields["at_us"], fields["seq"], lane=Lane(fields["lane"]), kind=fields["kind"], envelope=envelope, **words
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is no line of a trace ({error}): {line[:100]!r}") from error
