"""What was said over a wire in full, for `--verbose`: fields and headers, and the body as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any, Final

from fleetrig.harness.traces.message_words import size_text
from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.http import BodyPart, HttpRequest, HttpResponse, parts_of

MOST_LINES: Final = 40
MOST_LINE_CHARS: Final = 2_000
MOST_DUMPED_BYTES: Final = 256
DUMP_BYTES: Final = 16
SHOWN_APART: Final = frozenset({"payload", "body"})

ReadBody = Callable[[bytes], object]
"""A platform's: the document that a payload stands for. Raises ValueError for what is none."""


def detail_lines(envelope: Envelope, read_body: ReadBody | None = None) -> Iterator[str]:
    """Headers or fields first, then the body; of what is long the beginning, and how much more there is."""
    match envelope:
        case HttpRequest(origin=origin, headers=headers):
            yield f"to {origin}"
            yield from (f"{name}: {value}" for name, value in headers)
        case HttpResponse(headers=headers):
            yield from (f"{name}: {value}" for name, value in headers)
        case _:
            yield from _field_lines(envelope)
    body = [line for part in parts_of(payload_of(envelope)) if len(part) for line in _part_lines(part, read_body)]
    yield from bounded(body)


def bounded(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:MOST_LINES]:
        yield line if len(line) <= MOST_LINE_CHARS else f"{line[:MOST_LINE_CHARS]} … {len(line):,} characters"
    if len(lines) > MOST_LINES:
        yield f"… {len(lines) - MOST_LINES:,} more lines; --raw shows them"


def _field_lines(envelope: Envelope) -> Iterator[str]:
    for field in fields(envelope):
        value = getattr(envelope, field.name)
        if field.name in SHOWN_APART or value == (None if field.default is MISSING else field.default):
            continue
        yield f"{field.name}: {_field_text(value)}"


def _field_text(value: Any) -> str:
    match value:
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case tuple() if value and isinstance(value[0], tuple):
            return ", ".join(" ".join(map(_field_text, pair)) for pair in value)
        case tuple():
            return ", ".join(map(_field_text, value))
        case _:
            return str(value)


def _part_lines(part: BodyPart, read_body: ReadBody | None) -> list[str]:
    if not isinstance(part, bytes):
        return [f"({size_text(len(part))} that this trace does not hold)"]
    document = _document_in(part, read_body)
    if document is not None:
        return json.dumps(document, indent=2, ensure_ascii=False, default=str).splitlines()
    try:
        return part.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return list(_dump(part))


def _document_in(part: bytes, read_body: ReadBody | None) -> object:
    """None for what is no document."""
    for read in (json.loads, read_body):
        try:
            if read is not None and isinstance(document := read(part), dict | list):
                return document
        except (ValueError, RecursionError):
            continue
    return None


def _dump(content: bytes) -> Iterator[str]:
    """As hexdump does it."""
    for at in range(0, min(len(content), MOST_DUMPED_BYTES), DUMP_BYTES):
        row = content[at : at + DUMP_BYTES]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{at:04x}  {row.hex(' '):<{3 * DUMP_BYTES}} {shown}"
    if len(content) > MOST_DUMPED_BYTES:
        yield f"… {size_text(len(content) - MOST_DUMPED_BYTES)} more"
