"""Neutral envelopes: what goes over a wire, without saying which library carries it.

Devices and servers share these shapes and nothing else: what a platform's words mean is written twice, once in
`simulator.flows` and once in `reference_server.platforms`, so that a misunderstanding cannot hide in shared code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Headers = tuple[tuple[str, str], ...]

URL: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A body that lies in a file: `length_bytes` from `offset_bytes` on. Read with `bodies`."""

    path: str
    offset_bytes: int
    length_bytes: int

    def __len__(self) -> int:
        return self.length_bytes


Body = bytes | FileSlice | tuple[bytes | FileSlice, ...]


def body_length(body: Body) -> int:
    """Length of a body in bytes, whatever its form."""
    return sum(map(len, body)) if isinstance(body, tuple) else len(body)


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of a header, its name compared without regard to case (RFC 9110 §5.1)."""
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request. `origin` is scheme and authority (`http://host:8080`), `target` raw path and query as sent."""

    method: str
    origin: str
    target: str
    headers: Headers = ()
    body: Body = b""

    @property
    def url(self) -> str:
        return self.origin + self.target

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP response; `Content-Length` is the front's business unless the platform gives it (HEAD)."""

    status: int
    headers: Headers = ()
    body: Body = b""

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


def split_url(url: str) -> tuple[str, str]:
    """`http://host/a?b` -> (`http://host`, `/a?b`), nothing decoded or normalised: links are followed as given.

    Raises ValueError when there is no scheme and authority.
    """
    found = URL.fullmatch(url)
    if found is None:
        raise ValueError(f"expected an absolute http(s) URL, got {url[:200]!r}")
    scheme, authority, target = found.groups()
    return f"{scheme.lower()}://{authority}", target if target.startswith("/") else "/" + target


@dataclass(frozen=True, slots=True)
class Session:
    """What a front knows of the connection an envelope came on."""

    peer: str = "127.0.0.1"
    local_port: int = 80


class Ending(StrEnum):
    """How an answer reaches the other side; everything but WHOLE is a fault."""

    WHOLE = "whole"
    REFUSED = "refused"  # as if nobody listened
    RESET = "reset"  # TCP RST instead of an answer
    SILENCE = "silence"  # no answer at all, the connection stays open
    CLOSED = "closed"  # the connection is closed without an answer
    TRUNCATED = "truncated"  # headers promise more bytes than come


class Framing(StrEnum):
    """In which of the forms that HTTP allows an answer comes (RFC 9112 §6)."""

    LENGTH = "length"  # Content-Length, the connection lives on
    CHUNKED = "chunked"  # Transfer-Encoding: chunked
    CLOSE = "close"  # Content-Length and Connection: close
    HTTP10 = "http10"  # HTTP/1.0, no length: the body ends with the connection


@dataclass(frozen=True, slots=True)
class Delivery:
    """A server's answer and what becomes of it on the way: performed by a front or by the memory transport."""

    response: HttpResponse | None
    ending: Ending = Ending.WHOLE
    delay_us: int = 0
    cut_after_bytes: int | None = None
    """TRUNCATED: how much of the body comes through; half of it when not said."""
    framing: Framing = Framing.LENGTH
    bytes_per_s: float | None = None
    """How slowly the body comes; as fast as it can when not said."""
    as_given: frozenset[str] = frozenset()
    """Headers (small letters) that are sent as the response has them, though they are the front's business."""


Handler = Callable[[HttpRequest, Session, int], Delivery]
"""`handle(request, session, now_us)`: a server as the memory transport and the fronts see it."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
