"""U-Boot: XMODEM-1K into RAM, from there to block storage, read back and compared by CRC over the image's own length.

The image goes in pieces that fit into RAM. A piece that lies on the board already is not sent again: a flash that was
cancelled goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.console import Console
from fleetrig.hil.flasher import BoardState, Flashed, FlashFailed, FlashProgress, Image, OnProgress, WrongBoard
from fleetrig.hil.xmodem_sending import send_xmodem

BLOCK_BYTES: Final = 512
PIECE_BYTES: Final = 4 * 1024 * 1024
FIRST_BLOCK_WITHIN_S: Final = 20.0
ANSWER_WITHIN_S: Final = 10.0
READY: Final = re.compile(r"Ready for binary")
WRITE_WITHIN_S: Final = 60.0
CRC: Final = re.compile(r"==> ([0-9a-f]{8})")
AGAIN: Final = "flash it again: what is verified on the board already is not sent again"


@dataclass(frozen=True, slots=True)
class BlockStorage:
    """Where the image goes: U-Boot's command for it (`virtio`, `mmc`), what has to be typed before, the first block."""

    command: str = "virtio"
    prepare: tuple[str, ...] = ("virtio scan",)
    first_block: int = 0x800


@dataclass(frozen=True, slots=True)
class Ram:
    """Two places that do not overlap and are at least PIECE_BYTES long: what was sent, what was read back."""

    received: int = 0x4100_0000
    read_back: int = 0x4180_0000


class UbootXmodem:
    """`identity` is asked of the board: variable (`ethaddr`, `serial#`) -> value that it must have."""

    def __init__(
        self, console: Console, identity: Mapping[str, str], storage: BlockStorage = BlockStorage(), ram: Ram = Ram()
    ) -> None:
        self._console = console
        self._identity = identity
        self._storage = storage
        self._ram = ram
        self.left_in = BoardState.UNTOUCHED

    @property
    def title(self) -> str:
        return f"U-Boot, XMODEM-1K to {self._storage.command}"

    async def flash(self, image: Image, on_progress: OnProgress) -> Flashed:
        """See `Flasher`."""
        began_s = asyncio.get_running_loop().time()
        self.left_in = BoardState.UNTOUCHED
        for command in self._storage.prepare:
            await self._must(command)
        repeated = written_bytes = 0
        with image.path.open("rb") as file:
            for at in range(0, image.size_bytes, PIECE_BYTES):
                piece = await asyncio.to_thread(file.read, PIECE_BYTES)
                if not await self._lies_there(at, piece):
                    repeated += await self._write(at, piece, image, on_progress)
                    written_bytes += len(piece)
                on_progress(FlashProgress("written", at + len(piece), image.size_bytes, repeated))
        took_s = asyncio.get_running_loop().time() - began_s
        return Flashed(written_bytes, repeated, took_s, "CRC-32 of what was read back")

    async def _write(self, at: int, piece: bytes, image: Image, on_progress: OnProgress) -> int:
        repeated = await self._send(at, piece, image, on_progress)
        await self._check_identity()  # right before it is written to, however long the transfer took
        self.left_in = BoardState.PARTLY_WRITTEN
        await self._must(f"{self._storage.command} write {self._ram.received:x} {self._blocks(at, piece)}")
        if not await self._lies_there(at, piece):
            raise FlashFailed("what was read back differs from what was written", self.left_in, AGAIN)
        return repeated

    async def _send(self, at: int, piece: bytes, image: Image, on_progress: OnProgress) -> int:
        await self._check_identity()
        console = self._console
        await console.type(f"loadx {self._ram.received:x}\n")
        await self._said(READY, f"loadx {self._ram.received:x}")
        sent = await send_xmodem(
            console.port,
            piece,
            heard=console.take_rest(),
            answer_within_s=FIRST_BLOCK_WITHIN_S,
            on_block=lambda done, repeated: on_progress(FlashProgress("sent", at + done, image.size_bytes, repeated)),
        )
        if sent.why_not:
            raise FlashFailed(sent.why_not, self.left_in, "check line and speed, then " + AGAIN)
        await self._crc_is(self._ram.received, piece, "what arrived in RAM differs from what was sent")
        return sent.repeated

    async def _said(self, pattern: re.Pattern[str], command: str) -> None:
        try:
            await self._console.wait_for(pattern, ANSWER_WITHIN_S)
        except ConsoleFailed as failed:
            raise FlashFailed(f"`{command}`: {failed}", self.left_in, "has this U-Boot `loadx`?") from None

    async def _check_identity(self) -> None:
        """Asks the board, each time anew: ports are swapped under way."""
        for variable, expected in self._identity.items():
            result = await self._run(f"printenv {variable}")
            _, _, got = result.partition("=")
            if got.strip() != expected:
                raise WrongBoard(f"{variable}={expected}", f"{variable}={got.strip()}" if got else result or "nothing")

    async def _lies_there(self, at: int, piece: bytes) -> bool:
        await self._must(f"{self._storage.command} read {self._ram.read_back:x} {self._blocks(at, piece)}")
        return await self._crc(self._ram.read_back, len(piece)) == zlib.crc32(piece)

    def _blocks(self, at: int, piece: bytes) -> str:
        """First block and count, hexadecimal, as U-Boot's commands take them."""
        return f"{self._storage.first_block + at // BLOCK_BYTES:x} {-(-len(piece) // BLOCK_BYTES):x}"

    async def _crc_is(self, address: int, piece: bytes, otherwise: str) -> None:
        if await self._crc(address, len(piece)) != zlib.crc32(piece):
            raise FlashFailed(otherwise, self.left_in, AGAIN)

    async def _crc(self, address: int, size_bytes: int) -> int:
        said = await self._must(f"crc32 {address:x} {size_bytes:x}")
        found = CRC.search(said)
        if found is None:
            raise FlashFailed(f"expected a CRC from `crc32`, got {said!r}", self.left_in, "has this U-Boot `crc32`?")
        return int(found.group(1), 16)

    async def _must(self, command: str) -> str:
        """The output of a command that must succeed. Raises FlashFailed."""
        result = await self._result(command)
        if result[0]:
            raise FlashFailed(f"`{command}` failed with {result[0]}: {result[1]}", self.left_in, "see what it says")
        return result[1]

    async def _run(self, command: str) -> str:
        return (await self._result(command))[1]

    async def _result(self, command: str) -> tuple[int, str]:
        try:
            result = await self._console.run(command, WRITE_WITHIN_S)
        except ConsoleFailed as failed:
            raise FlashFailed(str(failed), self.left_in, "switch it off and on, then " + AGAIN) from None
        return result.status, result.output
