"""CoAP's message format (RFC 7252 §3), strictly: what breaks it is refused with the reason.

aiocoap's codec would take tokens of 15 bytes and a payload marker without payload, keeps every option number that it
has ever seen, and is what our devices use: a misunderstanding must not hide in code that both ends share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from fleetrig.simulator.contract.coap import CoapOptions
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.undecodable import Flaw

VERSION: Final = 1
HEADER_BYTES: Final = 4
LONGEST_TOKEN_BYTES: Final = 8
PAYLOAD_MARKER: Final = 0xFF
LARGEST_OPTION_NUMBER: Final = 65_535
MOST_OPTIONS: Final = 255
"""A URI of Proxy-Uri's 1,034 bytes has no more; a datagram has room for 65,000, which would cost 40 ms."""


class MessageType(IntEnum):
    CON = 0
    NON = 1
    ACK = 2
    RST = 3


TYPES: Final = tuple(MessageType)
EMPTY: Final = 0
"""The code of a message that is neither request nor response."""
METHODS: Final = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE", 5: "FETCH", 6: "PATCH", 7: "iPATCH"}
"""A method that is none of them goes by its code: `0.08`."""
LAST_METHOD: Final = 31
"""Codes of class 0 are those of requests, but for the empty message."""


@dataclass(frozen=True, slots=True)
class WireMessage:
    """`code` is the byte: class in the upper three bits, detail in the lower five. Options in ascending order."""

    type: MessageType
    code: int
    message_id: int
    token: bytes = b""
    options: CoapOptions = ()
    payload: bytes = b""


class MalformedMessage(Exception):
    """Bytes that are no CoAP message. `rejected_id`: what a RST to it must name; None where silence is due.

    `token`: of a confirmable request whose options cannot be read.
    """

    def __init__(
        self, why: str, flaw: Flaw = Flaw.MALFORMED, rejected_id: int | None = None, token: bytes | None = None
    ) -> None:
        super().__init__(why)
        self.why = why
        self.flaw = flaw
        self.rejected_id = rejected_id
        self.token = token


def decode(data: bytes) -> WireMessage:
    """Raises MalformedMessage, and nothing else. Of what is wrong with options it has the words of Californium."""
    if len(data) < HEADER_BYTES:
        raise MalformedMessage(f"{len(data)} bytes are no header")
    first, code = data[0], data[1]
    if first >> 6 != VERSION:
        raise MalformedMessage(f"version {first >> 6}", Flaw.UNKNOWN_VERSION)
    kind = TYPES[first >> 4 & 3]
    message_id = data[2] << 8 | data[3]
    token: bytes | None = None
    try:
        at = HEADER_BYTES + _token_bytes(first, code, data)
        token = data[HEADER_BYTES:at]
        options, payload = _options_and_payload(data, at)
    except ValueError as error:
        is_rejected = kind is MessageType.CON
        is_request = is_rejected and EMPTY < code <= LAST_METHOD
        raise MalformedMessage(
            str(error),
            rejected_id=message_id if is_rejected else None,
            token=token if is_request else None,
        ) from None
    return WireMessage(kind, code, message_id, token, options, payload)


def _token_bytes(first: int, code: int, data: bytes) -> int:
    token_bytes = first & 0x0F
    if token_bytes > LONGEST_TOKEN_BYTES:
        raise ValueError(f"a token length of {token_bytes}")
    if code == EMPTY and len(data) > HEADER_BYTES:
        raise ValueError("an empty message with something in it")
    if len(data) < HEADER_BYTES + token_bytes:
        raise ValueError("it ends within the token")
    return token_bytes


def _options_and_payload(data: bytes, at: int) -> tuple[CoapOptions, bytes]:
    options: list[tuple[int, bytes]] = []
    number, end = 0, len(data)
    while at < end:
        first = data[at]
        at += 1
        if first == PAYLOAD_MARKER:
            if at == end:
                raise ValueError("Found payload marker (0xFF) but message contains no payload")
            return tuple(options), data[at:]
        delta, length = first >> 4, first & 0x0F
        if delta > 12:
            delta, at = _extended(delta, data, at)
        if length > 12:
            length, at = _extended(length, data, at)
        number += delta
        if number > LARGEST_OPTION_NUMBER:
            raise ValueError(f"{number} invalid option number!")
        if at + length > end:
            raise ValueError(f"Message contains option of length {length} with only fewer bytes left in the message")
        if len(options) == MOST_OPTIONS:
            raise ValueError(f"more than {MOST_OPTIONS} options")
        options.append((number, data[at : at + length]))
        at += length
    return tuple(options), b""


def _extended(nibble: int, data: bytes, at: int) -> tuple[int, int]:
    """The number that stands for an option's delta or length of 13 and more, and where it ends."""
    if nibble == 15:
        raise ValueError("Message contains illegal option delta/length: 15")
    width = nibble - 12
    if at + width > len(data):
        raise ValueError("requested byte exceeds available bytes!")
    return int.from_bytes(data[at : at + width], "big") + (13 if width == 1 else 269), at + width


def encode(message: WireMessage) -> bytes:
    """Raises ModelError for what cannot be written: a long token, a number or value out of range."""
    try:
        head = bytes((VERSION << 6 | message.type << 4 | len(message.token), message.code))
        if len(message.token) > LONGEST_TOKEN_BYTES:
            raise ValueError(f"a token of {len(message.token)} bytes")
        parts = [head, message.message_id.to_bytes(2, "big"), message.token, *_encoded(message.options)]
    except (ValueError, OverflowError) as error:
        raise ModelError(f"no CoAP message can have {error}") from error
    if message.payload:
        parts += (b"\xff", message.payload)
    return b"".join(parts)


def _encoded(options: Iterable[tuple[int, bytes]]) -> Iterable[bytes]:
    before = 0
    for number, value in sorted(options, key=_number):
        delta, delta_bytes = _nibble(number - before)
        length, length_bytes = _nibble(len(value))
        yield bytes((delta << 4 | length,)) + delta_bytes + length_bytes + value
        before = number


def _number(option: tuple[int, bytes]) -> int:
    return option[0]


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    return 14, (value - 269).to_bytes(2, "big")


def code_text(code: int) -> str:
    """`2.05` of 69."""
    return f"{code >> 5}.{code & 0x1F:02}"


def code_number(text: str) -> int:
    """69 of `2.05`. Raises ModelError for what is no code."""
    upper, _, lower = text.partition(".")
    if not (upper.isdecimal() and lower.isdecimal() and int(upper) < 8 and int(lower) < 32):
        raise ModelError(f"CoAP has no code {text!r}")
    return int(upper) << 5 | int(lower)
