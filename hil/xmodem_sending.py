"""Sending by XMODEM-1K: the xmodem library does it in a worker thread; why it failed is kept here."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from xmodem import XMODEM1k

from fleetrig.hil.port import BoardPort

CAN: Final = b"\x18"
CANCEL: Final = CAN * 3 + b"\x03"
"""U-Boot gives up after three CAN; Ctrl-C ends what is left."""
PAD: Final = b"\xff"
"""As erased flash reads."""
RETRIES: Final = 16
BLOCK_BYTES: Final = 1024
WRITE_WITHIN_S: Final = 10.0

OnBlock = Callable[[int, int], None]
"""(bytes sent, blocks repeated), on the event loop."""


class Sent(NamedTuple):
    """How a transfer ended; `why_not` is empty when it went well."""

    repeated: int
    why_not: str = ""


class _GivenUp(Exception):
    """Raised inside the library's thread when the transfer is cancelled on our side."""


class _Line:
    """What the library reads and writes. A lost port ends the transfer at once and not after all retries."""

    def __init__(self, port: BoardPort, heard: bytes) -> None:
        self._port = port.in_thread()
        self._heard = heard
        self.is_given_up = threading.Event()
        self.has_answered = False
        self.cans = 0

    def get(self, size: int, timeout: float = 1.0) -> bytes | None:
        """None when nothing came, as the library expects it."""
        if self.is_given_up.is_set():
            raise _GivenUp
        data, self._heard = self._heard[:size], self._heard[size:]
        data = data or self._port.read(size, timeout)
        self.has_answered = self.has_answered or bool(data)
        self.cans += data == CAN
        return data or None

    def put(self, data: bytes, timeout: float = 1.0) -> int | None:
        del timeout  # the library's own is for a single byte
        return self._port.write(data, WRITE_WITHIN_S)


async def send_xmodem(
    port: BoardPort, data: bytes, *, heard: bytes = b"", answer_within_s: float, on_block: OnBlock
) -> Sent:
    """Sends it padded to whole blocks. Nobody else may read the port meanwhile; `heard` was read of it before.

    Raises PortLost. When it is cancelled, or the receiver falls silent, the receiver is told to give up.
    """
    loop = asyncio.get_running_loop()
    line = _Line(port, heard)
    repeated = 0

    def told(_total: int, succeeded: int, failed: int) -> None:
        nonlocal repeated
        repeated = failed
        loop.call_soon_threadsafe(on_block, min(succeeded * BLOCK_BYTES, len(data)), failed)

    sending = asyncio.ensure_future(asyncio.to_thread(_send, line, data, answer_within_s, told))
    try:
        is_whole = await asyncio.shield(sending)
    except asyncio.CancelledError:
        line.is_given_up.set()
        await asyncio.wait([sending])
        await port.write(CANCEL)
        raise
    if is_whole:
        return Sent(repeated)
    await port.write(CANCEL)
    return Sent(repeated, _why(line, repeated))


def _send(line: _Line, data: bytes, answer_within_s: float, told: Callable[[int, int, int], None]) -> bool:
    modem = XMODEM1k(line.get, line.put, pad=PAD)
    modem.log.disabled = True  # what it says there is told by `Sent`
    try:
        return bool(modem.send(io.BytesIO(data), retry=RETRIES, timeout=answer_within_s, quiet=True, callback=told))
    except _GivenUp:
        return False


def _why(line: _Line, repeated: int) -> str:
    if line.cans:
        return "the receiver cancelled the transfer (CAN)"
    if not line.has_answered:
        return "the receiver never asked for the first block"
    return f"the receiver did not take a block after {RETRIES} tries ({repeated} blocks were repeated)"
