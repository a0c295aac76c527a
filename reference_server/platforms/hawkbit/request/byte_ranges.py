"""Which bytes of an artifact a request asks for (§2.8): `Range`, `If-Range`, `If-Match`, as the real server reads them.

Unlike RFC 9110, a `Range` that is malformed, of another unit, overlapping, or whose suffix is longer than the file is
refused with 416, and `If-Match` is compared with the bare sha1, without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from fleetrig.simulator.contract.http import Body, BodyPart, parts_of

BOUNDARY: Final = "THIS_STRING_SEPARATES_MULTIPART"
MULTIPART_TYPE: Final = f"multipart/byteranges; boundary={BOUNDARY}"
OCTETS: Final = "application/octet-stream"
RANGES: Final = re.compile(r"bytes=(\d*-\d*(?:,\d*-\d*)*)", re.ASCII)
GREATEST: Final = 2**63 - 1

ReadPart = Callable[[int, int], Body]
"""(offset_bytes, length_bytes) -> that part of the file."""


class Unsatisfiable(ValueError):
    """Answer 416 with `Content-Range: bytes */<length>`; the text says why."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Both ends included, as on the wire."""

    first: int
    last: int

    @property
    def length_bytes(self) -> int:
        return self.last - self.first + 1

    def content_range(self, total_bytes: int) -> str:
        return f"bytes {self.first}-{self.last}/{total_bytes}"


def parse_ranges(header: str, total_bytes: int, *, in_order: bool = True) -> tuple[ByteRange, ...]:
    """The ranges in order of their starts, or as they were asked for.

    Raises Unsatisfiable, and in the latter case ValueError for what broke older releases.
    """
    found = RANGES.fullmatch(header)
    if found is None:
        raise Unsatisfiable("not of the form bytes=a-b,a-,-n")
    ranges = [_parse_one(part, total_bytes) for part in found[1].split(",")]
    if not in_order:
        if ranges and min(one.first for one in ranges) < 0:
            raise ValueError("a suffix longer than the file")
        return tuple(ranges)
    ranges.sort(key=lambda one: one.first)
    end = 0
    for one in ranges:
        if one.first < end:
            raise Unsatisfiable("ranges overlap, or a suffix is longer than the file")
        end = one.last + 1
    return tuple(ranges)


def _parse_one(text: str, total_bytes: int) -> ByteRange:
    first_text, _, last_text = text.partition("-")
    numbers = [_number(part) for part in (first_text, last_text) if part]
    if not numbers or max(numbers) > GREATEST:
        raise Unsatisfiable("a range without numbers, or with one beyond 2^63 - 1")
    if not first_text:
        first, last = total_bytes - numbers[0], total_bytes - 1
    else:
        first, last = numbers[0], min(numbers[1], total_bytes - 1) if last_text else total_bytes - 1
    if first > last:
        raise Unsatisfiable("a range that begins after its end or after the end of the file")
    return ByteRange(first, last)


def _number(digits: str) -> int:
    """Beyond 2^63 - 1 one number is as good as another."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= len(str(GREATEST)) else GREATEST + 1


def wants_whole(if_range: str | None, etag: str, last_modified_ms: int) -> bool:
    """True when `If-Range` says that the client's part is of another file: the range is then ignored.

    A date is compared with the upload time in milliseconds, so the very `Last-Modified` that was sent (whole seconds)
    usually counts as older, in the real server too.
    """
    if if_range is None or if_range == etag:
        return False
    try:
        return parsedate_to_datetime(if_range).timestamp() * 1000 < last_modified_ms
    except ValueError:
        return True


def matches(if_match: str | None, sha1: str) -> bool:
    """False: answer 412. `*` and a list of bare sha1 sums are understood (S118)."""
    if if_match is None:
        return True
    return any(value.strip() in ("*", sha1) for value in if_match.split(","))


def multipart_body(ranges: tuple[ByteRange, ...], total_bytes: int, read: ReadPart) -> Body:
    """A `multipart/byteranges` body (RFC 9110 §14.6) without copying the file."""
    parts: list[BodyPart] = []
    for index, one in enumerate(ranges):
        opening = ("" if index == 0 else "\r\n") + f"--{BOUNDARY}\r\nContent-Type: {OCTETS}\r\n"
        parts.append(f"{opening}Content-Range: {one.content_range(total_bytes)}\r\n\r\n".encode())
        piece = read(one.first, one.length_bytes)
        parts.extend(parts_of(piece))
    parts.append(f"\r\n--{BOUNDARY}--".encode())
    return tuple(parts)


def bare_multipart_body(ranges: tuple[ByteRange, ...], total_bytes: int, read: ReadPart) -> Body:
    """As releases before 1.0 wrote it: the parts have no type, and nothing between their range and their bytes."""
    parts: list[BodyPart] = []
    for one in ranges:
        parts.append(f"\r\n--{BOUNDARY}\r\nContent-Range: {one.content_range(total_bytes)}\r\n".encode())
        piece = read(one.first, one.length_bytes)
        parts.extend(parts_of(piece))
    parts.append(f"\r\n--{BOUNDARY}--".encode())
    return tuple(parts)
