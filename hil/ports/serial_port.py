"""Ports by pyserial: one thread reads in bulk, one sends; all ways in which a port is lost become `PortLost`.

pyserial's `readline` reads byte by byte (5,000 lines a second) and `flush` raises `termios.error`, which is no OSError:
neither is used unguarded.
"""

from __future__ import annotations

import asyncio
import errno
import io
import termios
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import serial

from fleetrig.hil.desk.lock_file import LockFile
from fleetrig.hil.port import PortBusy, PortBytes, PortLost, ThreadPort, Watcher, Way
from fleetrig.hil.ports.descriptor_io import can_write, read_some, write_now
from fleetrig.hil.ports.pacing import Pace, pieces
from fleetrig.hil.ports.port_buffer import PortBuffer
from fleetrig.hil.ports.port_lock import lock_port
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

LOOK_S: Final = 0.2
"""How often the thread of a port without a descriptor (`loop://`, `rfc2217://`) looks whether it is to end."""

BOTH_CAUSES: Final = "the device was unplugged or switched off, or another program reads the same port"
LOST_ERRORS: Final = (OSError, termios.error, TypeError, AttributeError)
"""What pyserial raises when a port is gone; the last two come out of its RFC 2217 client while it is being closed."""


async def open_port(
    url: str, *, baud: int = 115_200, clock: Clock, paced: bool = False, lock_folder: Path | None = None
) -> SerialPort:
    """Opens it exclusively, at eight bits without parity. `paced` sends no faster than `baud` says.

    What the board said before is lost (pyserial drops it): open the port first, then switch the board on.
    With `lock_folder` whoever comes second is told who came first.
    Raises PortBusy, PortLost (there is no such port), BrokenBench (no permission), UsageError (no such kind of URL).
    """
    lock = lock_port(lock_folder, url, clock) if lock_folder is not None else None
    opening = asyncio.ensure_future(asyncio.to_thread(_open, url, baud))
    try:
        device = await asyncio.shield(opening)
    except BaseException:
        if opening.done():
            _give_back(opening, lock)
        else:  # cancelled: the thread opens it all the same, and nobody else would close it
            opening.add_done_callback(lambda done: _give_back(done, lock))
        raise
    return SerialPort(url, device, clock, Pace(baud) if paced else None, lock)


def _give_back(opening: asyncio.Future[Any], lock: LockFile | None) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
    if lock is not None:
        lock.release()


def _open(url: str, baud: int) -> Any:
    serial_for_url: Any = serial.serial_for_url  # its stubs know no bool among the options
    options = {} if "://" in url else {"exclusive": True}
    try:
        return serial_for_url(url, baudrate=baud, timeout=LOOK_S, **options)
    except OSError as error:
        raise _cannot_open(url, error) from None
    except ValueError as error:
        raise UsageError(
            f"{url}: {error}; expected a device's path, rfc2217://HOST:PORT or socket://HOST:PORT"
        ) from None
    except LOST_ERRORS as error:
        raise _cannot_open(url, error) from None


def _cannot_open(url: str, error: Exception) -> BrokenBench:
    match getattr(error, "errno", None):
        case errno.EACCES | errno.EPERM:
            return BrokenBench(
                f"{url}: you may not open it; ports belong to the group dialout: "
                "`sudo usermod -aG dialout $USER`, then log in again"
            )
        case errno.EAGAIN | errno.EBUSY | errno.EWOULDBLOCK:
            return PortBusy(f"{url}: another program has it open; `fuser -v {url}` says which")
        case errno.ENOENT:
            return PortLost(url, "there is no such port: is the adapter plugged in? `fleetrig board scan` lists them")
        case _ if "://" in url and isinstance(error.__context__, OSError):
            return PortLost(
                url,
                f"nobody answers there ({system_said(error.__context__)}): is the address right, and does that machine "
                "share the port (`fleetrig board bridge`, ser2net)?",
            )
        case _:
            return PortLost(url, f"it cannot be opened ({_said(error)})")


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and not isinstance(error, serial.SerialException):
        return system_said(error)
    return str(error) or type(error).__name__


class SerialPort:
    """An open port, as `BoardPort` describes it. Make it with `open_port`, on the event loop that uses it."""

    def __init__(self, url: str, device: Any, clock: Clock, pace: Pace | None, lock: LockFile | None) -> None:
        self.url = url
        self._device = device
        self._clock = clock
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._buffer = PortBuffer(self._loop)
        self._watchers: tuple[Watcher, ...] = ()
        self._lock = lock
        self._telling = threading.Lock()
        """So that nobody hears an answer before the question: what was written is told before what came back."""
        self._closing = threading.Event()
        self._sender = ThreadPoolExecutor(1, thread_name_prefix=f"sends to {url}")
        self._reader = threading.Thread(target=self._read_all, name=f"reads {url}", daemon=True)
        self._reader.start()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        self._watchers = (*self._watchers, watcher)
        return lambda: self._unwatch(watcher)

    def _unwatch(self, watcher: Watcher) -> None:
        self._watchers = tuple(other for other in self._watchers if other is not watcher)

    async def read(self, within_s: float) -> bytes:
        return await self._buffer.read(within_s)

    async def write(self, data: bytes, within_s: float = 10.0) -> None:
        await self._in_sender(self.send, data, within_s)

    async def drop_input(self) -> None:
        self._buffer.drop()

    async def set_speed(self, baud: int) -> None:
        await self._in_sender(setattr, self._device, "baudrate", baud)
        if self._pace is not None:
            self._pace = Pace(baud)

    async def send_break(self, for_s: float = 0.25) -> None:
        await self._in_sender(self._device.send_break, for_s)

    async def set_lines(self, *, rts: bool | None = None, dtr: bool | None = None) -> None:
        for line, wanted in (("rts", rts), ("dtr", dtr)):
            if wanted is not None:
                await self._in_sender(self._set_line, line, wanted)

    def _set_line(self, line: str, wanted: bool) -> None:
        try:
            setattr(self._device, line, wanted)
        except OSError as error:
            if error.errno != errno.ENOTTY:
                raise
            raise BrokenBench(f"{self.url} has no line {line.upper()}: it is no serial adapter") from None

    def in_thread(self) -> ThreadPort:
        return _InThread(self)

    async def close(self) -> None:
        self._closing.set()
        self._lose("it was closed")
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._sender.shutdown(wait=True)
        self._reader.join(2 * LOOK_S)
        with suppress(*LOST_ERRORS):  # it was gone already, which is what closing wants
            self._device.close()
        if self._lock is not None:
            self._lock.release()

    async def _in_sender(self, call: Callable[..., object], *arguments: object) -> None:
        if self._buffer.lost is not None:
            raise self._buffer.lost
        try:
            await self._loop.run_in_executor(self._sender, call, *arguments)
        except BrokenBench:
            raise
        except LOST_ERRORS as error:
            raise self._lose(f"{_said(error)}: {BOTH_CAUSES}") from None

    def send(self, data: bytes, within_s: float) -> int:
        """In the sender's thread, or in that of a library: all of it, within the time. Raises PortLost."""
        for piece in pieces(data, self._pace):
            self._send_piece(piece, within_s)
        return len(data)

    def _send_piece(self, piece: bytes, within_s: float) -> None:
        if self._buffer.lost is not None:
            raise self._buffer.lost
        try:
            is_out = self._write(piece, within_s)
        except LOST_ERRORS as error:
            raise self._lose(f"{_said(error)}: {BOTH_CAUSES}") from None
        if not is_out:
            raise self._lose(f"it took no bytes for {within_s:g} s: flow control, or a board that hangs")

    def _write(self, piece: bytes, within_s: float) -> bool:
        descriptor = self._descriptor()
        if descriptor is None:  # `loop://` takes everything, the RFC 2217 client has 5 s of its own
            with self._telling:
                self._device.write(piece)
                self._tell(Way.TO_BOARD, piece)
            return True
        rest = piece
        while rest:
            with self._telling:
                went = write_now(descriptor, rest)
                self._tell(Way.TO_BOARD, rest[:went])
            rest = rest[went:]
            if rest and not can_write(descriptor, within_s, LOOK_S, self._closing.is_set):
                return False
        return True

    def _descriptor(self) -> int | None:
        try:
            return int(self._device.fileno())
        except io.UnsupportedOperation:
            return None

    def _read_all(self) -> None:
        try:
            while not self._closing.is_set():
                if data := self._read_some():
                    with self._telling:
                        self._buffer.put(data)
                        self._tell(Way.FROM_BOARD, data)
        except LOST_ERRORS as error:
            self._lose(f"{_said(error)}: {BOTH_CAUSES}")

    def _read_some(self) -> bytes:
        """In the reader's thread. An empty answer means that nothing came for a while."""
        descriptor = self._descriptor()
        if descriptor is None:
            return bytes(self._device.read(max(1, self._device.in_waiting)))
        return read_some(descriptor, LOOK_S)

    def _tell(self, way: Way, data: bytes) -> None:
        if data:
            self._soon(self._heard, PortBytes(self._clock.now_us(), way, data))

    def _heard(self, heard: PortBytes) -> None:
        for watcher in self._watchers:
            watcher(heard)
        self._buffer.wake(len(heard.data) if heard.way is Way.FROM_BOARD else 0)

    def _lose(self, cause: str) -> PortLost:
        lost = self._buffer.lost or PortLost(self.url, cause)
        self._buffer.end(lost)
        self._soon(self._buffer.wake)
        return lost

    def _soon(self, call: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear of it
            self._loop.call_soon_threadsafe(call, *arguments)


class _InThread:
    """See `ThreadPort`."""

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def read(self, most_bytes: int, within_s: float) -> bytes:
        return self._port._buffer.read_blocking(most_bytes, within_s)  # noqa: SLF001 - the same object for threads

    def write(self, data: bytes, within_s: float) -> int:
        return self._port.send(data, within_s)
