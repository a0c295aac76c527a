"""A request to the management API: its size and its headers (spec 1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted

MOST_BYTES: Final = 2048
"""Of a body, by default, in both stock registries; their guides say 16000."""


def request_causes(size_bytes: int, content_type: str, if_match: str) -> Iterator[Diagnosis]:
    """`if_match`: empty for none."""
    if size_bytes > MOST_BYTES:
        yield Diagnosis(
            "body-too-large", Weight.CAUSE,
            f"The document has {size_bytes} bytes; stock registries take {MOST_BYTES} (413), though their guides say "
            "16000.",
            "Leave out blanks and what is a default, give authorities by key instead of cert, or raise "
            "hono.registry.http.maxPayloadSize.",
        )  # fmt: skip
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        yield Diagnosis(
            "content-type", Weight.CAUSE,
            f"The request has {'no Content-Type' if not kind else f'the Content-Type {quoted(content_type)}'}: the "
            f"registry answers 400 Unsupported Content-Type [{kind}].",
            "Send Content-Type: application/json with every body (curl: -H 'content-type: application/json').",
        )  # fmt: skip
    yield from _if_match(if_match)


def _if_match(if_match: str) -> Iterator[Diagnosis]:
    said = if_match.strip()
    if said.startswith(('"', "W/")) or said == "*" or "," in said:
        yield Diagnosis(
            "if-match-form", Weight.CAUSE,
            f"If-Match is {said!r}: Hono compares it letter by letter with the ETag, which is a bare UUID without "
            "quotation marks. Quotes, W/, lists and * never fit: 412 resource version mismatch.",
            "Send the ETag as it came, without quotation marks.",
        )  # fmt: skip
