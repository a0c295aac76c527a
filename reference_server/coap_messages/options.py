"""CoAP's options: which a server knows, how long and how often they may be, and the numbers in them.

RFC 7252 §5.10, observe RFC 7641 §2, blocks RFC 7959 §2.1 and §4, No-Response RFC 7967, Request-Tag RFC 9175 §3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from fleetrig.simulator.contract.coap import CoapOptions


class OptionNumber(IntEnum):
    IF_MATCH = 1
    URI_HOST = 3
    ETAG = 4
    IF_NONE_MATCH = 5
    OBSERVE = 6
    URI_PORT = 7
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    URI_QUERY = 15
    ACCEPT = 17
    BLOCK2 = 23
    BLOCK1 = 27
    SIZE2 = 28
    PROXY_URI = 35
    PROXY_SCHEME = 39
    SIZE1 = 60
    NO_RESPONSE = 258
    REQUEST_TAG = 292


@dataclass(frozen=True, slots=True)
class OptionForm:
    """How an option may look in a request."""

    least_bytes: int
    most_bytes: int
    is_repeatable: bool = False


FORMS: Final[dict[int, OptionForm]] = {
    OptionNumber.IF_MATCH: OptionForm(0, 8, is_repeatable=True),
    OptionNumber.URI_HOST: OptionForm(1, 255),
    OptionNumber.ETAG: OptionForm(1, 8, is_repeatable=True),
    OptionNumber.IF_NONE_MATCH: OptionForm(0, 0),
    OptionNumber.OBSERVE: OptionForm(0, 3),
    OptionNumber.URI_PORT: OptionForm(0, 2),
    OptionNumber.URI_PATH: OptionForm(0, 255, is_repeatable=True),
    OptionNumber.CONTENT_FORMAT: OptionForm(0, 2),
    OptionNumber.MAX_AGE: OptionForm(0, 4),
    OptionNumber.URI_QUERY: OptionForm(0, 255, is_repeatable=True),
    OptionNumber.ACCEPT: OptionForm(0, 2),
    OptionNumber.BLOCK2: OptionForm(0, 3),
    OptionNumber.BLOCK1: OptionForm(0, 3),
    OptionNumber.SIZE2: OptionForm(0, 4),
    OptionNumber.PROXY_URI: OptionForm(1, 1034),
    OptionNumber.PROXY_SCHEME: OptionForm(1, 255),
    OptionNumber.SIZE1: OptionForm(0, 4),
    OptionNumber.NO_RESPONSE: OptionForm(0, 1),
    OptionNumber.REQUEST_TAG: OptionForm(0, 8, is_repeatable=True),
}


def usable(options: CoapOptions, further: frozenset[int]) -> tuple[CoapOptions, str]:
    """The options that count, and what is wrong with a critical one; empty if nothing is.

    What is too long, too short or repeated counts as unknown (RFC 7252 §5.4.3, §5.4.5), and what is unknown is left
    out if it is elective (§5.4.1).
    """
    kept: list[tuple[int, bytes]] = []
    before = 0
    for option in options:
        number, value = option
        form = FORMS.get(number)
        if form is None:
            fits = number in further
        else:
            is_again = number == before and not form.is_repeatable
            fits = form.least_bytes <= len(value) <= form.most_bytes and not is_again
        if fits:
            kept.append(option)
        elif number & 1:
            return (), f"the critical option {number} is unknown or has no such value"
        before = number
    return tuple(kept), ""


def first(options: CoapOptions, number: int) -> bytes | None:
    for one, value in options:
        if one == number:
            return value
    return None


def without(options: CoapOptions, numbers: Iterable[int]) -> CoapOptions:
    return tuple([option for option in options if option[0] not in numbers])


def uint(value: bytes) -> int:
    return int.from_bytes(value, "big")


def uint_bytes(value: int) -> bytes:
    """As short as it goes: 0 has no bytes (RFC 7252 §3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


RESERVED_SIZE_EXPONENT: Final = 7


@dataclass(frozen=True, slots=True)
class Block:
    """Block1 or Block2 (RFC 7959 §2.2): `number` of blocks of 2 to the power of (`size_exponent` + 4) bytes."""

    number: int
    has_more: bool
    size_exponent: int

    @property
    def size_bytes(self) -> int:
        return 1 << (self.size_exponent + 4)

    @property
    def offset_bytes(self) -> int:
        return self.number << (self.size_exponent + 4)

    def to_bytes(self) -> bytes:
        return uint_bytes(self.number << 4 | self.has_more << 3 | self.size_exponent)


def block_of(options: CoapOptions, number: int) -> Block | None:
    value = first(options, number)
    if value is None:
        return None
    as_uint = uint(value)
    return Block(as_uint >> 4, bool(as_uint & 8), as_uint & 7)
