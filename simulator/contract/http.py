"""HTTP as neutral envelopes: what goes over a wire, without saying which library carries it (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

Headers = tuple[tuple[str, str], ...]

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
UNSENDABLE: Final = re.compile(r"[^A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+")
"""What cannot stand in a request line as it is (RFC 3986 §3.3): servers answer 400 to it."""
URL: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A body that lies in a file: `length_bytes` from `offset_bytes` on. Read with `bodies`."""

    path: str
    offset_bytes: int
    length_bytes: int

    def __len__(self) -> int:
        return self.length_bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """A body that is one block over and over: `length_bytes` of that, from `offset_bytes` on.

    It is made as it is read, so an image of gigabytes takes no memory. Read with `bodies`."""

    block: bytes
    offset_bytes: int
    length_bytes: int

    def __len__(self) -> int:
        return self.length_bytes


BodyPart = bytes | FileSlice | Repeated
Body = BodyPart | tuple[BodyPart, ...]


def parts_of(body: Body) -> tuple[BodyPart, ...]:
    """The parts of a body in order."""
    return body if isinstance(body, tuple) else (body,)


def part_slice(part: BodyPart, offset_bytes: int, length_bytes: int) -> BodyPart:
    """At most `length_bytes` of a part, from `offset_bytes` on; nothing is read."""
    length_bytes = max(0, min(length_bytes, len(part) - offset_bytes))
    match part:
        case bytes():
            return part[offset_bytes : offset_bytes + length_bytes]
        case FileSlice(path, begins_at):
            return FileSlice(path, begins_at + offset_bytes, length_bytes)
        case Repeated(block, begins_at):
            return Repeated(block, begins_at + offset_bytes, length_bytes)


def body_slice(body: Body, offset_bytes: int, length_bytes: int) -> Body:
    """At most `length_bytes` of a body, from `offset_bytes` on; nothing is read."""
    slices: list[BodyPart] = []
    for part in parts_of(body):
        taken = part_slice(part, min(offset_bytes, len(part)), length_bytes)
        offset_bytes = max(0, offset_bytes - len(part))
        length_bytes -= len(taken)
        if taken:
            slices.append(taken)
    return slices[0] if len(slices) == 1 else tuple(slices) or b""


def body_length(body: Body) -> int:
    """Length of a body in bytes, in any form."""
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
    def line(self) -> str:
        """`GET /a`: how faults, refusals and traces speak of it."""
        return f"{self.method} {self.target.partition('?')[0]}"

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
    """One HTTP response; the front sets `Content-Length` unless the platform gives it (HEAD)."""

    status: int
    headers: Headers = ()
    body: Body = b""

    @property
    def line(self) -> str:
        return str(self.status)

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)


def sendable(target: str) -> str:
    """A path and query as they can be sent: what no URL may hold in percent-encoded UTF-8, all else as it is.

    Raises ValueError for a control character, and for what is no text (a lone surrogate).
    """
    if CONTROL.search(target):
        raise ValueError("a URL holds no control characters, and nothing that is no text")
    return UNSENDABLE.sub(lambda found: quote(found[0], safe=""), target)


def split_url(url: str) -> tuple[str, str]:
    """`http://host/a?b` -> (`http://host`, `/a?b`), nothing decoded or normalised: links are followed as given.

    Raises ValueError when there is no scheme and authority.
    """
    found = URL.fullmatch(url)
    if found is None:
        raise ValueError(f"expected an absolute http(s) URL, got {url[:200]!r}")
    scheme, authority, target = found.groups()
    return f"{scheme.lower()}://{authority}", target if target.startswith("/") else "/" + target
