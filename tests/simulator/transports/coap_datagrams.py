"""CoAP datagrams as bytes (RFC 7252 §3), written for the tests alone: neither aiocoap nor the server's codec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

Options = tuple[tuple[int, bytes], ...]


class Kind(IntEnum):
    CON = 0
    NON = 1
    ACK = 2
    RST = 3


CON, NON, ACK, RST = Kind
OBSERVE, BLOCK2, BLOCK1 = 6, 23, 27


@dataclass(frozen=True)
class Datagram:
    """`code` as people write it: `0.01` is GET, `0.00` an empty message."""

    kind: Kind
    code: str
    mid: int
    token: bytes = b""
    options: Options = ()
    payload: bytes = b""

    def option(self, number: int) -> bytes | None:
        return next((value for known, value in self.options if known == number), None)


def encode(datagram: Datagram) -> bytes:
    """The options must be in order."""
    class_, _, detail = datagram.code.partition(".")
    head = bytes([0x40 | datagram.kind << 4 | len(datagram.token), int(class_) << 5 | int(detail)])
    data, last = head + datagram.mid.to_bytes(2, "big") + datagram.token, 0
    for number, value in datagram.options:
        (delta, more_delta), (length, more_length) = _nibble(number - last), _nibble(len(value))
        data += bytes([delta << 4 | length]) + more_delta + more_length + value
        last = number
    return data + (b"\xff" + datagram.payload if datagram.payload else b"")


def decode(data: bytes) -> Datagram:
    token_end = 4 + (data[0] & 15)
    options, at, number = [], token_end, 0
    while at < len(data) and data[at] != 0xFF:
        head, at = data[at], at + 1
        delta, at = _extended(head >> 4, data, at)
        length, at = _extended(head & 15, data, at)
        number += delta
        options.append((number, data[at : at + length]))
        at += length
    code = f"{data[1] >> 5}.{data[1] & 31:02}"
    mid = int.from_bytes(data[2:4], "big")
    return Datagram(Kind(data[0] >> 4 & 3), code, mid, data[4:token_end], tuple(options), data[at + 1 :])


def block(number: int, more: bool, exponent: int) -> bytes:
    """The value of Block1 and Block2 (RFC 7959 §2.2)."""
    return number_bytes(number << 4 | more << 3 | exponent)


def number_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    return (13, bytes([value - 13])) if value < 269 else (14, (value - 269).to_bytes(2, "big"))


def _extended(value: int, data: bytes, at: int) -> tuple[int, int]:
    if value < 13:
        return value, at
    if value == 13:
        return data[at] + 13, at + 1
    return int.from_bytes(data[at : at + 2], "big") + 269, at + 2
