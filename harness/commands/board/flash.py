"""`fleetrig board flash`: an image onto a board that has said who it is, read back and compared."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.console_ready import ready_console
from fleetrig.harness.bench.flashers import check_can_be_flashed, flasher_of, least_s
from fleetrig.harness.commands.board.options import DESK, Bench, Board, DeskFolder, desk_of, held_board, judged
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.flash_progress import flash_progress
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.flasher import BoardState, Flashed, Flasher, Image
from fleetrig.hil.image import read_image
from fleetrig.simulator.contract.errors import UsageError

HEX_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
ImageFile = Annotated[Path, typer.Argument(metavar="IMAGE", help="The file to write.")]
Sha256 = Annotated[
    str, typer.Option("--sha256", metavar="HEX", help="What its SHA-256 must be; checked before the board is touched.")
]
STOPPING: Final = "stopping: the transfer is broken off"


def flash_command(
    name: Board, image: ImageFile, sha256: Sha256 = "", bench: Bench = None, desk: DeskFolder = DESK
) -> None:
    """Write an image to a board. It is asked who it is right before; what was written is read back and compared."""
    spec = desk_of(bench).board(name)
    check_can_be_flashed(spec)
    if sha256 and not HEX_SHA256.fullmatch(sha256):
        raise UsageError(f"--sha256: expected 64 hexadecimal digits, got {sha256!r}")
    found = read_image(image, sha256)
    flashed = judged(_flash(spec, found, desk), STOPPING)
    typer.echo(f"{spec.name} has {image.name}: {found.size_bytes:,} bytes, SHA-256 {found.sha256}")
    typer.echo(f"written {flashed.written_bytes:,} bytes in {flashed.took_s:.1f} s, verified by {flashed.verified_by}")


async def _flash(spec: BoardSpec, image: Image, desk: Path) -> Flashed:
    at_least_s = 0.0 if spec.emulated else least_s(image.size_bytes, spec.baud)
    if at_least_s:
        tell(f"{image.size_bytes:,} bytes take at least {at_least_s:.0f} s at {spec.baud} baud")
    async with held_board(spec, desk, "board flash", for_s=at_least_s) as board:
        flasher = flasher_of(spec, await ready_console(board))
        with flash_progress(make_console(stderr=True)) as show:
            try:
                return await flasher.flash(image, lambda progress: show(*progress))
            except asyncio.CancelledError:
                tell(_left(spec.name, flasher))
                raise


def _left(name: str, flasher: Flasher) -> str:
    """What a person who stopped it finds on the board."""
    if flasher.left_in is BoardState.UNTOUCHED:
        return f"stopped; {name} is untouched: what was on it still is"
    return f"stopped; {name} is {flasher.left_in}: flash it again before it boots"
