"""A CoAP client of exact messages over one UDP socket (RFC 7252): also how an answer came."""

from __future__ import annotations

import itertools
import secrets
import socket
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final, Protocol

from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench, system_said

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = 1, 2, 3, 4
URI_PATH, CONTENT_FORMAT, URI_QUERY = 11, 12, 15
REPEAT_AFTER_S: Final = 2.0
DATAGRAM_BYTES: Final = 65_536
VERSION: Final = 1
MOST_TOKEN_BYTES: Final = 8
PAYLOAD_MARKER: Final = 0xFF
EMPTY: Final = "0.00"


@dataclass(frozen=True, slots=True)
class CoapAnswer:
    """A message of the server. `type` is CON, NON, ACK or RST; `code` as people say it: `2.01`."""

    type: int
    code: str
    message_id: int
    token: bytes
    content_format: int | None
    payload: bytes
    came_separately: bool = False


class DatagramLink(Protocol):
    """As much of a connected datagram socket as is used here. `recv` raises TimeoutError and OSError."""

    def settimeout(self, within_s: float, /) -> None: ...

    def send(self, data: bytes, /) -> object: ...

    def recv(self, most_bytes: int, /) -> bytes: ...

    def close(self) -> None: ...


def _udp(host: str, port: int) -> DatagramLink:
    """Raises BrokenBench."""
    link = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.connect((host, port))
    except OSError as error:
        link.close()
        raise BrokenBench(f"{host}:{port} (CoAP): {system_said(error)}") from None
    return link


class ExactCoap:
    """One endpoint. Raises BrokenBench for a host that is unknown."""

    def __init__(self, host: str, port: int, within_s: float = 30.0, link: DatagramLink | None = None) -> None:
        """`link`: what messages go over, if not over plain UDP."""
        self.within_s = within_s
        self._ids = itertools.count(secrets.randbelow(30_000))
        self._socket = link or _udp(host, port)

    def request(
        self, code: int, path: str, payload: bytes = b"", kind: int = CON, content_format: int | None = None
    ) -> bytes:
        """The bytes of a new request. `path` may end in a query."""
        place, _, query = path.partition("?")
        options = [(URI_PATH, part.encode()) for part in place.removeprefix("/").split("/")]
        if content_format is not None:
            options.append((CONTENT_FORMAT, content_format.to_bytes(2).lstrip(b"\0")))
        options += [(URI_QUERY, part.encode()) for part in query.split("&") if part]
        token = secrets.token_bytes(4)
        head = bytes([0x40 | kind << 4 | len(token), code]) + (next(self._ids) & 0xFFFF).to_bytes(2, "big") + token
        return head + _options(options) + (b"\xff" + payload if payload else b"")

    def ask(
        self, code: int, path: str, payload: bytes = b"", kind: int = CON, content_format: int | None = None
    ) -> CoapAnswer:
        return self.exchange(self.request(code, path, payload, kind, content_format))

    def exchange(self, request: bytes) -> CoapAnswer:
        """Sends a request, repeats it until something comes, and returns its answer.

        What answers another message or another token is none of ours. Raises Mismatch for silence, a reset and what is
        no message of CoAP, BrokenBench when nobody listens.
        """
        ends_s, repeat_after_s, came_separately = monotonic() + self.within_s, REPEAT_AFTER_S, False
        self._socket.send(request)
        while (left_s := ends_s - monotonic()) > 0:
            answer = self._hear(left_s if came_separately else min(left_s, repeat_after_s))
            if answer is None and repeat_after_s < left_s and not came_separately:
                self._socket.send(request)
                repeat_after_s *= 2
            elif answer is None:
                break
            elif answer.code == EMPTY and _is_of_message(answer, request):
                if answer.type == RST:
                    raise Mismatch(Finding("an answer over CoAP", "a reset"))
                came_separately = came_separately or answer.type == ACK
            elif _answers(answer, request):
                if answer.type == CON:
                    self._socket.send(bytes([0x60, 0]) + answer.message_id.to_bytes(2, "big"))
                return replace(answer, came_separately=came_separately)
        raise Mismatch(Finding(f"an answer over CoAP within {self.within_s:g} s", "nothing"))

    def _hear(self, within_s: float) -> CoapAnswer | None:
        self._socket.settimeout(within_s)
        try:
            data = self._socket.recv(DATAGRAM_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise BrokenBench(f"nobody listens for CoAP: {system_said(error)}") from None
        try:
            return read(data)
        except (ValueError, IndexError) as wrong:
            raise Mismatch(Finding("a message of CoAP", f"{data[:40].hex()} ({wrong})")) from None

    def close(self) -> None:
        self._socket.close()


def _answers(answer: CoapAnswer, request: bytes) -> bool:
    """By its token; what comes within an acknowledgement by its message id, too (RFC 7252 5.3.2)."""
    is_ours = answer.type != ACK or _is_of_message(answer, request)
    return answer.code != EMPTY and answer.token == request[4:8] and is_ours


def _is_of_message(answer: CoapAnswer, request: bytes) -> bool:
    return answer.message_id == int.from_bytes(request[2:4], "big")


def read(data: bytes) -> CoapAnswer:
    """A message. Only the option Content-Format is kept. Raises ValueError or IndexError for what is none."""
    end = 4 + (data[0] & 15)
    if data[0] >> 6 != VERSION or end > 4 + MOST_TOKEN_BYTES or len(data) < end:
        raise ValueError("no header of version 1 with its token")
    head, rest, number, content_format = data[:end], data[end:], 0, None
    while rest and rest[0] != PAYLOAD_MARKER:
        delta, size = rest[0] >> 4, rest[0] & 15
        delta, rest = _extended(delta, rest[1:])
        size, rest = _extended(size, rest)
        number += delta
        if len(rest) < size:
            raise ValueError("an option is longer than the message")
        if number == CONTENT_FORMAT:
            content_format = int.from_bytes(rest[:size], "big")
        rest = rest[size:]
    if rest[:1] and not rest[1:]:
        raise ValueError("a payload marker without a payload")
    code = f"{head[1] >> 5}.{head[1] & 31:02d}"
    message_id = int.from_bytes(head[2:4], "big")
    return CoapAnswer(head[0] >> 4 & 3, code, message_id, head[4:], content_format, rest[1:])


def _extended(nibble: int, rest: bytes) -> tuple[int, bytes]:
    """RFC 7252 3.1: 13 and 14 say that the number stands in the next one or two bytes."""
    match nibble:
        case 13:
            return rest[0] + 13, rest[1:]
        case 14:
            return int.from_bytes(rest[:2], "big") + 269, rest[2:]
        case 15:
            raise ValueError("the reserved number 15 in an option")
        case _:
            return nibble, rest


def _options(options: list[tuple[int, bytes]]) -> bytes:
    """In the order of their numbers, as they are given here. Values shorter than 269 bytes."""
    found, before = b"", 0
    for number, value in options:
        size = len(value)
        short = min(size, 13)
        found += bytes([(number - before) << 4 | short]) + (bytes([size - 13]) if short == 13 else b"") + value
        before = number
    return found
