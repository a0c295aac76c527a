"""`fleetrig board flash`: an image onto a board that has said who it is, read back and compared."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.flashers import check_can_be_flashed, least_s, ready_flasher
from fleetrig.harness.commands.board.options import (
    DESK,
    Bench,
    Board,
    DeskFolder,
    ImageSha256,
    desk_of,
    held_board,
    judged,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.flash_progress import flash_progress
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.flasher import BoardState, Flashed, Flasher, Image
from fleetrig.hil.flashers.flash_plan import planned
from fleetrig.hil.flashers.image import read_image
from fleetrig.simulator.contract.errors import UsageError

HEX_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
ImageToWrite = Annotated[Path, typer.Argument(metavar="IMAGE", help="The file to write.")]
STOPPING: Final = "stopping: the transfer is broken off"


@examples(
    "fleetrig board flash left gw.img --bench bench.yaml",
)
def flash_command(
    name: Board, image: ImageToWrite, sha256: ImageSha256 = "", bench: Bench = None, desk: DeskFolder = DESK
) -> None:
    """Write an image to a board. It is asked who it is right before; what was written is read back and compared."""
    boards = desk_of(bench)
    spec = boards.board(name)
    check_can_be_flashed(spec)
    if sha256 and not HEX_SHA256.fullmatch(sha256):
        raise UsageError(f"--sha256: expected 64 hexadecimal digits, got {sha256!r}")
    found = read_image(image, sha256)
    flashed = judged(_flash(spec, found, desk, boards.folder), STOPPING)
    typer.echo(f"{spec.name} has {image.name}: {found.size_bytes:,} bytes, SHA-256 {found.sha256}")
    typer.echo(f"written {flashed.written_bytes:,} bytes in {flashed.took_s:.1f} s, verified by {flashed.verified_by}")


async def _flash(spec: BoardSpec, image: Image, desk: Path, bench_folder: Path) -> Flashed:
    """Whenever it is stopped, it says in what condition the board is: also on its way to a prompt, and at the end."""
    used: list[Flasher] = []
    try:
        return await _written(spec, image, desk, bench_folder, used)
    except asyncio.CancelledError:
        tell(_left(spec.name, used[0].left_in if used else BoardState.UNTOUCHED))
        raise


async def _written(spec: BoardSpec, image: Image, desk: Path, bench_folder: Path, used: list[Flasher]) -> Flashed:
    at_least_s = least_s(spec, image.size_bytes)
    if at_least_s:
        tell(planned(image.size_bytes, spec.baud))
    async with held_board(spec, desk, "board flash", for_s=at_least_s) as board:
        used.append(await ready_flasher(board, bench_folder))
        with flash_progress(make_console(stderr=True)) as show:
            return await used[0].flash(image, lambda progress: show(*progress))


def _left(name: str, left_in: BoardState) -> str:
    """What a person who stopped it finds on the board."""
    match left_in:
        case BoardState.UNTOUCHED:
            return f"stopped; {name} is untouched: what was on it still is"
        case BoardState.VERIFIED:
            return f"stopped; {name} is written and verified: it can boot"
        case state:
            return f"stopped; {name} is {state}: flash it again before it boots"
