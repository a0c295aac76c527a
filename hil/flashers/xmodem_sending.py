"""Sending by XMODEM-1K, and by YMODEM, which adds name and size: the xmodem library does it in a worker thread.

The library takes every byte that is no ACK for a refusal, also a late `C` and what a kernel prints; it does not know
CAN in mid-transfer, and counts repeated blocks anew for each block. So it hears here only what is an answer.
"""

from __future__ import annotations

import asyncio
import binascii
import io
import re
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from xmodem import XMODEM1k

from fleetrig.hil.port import BoardPort

ACK: Final = b"\x06"
NAK: Final = b"\x15"
CAN: Final = b"\x18"
ASKS: Final = b"C"
"""The receiver asks for the first block, with CRC."""
CANCEL: Final = CAN * 3 + b"\x03"
"""U-Boot gives up after three CAN; Ctrl-C ends what is left."""
CANS_TO_STOP: Final = 2
"""One alone may be noise."""
PAD: Final = b"\xff"
"""As erased flash reads."""
RETRIES: Final = 16
SILENT_TRIES: Final = 2
"""A receiver asks again by itself; one that says nothing while a block is sent twice is gone."""
BLOCK_BYTES: Final = 1024
ZERO_BYTES: Final = 128
LOOK_S: Final = 0.2
"""How soon a cancelled transfer is noticed."""
WRITE_WITHIN_S: Final = 10.0
RESTARTED: Final = re.compile(rb"U-Boot (?:SPL )?\d{4}\.\d\d")
KEPT_BYTES: Final = 64

OnBlock = Callable[[int, int], None]
"""(bytes sent, blocks repeated), on the event loop."""


class Sent(NamedTuple):
    """How a transfer ended; `why_not` is empty when it went well."""

    repeated: int
    why_not: str = ""


class _GivenUp(Exception):
    """Ends the library's loop, with the reason."""


class _Line:
    """What the library reads and writes. What ends a transfer ends it at once, and not after all retries."""

    def __init__(self, port: BoardPort, heard: bytes, answer_within_s: float) -> None:
        self._port = port.in_thread()
        self._heard = heard
        self._answer_within_s = answer_within_s
        self._last = b""
        self._silent_tries = self._cans = self._blocks = 0
        self._awaited: tuple[bytes, ...] = (ASKS, NAK)
        self._has_acknowledged = False
        self.is_given_up = threading.Event()

    def get(self, size: int, timeout: float = 1.0) -> bytes | None:
        """The next answer; None when none came in time, as the library expects it. Raises PortLost."""
        del size, timeout  # it asks for one byte each time; how long to wait is decided here
        deadline_s = time.monotonic() + self._answer_within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self.is_given_up.is_set():
                raise _GivenUp("it was cancelled")
            byte = self._byte(min(left_s, LOOK_S))
            if byte and (self._is_answer(byte) or self._refuses(byte)):
                self._silent_tries = 0
                return byte
        self._silent_tries += 1
        if not self._blocks:
            raise _GivenUp(f"the receiver never asked for the first block ({self._answer_within_s:g} s)")
        if self._silent_tries >= SILENT_TRIES:
            silent_s = self._silent_tries * self._answer_within_s
            raise _GivenUp(f"the receiver fell silent after {self._blocks} blocks ({silent_s:g} s)")
        return None

    def _byte(self, within_s: float) -> bytes:
        byte, self._heard = self._heard[:1], self._heard[1:]
        return byte or self._port.read(1, within_s)

    def _is_answer(self, byte: bytes) -> bool:
        self._last = (self._last + byte)[-KEPT_BYTES:]
        self._cans = self._cans + 1 if byte == CAN else 0
        if self._cans >= CANS_TO_STOP:
            raise _GivenUp("the receiver cancelled the transfer (CAN)")
        if RESTARTED.search(self._last):
            raise _GivenUp("the board restarted in mid-transfer")
        self._has_acknowledged = self._has_acknowledged or (byte == ACK and ACK in self._awaited)
        return byte in self._awaited

    def _refuses(self, byte: bytes) -> bool:
        """U-Boot refuses a damaged block with a lonely `C`. Before its first ACK that may be one that came late."""
        if byte != ASKS or not self._has_acknowledged:
            return False
        self._heard += self._byte(LOOK_S)
        return not self._heard  # more follows: it is a letter of what a kernel prints

    def put(self, data: bytes, timeout: float = 1.0) -> int | None:
        del timeout  # the library's own is for a single byte
        self._awaited = (ACK, NAK)
        self._blocks += len(data) > BLOCK_BYTES
        return self._port.write(data, WRITE_WITHIN_S)

    def put_zero(self, block: bytes) -> None:
        """YMODEM's block 0, which the receiver asks for like for a first one."""
        for _ in range(RETRIES):
            self._awaited = (ASKS,)
            self.get(1)
            self.put(block)
            if self.get(1) == ACK:
                self._awaited = (ASKS, NAK)
                return
        raise _GivenUp("the receiver did not take the block with name and size")


async def send_xmodem(
    port: BoardPort, data: bytes, *, heard: bytes = b"", answer_within_s: float, on_block: OnBlock, name: str = ""
) -> Sent:
    """Sends it padded to whole blocks; with a `name` by YMODEM, which has the receiver cut the padding off.

    Nobody else may read the port meanwhile; `heard` was read of it before.
    Raises PortLost. When it is cancelled, or the receiver falls silent, the receiver is told to give up.
    """
    loop = asyncio.get_running_loop()
    line = _Line(port, heard, answer_within_s)
    counted = _Counted()

    def told(_total: int, succeeded: int, failed: int) -> None:
        counted.hear(succeeded, failed)
        loop.call_soon_threadsafe(on_block, min(succeeded * BLOCK_BYTES, len(data)), counted.repeated)

    sending = asyncio.ensure_future(asyncio.to_thread(_send, line, data, told, name))
    try:
        why_not = await asyncio.shield(sending)
    except asyncio.CancelledError:
        line.is_given_up.set()
        await asyncio.wait([sending])
        if sending.exception() is None:  # else the port is gone, and nobody is there to be told
            await port.write(CANCEL)
        raise
    if why_not:
        await port.write(CANCEL)
    return Sent(counted.repeated, why_not)


class _Counted:
    """Repeated blocks of the whole transfer; the library begins at 0 with each block, and tells the last twice."""

    def __init__(self) -> None:
        self.repeated = 0
        self._succeeded = self._failed = 0

    def hear(self, succeeded: int, failed: int) -> None:
        if succeeded == self._succeeded:
            self.repeated += failed - self._failed
            self._failed = failed
        else:
            self._succeeded, self._failed = succeeded, 0


def _send(line: _Line, data: bytes, told: Callable[[int, int, int], None], name: str) -> str:
    """In a worker thread. Returns why it failed, or nothing."""
    modem = XMODEM1k(line.get, line.put, pad=PAD)
    modem.log.disabled = True  # what it says there is told by `Sent`
    try:
        if name:
            line.put_zero(block_zero(name, len(data)))
        is_whole = modem.send(io.BytesIO(data), retry=RETRIES, quiet=True, callback=told)
        if name and is_whole:
            line.put_zero(block_zero("", 0))
    except _GivenUp as why:
        return str(why)
    return "" if is_whole else f"the receiver did not take a block after {RETRIES} tries"


def block_zero(name: str, size_bytes: int) -> bytes:
    """YMODEM's first block of a file; without a name, the end of the session."""
    content = f"{name}\0{size_bytes}".encode() if name else b""
    content = content.ljust(ZERO_BYTES, b"\0")
    return b"\x01\x00\xff" + content + binascii.crc_hqx(content, 0).to_bytes(2, "big")
