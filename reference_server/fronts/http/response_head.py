"""A response head as bytes: exactly as the platform gave it, and the headers that belong to the front.

The front adds `Content-Length`, `Date` and, where the connection's rules ask for it, `Connection`; nothing else.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.http import Headers, HttpResponse, body_length, find_header

OURS: Final = frozenset({"content-length", "connection", "date", "transfer-encoding"})
"""Headers that the front sets, except `Content-Length` on an answer to HEAD and `Connection: close`."""

OK: Final = 200
BODILESS: Final = frozenset({204, 304})

STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}

KNOWN_HEADS: Final = 16_384
"""Of answers, each without its `Date`: a platform gives the same ones again and again."""

BREAKS_LINES: Final = re.compile(r"[\r\n\0]")


class KnownHead(NamedTuple):
    """What comes before the `Date` of an answer, and what else its head and its method decide."""

    before: bytes
    says_close: bool
    """The platform ends the connection with it."""
    has_body: bool


def says_close(response: HttpResponse, rules: HttpContainerRules) -> bool:
    """True when the platform or the status ends the connection."""
    return response.status in rules.closes_after or _asks_to_close(response.headers)


def has_body(method: str, status: int) -> bool:
    """False where HTTP forbids one (RFC 9110 §6.4.1)."""
    return method != "HEAD" and status >= OK and status not in BODILESS


def head_bytes(response: HttpResponse, method: str, says: tuple[str, str], now_us: int) -> bytes:
    """Status line and headers with the empty line. `says` is what `Connection` and `Keep-Alive` say, empty for none."""
    known = known_head(response.status, response.headers, body_length(response.body), method)
    return known.before + date_bytes(now_us // US_PER_S) + head_end(says)


@lru_cache(maxsize=KNOWN_HEADS)
def known_head(status: int, headers: Headers, body_bytes: int, method: str) -> KnownHead:
    """The same for all answers with these headers and as many bytes, so it is put together once."""
    lines = [STATUS_LINES.get(status) or f"HTTP/1.1 {status} "]
    lines += [begins + value for name, value in headers if (begins := _beginning(name))]
    if method == "HEAD" and (length := find_header(headers, "Content-Length")) is not None:
        lines.append(f"Content-Length: {length}")
    elif status >= OK and status not in BODILESS:
        lines.append(f"Content-Length: {body_bytes}")
    return KnownHead(_encoded(lines), _asks_to_close(headers), has_body(method, status))


@lru_cache(maxsize=16)
def head_end(says: tuple[str, str]) -> bytes:
    """What comes after the `Date`."""
    connection, keep_alive = says
    lines = [f"Keep-Alive: {keep_alive}"] if keep_alive else []
    if connection:
        lines.append(f"Connection: {connection}")
    return encoded(lines)


def encoded(lines: list[str]) -> bytes:
    """Lines of a head as bytes, with the empty line; nothing in them can begin another line."""
    return _encoded([*lines, ""])


def _encoded(lines: list[str]) -> bytes:
    lines = [*lines, ""]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        text = "\r\n".join(BREAKS_LINES.sub(" ", line) for line in lines)
    return text.encode("latin-1", "replace")


def date_line(now_us: int) -> str:
    """The value of the header `Date`."""
    return formatdate(now_us // US_PER_S, usegmt=True)


def _asks_to_close(headers: Headers) -> bool:
    return (find_header(headers, "Connection") or "").lower() == "close"


@lru_cache(maxsize=256)
def _beginning(name: str) -> str:
    """What the line of a header begins with; empty for one that the front sets."""
    return "" if name.lower() in OURS else f"{name}: "


@lru_cache(maxsize=4)
def date_bytes(now_s: int) -> bytes:
    return f"Date: {formatdate(now_s, usegmt=True)}\r\n".encode("ascii")
