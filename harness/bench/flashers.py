"""The flasher of a board, as its bench file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.bench.console_ready import ready_uboot
from fleetrig.harness.bench.flasher_models import split_words
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.hil.board import BoardSpec, MadeOf
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import Flasher, Image
from fleetrig.hil.flashers.command_line import CommandLineFlasher, PortHandover, ToolFlashing
from fleetrig.hil.flashers.flash_plan import line_time_s
from fleetrig.hil.flashers.smp import SmpFlasher
from fleetrig.hil.flashers.tool_command import ToolCommand, Values
from fleetrig.hil.flashers.uboot_flashing import Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import SF_PROBE, BlockStorage, NorStorage, SpiNorStorage, UbootStorage
from fleetrig.hil.flashers.uboot_tftp import TftpLoad, UbootTftp
from fleetrig.hil.flashers.uboot_xmodem import YMODEM, UbootXmodem
from fleetrig.simulator.contract.errors import ModelError, UsageError

NOT_BY_LINE: Final = ("uboot_tftp", "command_line")
"""What goes over the network, or at a speed of its own."""


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
    given: Mapping[str, Any] = made.settings
    if made.kind == "smp":
        return SmpFlasher(board.port, board.spec.identity, given["slot"], given["image_number"])
    if made.kind == "command_line":
        return _tool_flasher(board, given)
    return uboot_flasher(made, board.spec.identity, await ready_uboot(board), bench_folder)


def uboot_flasher(made: MadeOf, identity: Mapping[str, str], console: Console, bench_folder: Path) -> UbootFlasher:
    """`bench_folder` is what the bench file's paths are relative to."""
    given: Mapping[str, Any] = made.settings
    storage = _storage(given)
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


def _storage(given: Mapping[str, Any]) -> UbootStorage:
    match given["storage"]:
        case "nor":
            return NorStorage(given["address"], given["room_bytes"], given["prepare"], given["sector_bytes"])
        case "spi_nor":
            prepare = given["prepare"] or SF_PROBE
            return SpiNorStorage(given["address"], given["room_bytes"], prepare, given["sector_bytes"])
        case block:
            return BlockStorage(block, given["prepare"], given["first_block"])


def _tool_flasher(board: OpenedBoard, given: Mapping[str, Any]) -> CommandLineFlasher:
    spec, port = board.spec, board.port.url
    verify = given.get("verify")
    flashing = ToolFlashing(
        ToolCommand(split_words(given["write"])),
        split_words(given["ask"]),
        spec.identity,
        "its `verify`" if verify else "the program itself",
        ToolCommand(split_words(verify)) if verify else None,
        given["within_s"],
    )

    def values(image: Image) -> Values:
        return Values(str(image.path), port, spec.baud, spec.serial)

    return CommandLineFlasher(flashing, values, PortHandover(board.lend_port, board.take_back_port))


def least_s(spec: BoardSpec, size_bytes: int) -> float:
    """How long its line takes at least; 0 where the image does not go over it at its speed."""
    if spec.emulated is not None or spec.flasher is None or spec.flasher.kind in NOT_BY_LINE:
        return 0.0
    return line_time_s(size_bytes, spec.baud)
