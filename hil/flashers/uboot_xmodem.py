"""U-Boot by XMODEM-1K (`loadx`): over the console line alone, with nothing but the board's own boot loader.

And by YMODEM (`loady`), where a boot loader has no `loadx`: it takes some four seconds more for each piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import FlashFailed
from fleetrig.hil.flashers.uboot_commands import AGAIN, UbootCommands
from fleetrig.hil.flashers.uboot_flashing import USUAL_RAM, OnLoaded, Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import VIRTIO, UbootStorage
from fleetrig.hil.flashers.xmodem_sending import send_xmodem

READY: Final = re.compile(r"Ready for binary.* bps")
LOADED: Final = re.compile(r"Total Size")
READY_WITHIN_S: Final = 10.0
PIECE_BYTES: Final = 4 * 1024 * 1024
ANSWER_WITHIN_S: Final = 10.0
"""U-Boot itself asks again after two seconds."""


@dataclass(frozen=True, slots=True)
class XmodemLoad:
    """See `Load`. `answer_within_s` is how long a board may be silent for one block."""

    piece_bytes: int = PIECE_BYTES
    answer_within_s: float = ANSWER_WITHIN_S
    title: str = "XMODEM-1K"
    command: str = "loadx"
    name: str = ""
    """What YMODEM calls the piece; XMODEM has no names."""

    async def prepare(self, board: UbootCommands) -> None:
        """Nothing: every U-Boot console can do it at once."""

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        console = board.console
        await begin_load(board, f"{self.command} {address:x}")
        sent = await send_xmodem(
            console.port,
            piece,
            heard=console.take_rest(),
            answer_within_s=self.answer_within_s,
            on_block=on_loaded,
            name=self.name,
        )
        if sent.why_not:
            raise FlashFailed(sent.why_not, board.left_in, "check line and speed, then " + AGAIN)
        await end_load(board)
        return sent.repeated


XMODEM: Final = XmodemLoad()
YMODEM: Final = XmodemLoad(title="YMODEM", command="loady", name="image")


async def begin_load(board: UbootCommands, command: str) -> None:
    """Types it, and waits until the board says that it is ready. Raises FlashFailed."""
    await board.console.type(command + "\n")
    try:
        await board.console.wait_for(READY, READY_WITHIN_S, "`Ready for binary`")
    except ConsoleFailed as failed:
        has = f"has this U-Boot `{command.split()[0]}`?"
        raise FlashFailed(f"`{command}`: {failed}", board.left_in, has) from None


async def end_load(board: UbootCommands) -> None:
    """Waits until the prompt is back: U-Boot throws away what is typed before. Raises FlashFailed."""
    try:
        await board.console.wait_for(LOADED, READY_WITHIN_S, "`Total Size`")
        await board.console.wait_for(board.console.dialect.prompt, READY_WITHIN_S, "its prompt")
    except ConsoleFailed as failed:
        raise FlashFailed(f"after the transfer: {failed}", board.left_in, AGAIN) from None


class UbootXmodem(UbootFlasher):
    """The flashers `uboot_xmodem` and, with `YMODEM`, `uboot_ymodem`."""

    def __init__(
        self,
        console: Console,
        identity: Mapping[str, str],
        storage: UbootStorage = VIRTIO,
        ram: Ram = USUAL_RAM,
        load: XmodemLoad = XMODEM,
    ) -> None:
        super().__init__(console, identity, load, storage, ram)
