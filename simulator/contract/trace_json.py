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
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.unreadable import why_no_json

WORDS: Final = ("device", "stage", "fault", "reason", "cites", "name")
NUMBERS: Final = ("took_us", "session")
LATEST_ENVELOPES: Final = 32
"""From one event that tells of an envelope to the next there are hardly ever more others."""

KEPT_BODY_BYTES: Final = 1_024
KEPT_ENVELOPES_CHARS: Final = 32 << 20
"""Of 10,000 devices what they ask for and are answered: 10 MiB."""
KEPT_TEXTS: Final = 65_536
KEPT_TEXT_CHARS: Final = 256

LARGEST: Final = 2**63 - 1
LATEST_US: Final = 253_402_300_800 * US_PER_S
"""The end of the year 9999, beyond which there are no dates."""


in_json: Final = json.JSONEncoder(separators=(",", ":")).encode


class TraceLines:
    """Events as lines. Many tell of an envelope that the event before told of, and devices say the same again and
    again: what is masked and written once is kept, until another secret is learnt."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._latest: dict[int, tuple[Envelope, str]] = {}
        """By the identity of the envelope, which is alive as long as it stands here."""
        self._written: dict[Envelope, str] = {}
        self._written_chars = 0
        self._texts: dict[str, str] = {}
        self._forms = 0

    def line(self, event: TraceEvent) -> str:
        """One line, ASCII only, without its line end."""
        if self._forms != (forms := self._secrets.forms):
            self._forget(forms)
        at_us, seq, device, lane, kind, envelope, stage, fault, reason, cites, name, took_us, session = event
        line = f'{{"at_us":{at_us},"seq":{seq},"lane":"{lane}","kind":{_kind(kind)}'
        if device:
            line += f',"device":{self._text(device)}'
        if stage:
            line += f',"stage":{self._text(stage)}'
        if fault:
            line += f',"fault":{self._text(fault)}'
        if reason:
            line += f',"reason":{self._text(reason)}'
        if cites or name:
            line += self._seldom(cites, name)
        if took_us or session:
            line += (f',"took_us":{took_us}' if took_us else "") + (f',"session":{session}' if session else "")
        return line + ("}" if envelope is None else f',"envelope":{self._envelope(envelope)}}}')

    def _seldom(self, cites: str, name: str) -> str:
        return "".join(f',"{word}":{self._text(text)}' for word, text in (("cites", cites), ("name", name)) if text)

    def _forget(self, forms: int) -> None:
        self._latest.clear()
        self._written.clear()
        self._texts.clear()
        self._written_chars, self._forms = 0, forms

    def _text(self, text: str) -> str:
        if (known := self._texts.get(text)) is not None:
            return known
        written = in_json(self._secrets.hide(text))
        if len(written) <= KEPT_TEXT_CHARS:
            if len(self._texts) >= KEPT_TEXTS:
                self._texts.clear()
            self._texts[text] = written
        return written

    def _envelope(self, envelope: Envelope) -> str:
        if (known := self._latest.get(id(envelope))) is not None:
            return known[1]
        if len(self._latest) == LATEST_ENVELOPES:
            self._latest.clear()
        written = self._small(envelope) if _is_small(envelope) else self._anew(envelope)
        self._latest[id(envelope)] = envelope, written
        return written

    def _small(self, envelope: Envelope) -> str:
        written = self._written.get(envelope)
        if written is None:
            written = self._anew(envelope)
            self._written_chars += len(written)
            if self._written_chars > KEPT_ENVELOPES_CHARS:
                self._written.clear()
                self._written_chars = len(written)
            self._written[envelope] = written
        return written

    def _anew(self, envelope: Envelope) -> str:
        """Masked by its parts, and once more as a whole: a secret may stand where none is looked for."""
        return self._secrets.hide_known(in_json(envelope_to_json(envelope, self._secrets)))


def _kind(kind: str) -> str:
    """Ours are plain words; a server that stands elsewhere may send anything."""
    return f'"{kind}"' if kind.isascii() and kind.isidentifier() else in_json(kind)


def _is_small(envelope: Envelope) -> bool:
    """Of HTTP, with a body that costs little to compare."""
    if not isinstance(envelope, HttpRequest | HttpResponse):
        return False
    return isinstance(envelope.body, bytes) and len(envelope.body) <= KEPT_BODY_BYTES


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
        why = why_no_json(error) if isinstance(error, ValueError) else "a member is missing, or of another form"
        raise ValueError(f"this is no line of a trace ({why}): {line[:100]!r}") from error
