"""U-Boot by YMODEM (`loady`), where a boot loader has no `loadx`. It takes some four seconds more for each piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.console import Console
from fleetrig.hil.flasher import FlashFailed
from fleetrig.hil.flashers.uboot_commands import AGAIN, UbootCommands
from fleetrig.hil.flashers.uboot_flashing import USUAL_RAM, OnLoaded, Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import VIRTIO, UbootStorage
from fleetrig.hil.flashers.uboot_xmodem import ANSWER_WITHIN_S, PIECE_BYTES, begin_load, end_load
from fleetrig.hil.xmodem_sending import send_xmodem


@dataclass(frozen=True, slots=True)
class YmodemLoad:
    """See `Load`. `answer_within_s` is how long a board may be silent for one block."""

    piece_bytes: int = PIECE_BYTES
    answer_within_s: float = ANSWER_WITHIN_S

    title = "YMODEM"

    async def prepare(self, board: UbootCommands) -> None:
        """Nothing: every U-Boot console can do it at once."""

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        console = board.console
        await begin_load(board, f"loady {address:x}")
        sent = await send_xmodem(
            console.port,
            piece,
            heard=console.take_rest(),
            answer_within_s=self.answer_within_s,
            on_block=on_loaded,
            name="image",
        )
        if sent.why_not:
            raise FlashFailed(sent.why_not, board.left_in, "check line and speed, then " + AGAIN)
        await end_load(board)
        return sent.repeated


USUAL_LOAD: Final = YmodemLoad()


class UbootYmodem(UbootFlasher):
    """The flasher `uboot_ymodem`."""

    def __init__(
        self,
        console: Console,
        identity: Mapping[str, str],
        storage: UbootStorage = VIRTIO,
        ram: Ram = USUAL_RAM,
        load: YmodemLoad = USUAL_LOAD,
    ) -> None:
        super().__init__(console, identity, load, storage, ram)
