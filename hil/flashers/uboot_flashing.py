"""U-Boot: an image comes into RAM in pieces, and from there to storage; each is read back and compared by its CRC.

How it comes into RAM is handed in (XMODEM, YMODEM, TFTP). A piece that lies on the board already is not sent again: a
flash that was cancelled goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import BoardState, Flashed, FlashFailed, FlashProgress, Image, OnProgress
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_commands import AGAIN, UbootCommands
from fleetrig.hil.flashers.uboot_storage import UbootStorage
from fleetrig.hil.port import PortLost
from fleetrig.simulator.contract.errors import UsageError

DRAM_BANK: Final = re.compile(r"-> start\s+= 0x([0-9a-f]+)\s+-> size\s+= 0x([0-9a-f]+)")
"""As `bdinfo` says."""

OnLoaded = Callable[[int, int], None]
"""(bytes of the piece that have arrived, blocks repeated)."""


class Load(Protocol):
    """A way into a board's RAM."""

    @property
    def title(self) -> str: ...

    @property
    def piece_bytes(self) -> int:
        """The most that comes at once; a multiple of a block."""

    async def prepare(self, board: UbootCommands) -> None:
        """Once for each flash, before anything is loaded."""

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        """Returns how many blocks were repeated. Raises FlashFailed, PortLost."""


@dataclass(frozen=True, slots=True)
class Ram:
    """Two places that do not overlap, each with room for a piece: what was loaded, what was read back."""

    received: int = 0x4100_0000
    read_back: int = 0x4200_0000


USUAL_RAM: Final = Ram()


class UbootFlasher:
    """`identity` is asked of the board: variable (`ethaddr`, `serial#`) -> value that it must have."""

    def __init__(
        self, console: Console, identity: Mapping[str, str], load: Load, storage: UbootStorage, ram: Ram
    ) -> None:
        if abs(ram.received - ram.read_back) < load.piece_bytes:
            raise UsageError(f"the two places in RAM overlap: {load.piece_bytes:#x} bytes must lie between them")
        if load.piece_bytes % storage.unit_bytes:
            raise UsageError(
                f"pieces of {load.piece_bytes} bytes are no multiple of what {storage.title} is written by "
                f"({storage.unit_bytes} bytes)"
            )
        self._board = UbootCommands(console)
        self._identity = identity
        self._load = load
        self._storage = storage
        self._ram = ram
        self.prompt_is_back = True
        """Whether the board takes commands after a flash that failed or was cancelled."""

    @property
    def title(self) -> str:
        return f"U-Boot, {self._load.title} to {self._storage.title}"

    @property
    def left_in(self) -> BoardState:
        return self._board.left_in

    async def flash(self, image: Image, on_progress: OnProgress) -> Flashed:
        """See `Flasher`. Raises UsageError as well: without identity, or when the image is no longer what it was."""
        began_s = asyncio.get_running_loop().time()
        self._board.left_in = BoardState.UNTOUCHED
        self.prompt_is_back = True
        try:
            written_bytes, repeated = await self._flash(image, on_progress)
        except PortLost:
            self.prompt_is_back = False
            raise
        except (asyncio.CancelledError, FlashFailed):
            await self._settle()
            raise
        self._board.left_in = BoardState.VERIFIED
        took_s = asyncio.get_running_loop().time() - began_s
        return Flashed(written_bytes, repeated, took_s, "CRC-32 of what was read back")

    async def _settle(self) -> None:
        self.prompt_is_back = False
        try:
            self.prompt_is_back = await self._board.settle()
        except PortLost:
            return  # what is raised already says more

    async def _flash(self, image: Image, on_progress: OnProgress) -> tuple[int, int]:
        """Returns bytes written and blocks repeated."""
        await self._board.check_identity(self._identity)
        await asyncio.to_thread(read_image, image.path, image.sha256)
        await self._check_room(image)
        await self._load.prepare(self._board)
        repeated = written_bytes = 0
        with image.path.open("rb") as file:
            for at in range(0, image.size_bytes, self._load.piece_bytes):
                piece = await asyncio.to_thread(file.read, min(self._load.piece_bytes, image.size_bytes - at))
                if not await self._lies_there(at, piece):
                    repeated += await self._write(at, piece, image, on_progress)
                    written_bytes += len(piece)
                on_progress(FlashProgress("written", at + len(piece), image.size_bytes, repeated))
        return written_bytes, repeated

    async def _check_room(self, image: Image) -> None:
        for command in self._storage.prepare:
            await self._board.must(command)
        asks = self._storage.asks_capacity
        _, answer = await self._board.result(asks) if asks else (0, "")  # a board need not be able to say it
        room_bytes = self._storage.room_bytes(answer)
        if room_bytes is not None and image.size_bytes > room_bytes:
            raise FlashFailed(
                f"the image has {image.size_bytes:,} bytes, {self._storage.title} has room for {max(room_bytes, 0):,}",
                self.left_in,
                "give a smaller image, or correct the place of the storage in the bench file",
            )
        await self._check_ram(min(image.size_bytes, self._load.piece_bytes))

    async def _check_ram(self, size_bytes: int) -> None:
        """Where the board says what memory it has."""
        status, said = await self._board.result("bdinfo")
        banks = [(int(start, 16), int(size, 16)) for start, size in DRAM_BANK.findall(said) if int(size, 16)]
        if status or not banks:
            return
        for place in (self._ram.received, self._ram.read_back):
            if not any(start <= place and place + size_bytes <= start + size for start, size in banks):
                had = ", ".join(f"{start:#x} to {start + size:#x}" for start, size in banks)
                raise FlashFailed(
                    f"{size_bytes} bytes at {place:#x} are not in the board's RAM ({had})",
                    self.left_in,
                    "correct `ram` in the bench file",
                )

    async def _write(self, at: int, piece: bytes, image: Image, on_progress: OnProgress) -> int:
        board, ram = self._board, self._ram

        def on_loaded(done: int, repeated: int) -> None:
            on_progress(FlashProgress("sent", at + done, image.size_bytes, repeated))

        repeated = await self._load.load(board, piece, ram.received, on_loaded)
        if await board.crc(ram.received, len(piece)) != zlib.crc32(piece):
            raise FlashFailed("what arrived in RAM differs from what was sent (CRC-32)", self.left_in, AGAIN)
        await board.check_identity(self._identity)  # right before it is written to, however long the transfer took
        board.left_in = BoardState.PARTLY_WRITTEN
        for command in self._storage.write(ram.received, at, len(piece)):
            await board.must(command)
        if not await self._lies_there(at, piece):
            raise FlashFailed("what was read back differs from what was written (CRC-32)", self.left_in, AGAIN)
        return repeated

    async def _lies_there(self, at: int, piece: bytes) -> bool:
        commands, address = self._storage.read(self._ram.read_back, at, len(piece))
        for command in commands:
            await self._board.must(command)
        return await self._board.crc(address, len(piece)) == zlib.crc32(piece)
