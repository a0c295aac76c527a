"""The data types of MQTT (MQTT 5 §1.5): read with every check that the standards ask for, and written."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.undecodable import Flaw

PARTS: Final = Bound(5_000, "properties or topic filters in a packet", "each takes 3 us, and others wait so long")
LARGEST_FIELD_BYTES: Final = 65_535
LARGEST_VARIABLE: Final = 268_435_455
"""Four bytes of seven bits."""


class BrokenPacket(Exception):
    """What came is no packet of MQTT. `why` is for a person."""

    def __init__(self, why: str, flaw: Flaw = Flaw.MALFORMED, missing_bytes: int = 0) -> None:
        """`missing_bytes`: of the field in which the packet ends."""
        super().__init__(why)
        self.why = why
        self.flaw = flaw
        self.missing_bytes = missing_bytes


def check_parts(count: int) -> None:
    """Raises BrokenPacket for more of them than one packet may have."""
    if count > PARTS.most:
        raise BrokenPacket(f"too many parts, expected {PARTS}", Flaw.TOO_LARGE)


class FieldReader:
    """Reads one packet's body field by field. Each method raises BrokenPacket, with the name of the field in it."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def is_at_end(self) -> bool:
        return self.at >= len(self.data)

    def byte(self, what: str) -> int:
        return self._take(1, what)[0]

    def two_bytes(self, what: str) -> int:
        at, data = self.at, self.data
        if at + 2 > len(data):
            raise _too_short(what, at + 2 - len(data))
        self.at = at + 2
        return data[at] << 8 | data[at + 1]

    def four_bytes(self, what: str) -> int:
        return int.from_bytes(self._take(4, what), "big")

    def packet_id(self) -> int:
        """Never 0 [MQTT-2.2.1-3]."""
        number = self.two_bytes("packet id")
        if not number:
            raise BrokenPacket("the packet id is 0", Flaw.PROTOCOL)
        return number

    def variable(self, what: str) -> int:
        """A variable byte integer, in as few bytes as it needs [MQTT-1.5.5-1]."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte(what)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if not byte and shift:
                    raise BrokenPacket(f"the {what} has more bytes than it needs")
                return value
        raise BrokenPacket(f"the {what} has more than four bytes")

    def binary(self, what: str) -> bytes:
        data, start = self.data, self.at + 2
        if start > len(data):
            raise _too_short(what, start - len(data))
        self.at = end = start + (data[start - 2] << 8 | data[start - 1])
        if end > len(data):
            raise _too_short(what, end - len(data))
        return data[start:end]

    def text(self, what: str, errors: str = "strict") -> str:
        """UTF-8 without surrogates and NUL [MQTT-1.5.4-1, MQTT-1.5.4-2]. With `errors` "replace" anything passes."""
        try:
            text = self.binary(what).decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise BrokenPacket(f"the {what} is no UTF-8: {error.reason}") from error
        if "\0" in text and errors == "strict":
            raise BrokenPacket(f"the {what} has the character U+0000 in it")
        return text

    def rest(self) -> bytes:
        data, self.at = self.data[self.at :], len(self.data)
        return data

    def expect_end(self) -> None:
        if self.at != len(self.data):
            raise BrokenPacket(f"{len(self.data) - self.at} bytes are left over at its end")

    def _take(self, count: int, what: str) -> bytes:
        start = self.at
        self.at = end = start + count
        if end > len(self.data):
            raise _too_short(what, end - len(self.data))
        return self.data[start:end]


def _too_short(what: str, missing_bytes: int) -> BrokenPacket:
    return BrokenPacket(f"it ends before its {what} does", missing_bytes=missing_bytes)


def variable_bytes(value: int) -> bytes:
    """Raises ModelError for what needs more than four bytes."""
    if value < 0x80:
        return bytes((value,))
    if value > LARGEST_VARIABLE:
        raise ModelError(f"MQTT has no number as large as {value}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def binary_bytes(data: bytes) -> bytes:
    """Raises ModelError for more than 65,535 bytes."""
    if len(data) > LARGEST_FIELD_BYTES:
        raise ModelError(f"a field of MQTT has at most {LARGEST_FIELD_BYTES:,} bytes, not {len(data):,}")
    return len(data).to_bytes(2, "big") + data


def text_bytes(text: str) -> bytes:
    """Raises ModelError for what MQTT has no form for."""
    try:
        return binary_bytes(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise ModelError(f"{text!r} cannot be written in UTF-8") from error
