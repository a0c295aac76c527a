"""U-Boot over the network (`tftpboot`): for images that a serial line would take hours for.

A TFTP server serves `folder`; each piece lies there while the board fetches it. The console stays the way to the board.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import FlashFailed
from fleetrig.hil.flashers.uboot_commands import UbootCommands
from fleetrig.hil.flashers.uboot_flashing import USUAL_RAM, OnLoaded, Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import VIRTIO, UbootStorage
from fleetrig.simulator.contract.errors import BrokenBench, system_said

PIECE_BYTES: Final = 8 * 1024 * 1024
FETCHES_WITHIN_S: Final = 180.0
BY_DHCP: Final = ("setenv autoload no", "setenv netretry no", "dhcp")
"""`autoload` would have `dhcp` fetch a file and boot it, `netretry` would have it try for ever."""


@dataclass(frozen=True, slots=True)
class TftpLoad:
    """See `Load`. `network` is typed once for each flash; `server` is its address, empty for the one DHCP told."""

    folder: Path
    network: tuple[str, ...] = BY_DHCP
    server: str = ""
    piece_bytes: int = PIECE_BYTES

    title = "TFTP"

    async def prepare(self, board: UbootCommands) -> None:
        for command in self.network:
            await board.must(command)

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        name = f"fleetrig-{board.console.token}.piece"
        path = self.folder / name
        await asyncio.to_thread(_put, path, piece)
        try:
            await self._fetch(board, name, len(piece), address)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        on_loaded(len(piece), 0)
        return 0

    async def _fetch(self, board: UbootCommands, name: str, size_bytes: int, address: int) -> None:
        source = f"{self.server}:{name}" if self.server else name
        said = await board.must(f"tftpboot {address:x} {source}", FETCHES_WITHIN_S)
        if f"Bytes transferred = {size_bytes} " not in said:
            raise FlashFailed(
                f"expected {size_bytes} bytes by TFTP, the board says: {said.strip()[-200:]}",
                board.left_in,
                "does the TFTP server serve another folder, or an old file?",
            )


def _put(path: Path, piece: bytes) -> None:
    try:
        path.write_bytes(piece)
        path.chmod(0o644)  # a TFTP server runs as somebody else
    except OSError as error:
        raise BrokenBench(f"{path}: {system_said(error)}") from None


class UbootTftp(UbootFlasher):
    """The flasher `uboot_tftp`."""

    def __init__(
        self,
        console: Console,
        identity: Mapping[str, str],
        load: TftpLoad,
        storage: UbootStorage = VIRTIO,
        ram: Ram = USUAL_RAM,
    ) -> None:
        super().__init__(console, identity, load, storage, ram)
