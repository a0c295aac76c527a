"""The receiving end of XMODEM with CRC, as fake boards have it: 128 and 1024 byte blocks. No I/O.

A repeated block (its acknowledgement was lost) is acknowledged and dropped; a damaged one is asked for again.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Final

SOH: Final = 0x01
STX: Final = 0x02
EOT: Final = 0x04
ACK: Final = b"\x06"
NAK: Final = b"\x15"
CAN: Final = 0x18
CTRL_C: Final = 0x03
ASKS: Final = b"C"
"""For the first block, with CRC."""
CANS_TO_GIVE_UP: Final = 3
SIZES: Final = {SOH: 128, STX: 1024}


@dataclass(slots=True)
class XmodemReceiving:
    """`data` grows; it ends with `is_whole` or `is_given_up`."""

    data: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    is_given_up: bool = False
    has_begun: bool = False
    repeated: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _next: int = 1
    _cans: int = 0

    @property
    def has_ended(self) -> bool:
        return self.is_whole or self.is_given_up

    def feed(self, data: bytes) -> bytes:
        """What is answered to it. Bytes after the end are in `rest`."""
        self._held += data
        answers = b""
        while self._held and not self.has_ended:
            answer = self._step()
            if answer is None:
                break
            answers += answer
        return answers

    def nothing_came(self) -> bytes:
        """What is said when the sender has been silent for a character's time."""
        self._held.clear()
        return NAK if self.has_begun else ASKS

    @property
    def rest(self) -> bytes:
        return bytes(self._held)

    def _step(self) -> bytes | None:
        """Takes one thing off what is held; None until more has come."""
        first = self._held[0]
        size = SIZES.get(first)
        if size is not None:
            self._cans = 0
            return self._block(size) if len(self._held) >= size + 5 else None
        del self._held[0]
        self._cans = self._cans + 1 if first == CAN else 0
        self.is_given_up = self._cans >= CANS_TO_GIVE_UP or (first == CTRL_C and not self.has_begun)
        if first == EOT:
            self.is_whole = True
            return ACK
        return b""  # noise between blocks

    def _block(self, size: int) -> bytes:
        block = bytes(self._held[: size + 5])
        number, inverse, data = block[1], block[2], block[3 : 3 + size]
        if number != 255 - inverse or binascii.crc_hqx(data, 0) != int.from_bytes(block[-2:], "big"):
            self._held.clear()  # where the next one begins is not known: the sender starts it anew
            self.repeated += 1
            return NAK
        del self._held[: size + 5]
        self.has_begun = True
        if number == self._next:
            self.data += data
            self._next = (number + 1) % 256
        elif number != (self._next - 1) % 256:
            self.is_given_up = True  # a block is missing: no answer brings it back
            return bytes([CAN]) * CANS_TO_GIVE_UP
        return ACK
