"""Where a body ends: after so many bytes, or in chunks (RFC 9112 §7.1) as a servlet container reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

EXTENSION_BYTES: Final = 8192
"""Of all chunks of a body together."""
TRAILER_BYTES: Final = 8192
CHUNK_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(;[\t\x20-\x7e]*)?\r\n")
PLAIN_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
UNFINISHED_HEAD: Final = re.compile(rb"[0-9A-Fa-f]{0,8}(?:(?<=[0-9A-Fa-f])(?:;[\t\x20-\x7e]*)?\r?)?\Z")
TRAILER: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:|[ \t])[^\x00-\x08\x0a-\x1f\x7f]*")


class BrokenFraming(Exception):
    """Chunks that are none: nobody can tell where the body ends."""


class BodyFraming(Protocol):
    """`take` gets what has come and gives (bytes of the body, how many bytes it is done with); `is_done` at the end."""

    is_done: bool

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Raises BrokenFraming."""


class LengthFraming:
    """A body with a `Content-Length`."""

    def __init__(self, length_bytes: int) -> None:
        self._left_bytes = length_bytes
        self.is_done = length_bytes == 0

    def take(self, data: bytes) -> tuple[bytes, int]:
        taken = data if len(data) <= self._left_bytes else data[: self._left_bytes]
        self._left_bytes -= len(taken)
        self.is_done = self._left_bytes == 0
        return taken, len(taken)


class ChunkedFraming:
    """A body in chunks; what follows the last one, up to an empty line, is read and left."""

    def __init__(self) -> None:
        self.is_done = False
        self._left_bytes = 0
        self._extensions_bytes = 0
        self._trailers_bytes = 0
        self._step: Callable[[bytes, int, list[bytes]], int] = self._take_head

    def take(self, data: bytes) -> tuple[bytes, int]:
        parts: list[bytes] = []
        at = self._take_plain(data, parts) if self._step == self._take_head else 0
        while not self.is_done and at < len(data):
            next_at = self._step(data, at, parts)
            if next_at == at:
                break
            at = next_at
        return b"".join(parts), at

    def _take_plain(self, data: bytes, parts: list[bytes]) -> int:
        """As many whole chunks without extensions as there are: in quick steps, since chunks may be tiny."""
        at = 0
        while (found := PLAIN_HEAD.match(data, at)) is not None:
            start = found.end()
            end = start + int(found[1], 16)
            if end == start or data[end : end + 2] != b"\r\n":
                break
            parts.append(data[start:end])
            at = end + 2
        return at

    def _take_head(self, data: bytes, at: int, _: list[bytes]) -> int:
        found = CHUNK_HEAD.match(data, at)
        if found is None:
            if UNFINISHED_HEAD.match(data, at) is None or len(data) - at > EXTENSION_BYTES:
                raise BrokenFraming(f"no size of a chunk: {data[at : at + 20]!r}")
            return at
        self._left_bytes = int(found[1], 16)
        self._extensions_bytes += len(found[2] or b"")
        if self._left_bytes >= 2**31 or self._extensions_bytes > EXTENSION_BYTES:
            raise BrokenFraming(f"a chunk of {self._left_bytes} bytes, or extensions over {EXTENSION_BYTES} bytes")
        self._step = self._take_bytes if self._left_bytes else self._take_trailer
        return found.end()

    def _take_bytes(self, data: bytes, at: int, parts: list[bytes]) -> int:
        part = data[at : at + self._left_bytes]
        if part:
            parts.append(part)
            self._left_bytes -= len(part)
        if not self._left_bytes:
            self._step = self._take_end
            return self._take_end(data, at + len(part), parts)
        return at + len(part)

    def _take_end(self, data: bytes, at: int, _: list[bytes]) -> int:
        end = data[at : at + 2]
        if not b"\r\n".startswith(end):
            raise BrokenFraming(f"a chunk is longer than it said: {data[at : at + 20]!r}")
        if len(end) < 2:
            return at
        self._step = self._take_head
        return at + 2

    def _take_trailer(self, data: bytes, at: int, _: list[bytes]) -> int:
        end = data.find(b"\r\n", at, at + TRAILER_BYTES + 2)
        if end < 0:
            if len(data) - at > TRAILER_BYTES:
                raise BrokenFraming(f"trailers over {TRAILER_BYTES} bytes")
            return at
        self._trailers_bytes += end - at
        if end == at:
            self.is_done = True
        elif self._trailers_bytes > TRAILER_BYTES or not TRAILER.fullmatch(data, at, end):
            raise BrokenFraming(f"no trailer, or over {TRAILER_BYTES} bytes of them: {data[at : at + 20]!r}")
        return end + 2
