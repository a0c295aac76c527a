"""One HTTP answer as it arrives, read by geventhttpclient's parser (llhttp): the one that Locust's fast client uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from fleetrig.simulator.contract.http import Headers
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES

FIRST_FINAL: Final = 200


class ArrivingAnswer(HTTPResponseParser):
    """Feed it until `is_complete`; an end is fed as `b""`. Raises ValueError for what is no answer."""

    def __init__(self, method: str, take: Callable[[bytes], None] | None = None) -> None:
        """`take` gets the body block by block; without it `body` holds all, up to `REPLY_LIMIT_BYTES`."""
        super().__init__()
        self.has_begun = self.has_head = self.is_complete = False
        self.body = b""
        self._skips_body = method == "HEAD"
        self._take = take
        self._names: list[str] = []
        self._values: list[str] = []
        self._in_value = True

    @property
    def headers(self) -> Headers:
        """In their order and spelling."""
        return tuple(zip(self._names, self._values, strict=True))

    def arrived(self, data: bytes) -> None:
        """What has come; nothing at the end. Raises EOFError when nothing had come before the end, ValueError."""
        if not data and not self.has_begun:
            raise EOFError("the server has closed the connection")
        try:
            self.feed(data)
        except HTTPParseError as error:
            raise ValueError(str(error)) from None
        if not data and not self.is_complete:
            raise Truncated

    def _on_message_begin(self) -> None:
        self.has_begun = True
        self.has_head = self.is_complete = False
        self._names, self._values, self._in_value = [], [], True

    def _on_status(self, text: str) -> None:
        """Nobody asks for the phrase."""

    def _on_header_field(self, text: str) -> None:
        if self._in_value:
            self._names.append(text)
            self._values.append("")
            self._in_value = False
        else:
            self._names[-1] += text

    def _on_header_value(self, text: str) -> None:
        self._in_value = True
        self._values[-1] += text

    def _on_headers_complete(self) -> bool:
        self.has_head = self.get_code() >= FIRST_FINAL
        return self._skips_body

    def _on_body(self, block: bytes) -> None:
        if self._take is not None:
            self._take(bytes(block))
            return
        if len(self.body) + len(block) > REPLY_LIMIT_BYTES:
            raise ValueError(f"an answer of more than {REPLY_LIMIT_BYTES:,} bytes")
        self.body += bytes(block)

    def _on_message_complete(self) -> None:
        self.is_complete = self.get_code() >= FIRST_FINAL


class Truncated(Exception):
    """The connection ended in the middle of an answer."""
