"""What the commands of `fleetrig board` share: the bench, the desk's folder, and how a board is held and judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from fleetrig.harness.bench.bench_file import Desk, read_bench
from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.harness.bench.state_folder import board_folder
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import run_until_stopped, tell
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.desk.reservation import DESK_FOLDER, Reservations
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.drivers.wall_clock import WallClock

T = TypeVar("T")

Bench = Annotated[
    Path | None,
    typer.Option("--bench", metavar="BENCH.yaml", help="The bench file; without it, boards emulated here."),
]
DeskFolder = Annotated[
    Path,
    typer.Option("--desk", metavar="DIR", help="Where those who share the boards note who has which."),
]
Board = Annotated[str, typer.Argument(metavar="NAME", help="A board of the bench; `fleetrig board list` names them.")]
ImageSha256 = Annotated[
    str, typer.Option("--sha256", metavar="HEX", help="What its SHA-256 must be; checked before the board is touched.")
]
DESK: Path = DESK_FOLDER


def desk_of(bench: Path | None) -> Desk:
    """Raises UsageError, FileMistakes."""
    return emulated_desk() if bench is None else read_bench(bench)


def reservations_of(desk: Path) -> Reservations:
    return Reservations(desk, WallClock())


@asynccontextmanager
async def held_board(spec: BoardSpec, desk: Path, command: str, for_s: float = 0.0) -> AsyncIterator[OpenedBoard]:
    """Held under its name, and open. Raises PortBusy at once when somebody has it."""
    clock = WallClock()
    until_us = clock.now_us() + to_us(for_s) if for_s else 0
    with Reservations(desk, clock).held(spec.name, command, until_us):
        async with opened_board(spec, board_folder(spec.name), clock, desk) as board:
            yield board


def judged(work: Coroutine[Any, Any, T], notice: str) -> T:
    """Runs it. What the board is to blame for becomes a sentence and exit code 1; a first Ctrl-C says `notice`."""
    with _board_judged():
        return run_until_stopped(work, notice)


@contextmanager
def _board_judged() -> Iterator[None]:
    try:
        yield
    except BoardFailed as failed:
        tell(str(failed))
        raise typer.Exit(Exit.FAILED) from None
