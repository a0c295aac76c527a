"""The line of a board without hardware: a pseudo-terminal that stays while the board behind it is switched on and off.

A link with a stable name points at it, as `/dev/serial/by-id/…` does at a real adapter; unplugging takes both away, and
plugging in again brings another device under the same link.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

READ_BYTES: Final = 65_536
UNSENT_LIMIT_BYTES: Final = 1024 * 1024
"""A UART has nobody who waits: what nobody reads in time is lost. This is far more than any board's own buffer."""


class PtyLine:
    """Make it on the event loop. `typed` hears what the bench sends; `say` is the board's voice."""

    def __init__(self, link: Path, typed: Callable[[bytes], None]) -> None:
        self.link = link
        self.lost_bytes = 0
        """What the board said and nobody took."""
        self._typed = typed
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._master = -1
        self._slave = -1
        self._last_device = ""
        self.plug_in()

    @property
    def is_plugged_in(self) -> bool:
        return self._master >= 0

    def plug_in(self) -> None:
        """Makes a new device and has the link point at it. Does nothing when it is plugged in."""
        if self.is_plugged_in:
            return
        self._master, self._slave = self._another_device()
        self._last_device = os.ttyname(self._slave)
        tty.setraw(self._slave)  # one end stays open: without it, reading the other end is an error
        os.set_blocking(self._master, False)
        new = self.link.with_name(f".{self.link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(self._last_device)
        new.replace(self.link)
        self._loop.add_reader(self._master, self._read)

    def _another_device(self) -> tuple[int, int]:
        """The system gives the lowest number that is free, which may be the one that was just unplugged."""
        master, slave = os.openpty()
        if os.ttyname(slave) != self._last_device:
            return master, slave
        other = os.openpty()
        os.close(slave)
        os.close(master)
        return other

    def unplug(self) -> None:
        """Whoever has the port open loses it; the link is gone."""
        if not self.is_plugged_in:
            return
        self.link.unlink(missing_ok=True)
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        for descriptor in (self._slave, self._master):
            os.close(descriptor)
        self._master = self._slave = -1
        self._unsent.clear()

    def say(self, data: bytes) -> None:
        """What the board sends: at once if the line takes it, else as soon as it does."""
        if not self.is_plugged_in:
            return
        self._unsent += data
        self._send()
        excess = len(self._unsent) - UNSENT_LIMIT_BYTES
        if excess > 0:
            del self._unsent[-excess:]
            self.lost_bytes += excess

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: os.write(self._master, self._unsent)]
        if self._unsent:
            self._loop.add_writer(self._master, self._send)
        else:
            self._loop.remove_writer(self._master)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            self._typed(os.read(self._master, READ_BYTES))
