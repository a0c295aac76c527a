"""The parser of one connection in the place of aiohttp's own: heads and bodies as a servlet container reads them.

aiohttp calls `feed_data` with what comes, and takes the messages from it; each has its head and a stream of its body.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import HttpVersion, streams
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import ERROR as NO_MESSAGE

from fleetrig.reference_server.fronts.http.body_framing import (
    BodyFraming,
    BrokenFraming,
    ChunkedFraming,
    LengthFraming,
)
from fleetrig.reference_server.fronts.http.request_head import (
    HEAD_BYTES,
    HTTP_1_1,
    Malformed,
    RequestHead,
    find_head,
    parse_head,
)

STREAM_BYTES: Final = 64 * 1024
"""How much of a body waits to be read before the client has to wait."""
MOST_WAITING: Final = 32
"""Requests of one connection that wait for their turn."""


class RequestStream(streams.StreamReader):
    """The head of a request, or why there is none, and its body as it comes."""

    __slots__ = ("head",)

    def __init__(self, head: RequestHead | Malformed, protocol: BaseProtocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, STREAM_BYTES, loop=loop)
        self.head = head

    @property
    def has_arrived(self) -> bool:
        """All of it has come, read or not."""
        return self._eof

    @property
    def broken(self) -> BaseException | None:
        return self._exception


class RequestParser:
    """What aiohttp asks of a parser. Ends at the first head or body that nobody can read."""

    def __init__(self, protocol: BaseProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self._protocol = protocol
        self._loop = loop
        self._data = b""
        self._stream: RequestStream | None = None
        """The body that is coming."""
        self._framing: BodyFraming = LengthFraming(0)
        self._is_paused = False
        self._is_over = False
        self._waiting = 0

    def feed_data(self, data: bytes) -> tuple[list[tuple[RawRequestMessage, RequestStream]], bool, bytes]:
        self._data = self._data + data if self._data else data
        self._is_paused = False
        messages: list[tuple[RawRequestMessage, RequestStream]] = []
        while not self._is_over and not self._is_paused:
            if self._stream is not None:
                if not self._feed_body(self._stream):
                    break
            elif self._waiting >= MOST_WAITING or (message := self._next_message()) is None:
                break
            else:
                messages.append(message)
                self._waiting += 1
        if self._is_over:
            self._data = b""
        return messages, False, b""

    def stop(self) -> None:
        """What comes from now on is thrown away."""
        self._is_over = True
        self._stream = None
        self._data = b""

    def feed_eof(self) -> None:
        """The client sends no more: a body that has not come whole never will."""
        if self._stream is not None:
            self._stream.set_exception(ConnectionResetError("the client stopped in the middle of a body"))
            self._stream = None
            self._is_over = True

    def message_consumed(self) -> None:
        self._waiting -= 1

    def pause_reading(self) -> None:
        """What has come already waits until `feed_data` is called again."""
        self._is_paused = True

    def set_upgraded(self, val: bool) -> None:
        raise NotImplementedError("nothing is ever upgraded")

    def _feed_body(self, stream: RequestStream) -> bool:
        """True when more can be read out of what has come."""
        try:
            block, used = self._framing.take(self._data)
        except BrokenFraming as broken:
            self._is_over = True
            stream.set_exception(broken)
            return False
        self._data = self._data[used:]
        if self._framing.is_done:
            self._stream = None
        if block:
            stream.feed_data(block)
        if self._framing.is_done:
            stream.feed_eof()
            return True
        return False

    def _next_message(self) -> tuple[RawRequestMessage, RequestStream] | None:
        if self._data[:1] in (b"\r", b"\n"):
            self._data = self._data.lstrip(b"\r\n")
        if not self._data:
            return None
        try:
            end = find_head(self._data[: HEAD_BYTES + 1] if len(self._data) > HEAD_BYTES else self._data)
            if not end:
                return None
            head = parse_head(self._data[:end])
        except Malformed as malformed:
            self._is_over = True
            return self._message(malformed)
        self._data = self._data[end:]
        return self._message(head)

    def _message(self, head: RequestHead | Malformed) -> tuple[RawRequestMessage, RequestStream]:
        stream = RequestStream(head, self._protocol, self._loop)
        if isinstance(head, Malformed):
            stream.feed_eof()
            message = _raw(head.method, "", HTTP_1_1, keeps=False)
            return message, stream
        self._framing = ChunkedFraming() if head.length_bytes is None else LengthFraming(head.length_bytes)
        if self._framing.is_done:
            stream.feed_eof()
        else:
            self._stream = stream
        self._is_over = head.version < (1, 0)
        return _raw(head.method, head.target, head.version, keeps=head.keeps), stream


def _raw(method: str, target: str, version: tuple[int, int], *, keeps: bool) -> RawRequestMessage:
    """What aiohttp has to know. Headers are in the stream's head: aiohttp would read them its own way."""
    return NO_MESSAGE._replace(method=method, path=target, version=HttpVersion(*version), should_close=not keeps)
