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
from fleetrig.simulator.contract.envelope_json import envelope_from_json, envelope_to_json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent

WORDS: Final = ("device", "stage", "fault", "reason", "cites", "name")
NUMBERS: Final = ("took_us", "session")
LARGEST: Final = 2**63 - 1
LATEST_US: Final = 253_402_300_800 * US_PER_S
"""The end of the year 9999, beyond which there are no dates."""


def to_line(event: TraceEvent, secrets: Secrets) -> str:
    """One line, ASCII only, without its line end."""
    fields: dict[str, Any] = {"at_us": event.at_us, "seq": event.seq, "lane": event.lane, "kind": event.kind}
    for word in WORDS:
        if value := getattr(event, word):
            fields[word] = secrets.hide(value)
    if event.took_us:
        fields["took_us"] = event.took_us
    if event.session:
        fields["session"] = event.session
    if event.envelope is not None:
        fields["envelope"] = envelope_to_json(event.envelope, secrets)
    return json.dumps(fields, separators=(",", ":"))


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
