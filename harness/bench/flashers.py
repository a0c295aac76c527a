"""The flasher of a board, as its bench file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetrig.harness.bench.console_ready import ready_uboot
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.hil.board import BoardSpec, MadeOf
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import Flasher
from fleetrig.hil.flashers.flash_plan import line_time_s
from fleetrig.hil.flashers.smp import SmpFlasher
from fleetrig.hil.flashers.uboot_flashing import Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import BlockStorage
from fleetrig.hil.flashers.uboot_tftp import TftpLoad, UbootTftp
from fleetrig.hil.flashers.uboot_xmodem import YMODEM, UbootXmodem
from fleetrig.simulator.contract.errors import ModelError, UsageError


def check_can_be_flashed(spec: BoardSpec) -> None:
    """Before anything is touched. Raises UsageError: without a flasher, or without an identity to ask for."""
    if spec.flasher is None:
        raise UsageError(f"{spec.name} has no flasher: say `flasher: {{uboot_xmodem: …}}` in the bench file")
    if not spec.identity:
        raise UsageError(
            f"{spec.name} has no identity: the board is asked who it is before it is written to, so say what it must "
            "answer, such as `identity: {ethaddr: 52:54:00:12:34:56}` (`printenv` on its console shows what it has)"
        )


async def ready_flasher(board: OpenedBoard, bench_folder: Path) -> Flasher:
    """Of a board that `check_can_be_flashed` has let pass, at its prompt if it is one of U-Boot's.

    Raises ConsoleFailed, PortLost.
    """
    made = board.spec.flasher
    assert made is not None
    if made.kind == "smp":
        given: Mapping[str, Any] = made.settings
        return SmpFlasher(board.port, board.spec.identity, given["slot"], given["image_number"])
    return uboot_flasher(made, board.spec.identity, await ready_uboot(board), bench_folder)


def uboot_flasher(made: MadeOf, identity: Mapping[str, str], console: Console, bench_folder: Path) -> UbootFlasher:
    """`bench_folder` is what the bench file's paths are relative to."""
    given: Mapping[str, Any] = made.settings
    storage = BlockStorage(given["storage"], given["prepare"], given["first_block"])
    ram = Ram(given["received"], given["read_back"])
    match made.kind:
        case "uboot_xmodem":
            return UbootXmodem(console, identity, storage, ram)
        case "uboot_ymodem":
            return UbootXmodem(console, identity, storage, ram, YMODEM)
        case "uboot_tftp":
            load = TftpLoad(bench_folder / given["folder"], given["network"], given["server"])
            return UbootTftp(console, identity, load, storage, ram)
        case kind:
            raise ModelError(f"the bench file knows the flasher {kind}, and nothing here makes it")


def least_s(spec: BoardSpec, size_bytes: int) -> float:
    """How long its line takes at least; 0 where the image does not go over it at its speed."""
    if spec.emulated is not None or spec.flasher is None or spec.flasher.kind == "uboot_tftp":
        return 0.0
    return line_time_s(size_bytes, spec.baud)
