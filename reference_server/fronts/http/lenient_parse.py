"""A lenient parser for a request that the HTTP library would not read, since real servers do read it.

Two such kinds are known: a method that the library does not know, which the platform is to refuse,
and a header given twice that decides nothing about where the message ends.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.fronts.http.request_intake import MAX_HEADERS, MAX_LINE_BYTES
from fleetrig.simulator.contract.http import Headers, HttpRequest

LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) (/[^\x00-\x20\x7f]*) HTTP/1\.[01]")
HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
FRAMING: Final = frozenset({"host", "content-length", "transfer-encoding"})


def lenient_parse(data: bytes) -> HttpRequest | None:
    """The request at the start of `data` with an empty origin, None when it is malformed or not whole."""
    head, end, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    line = LINE.fullmatch(first)
    headers = _headers(lines)
    if not end or line is None or headers is None or len(first) > MAX_LINE_BYTES:
        return None
    length = _length_bytes(headers)
    if length is None or length > len(rest):
        return None
    method, target = line.groups()
    return HttpRequest(
        method.decode("ascii"), "", target.decode("utf-8", "surrogateescape"), headers, body=rest[:length]
    )


def _headers(lines: list[bytes]) -> Headers | None:
    found = [HEADER.fullmatch(line) for line in lines]
    if len(lines) > MAX_HEADERS or any(len(line) > MAX_LINE_BYTES for line in lines):
        return None
    headers = tuple((m[1].decode("ascii"), m[2].decode("latin-1").rstrip()) for m in found if m is not None)
    names = [name.lower() for name, _ in headers]
    if len(headers) != len(lines) or any(names.count(name) > 1 for name in FRAMING) or "host" not in names:
        return None
    return headers


def _length_bytes(headers: Headers) -> int | None:
    """Length of the body; None where only a real reader could tell."""
    values = {name.lower(): value for name, value in headers}
    length = values.get("content-length", "0")
    if "transfer-encoding" in values or not (length.isascii() and length.isdecimal()):
        return None
    return int(length)
