"""`fleetrig board out-of-service` and `in-service`: what the next one who wants the board is told."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.board.options import DESK, Bench, Board, DeskFolder, desk_of, reservations_of
from fleetrig.harness.commands.help_page import examples

Why = Annotated[str, typer.Argument(metavar="SENTENCE", help="Why, for the next one: 'its relay sticks'.")]


@examples(
    "fleetrig board out-of-service left 'its relay sticks' --bench bench.yaml",
)
def out_of_service_command(name: Board, why: Why, bench: Bench = None, desk: DeskFolder = DESK) -> None:
    """Take a board out of service. Who has it keeps it; the next one is told why not."""
    desk_of(bench).known(name)
    reservations_of(desk).put_out_of_service(name, why)
    typer.echo(f"{name} is out of service; `fleetrig board in-service {name}{_same(bench, desk)}` ends that")


def _same(bench: Path | None, desk: Path) -> str:
    """The options that lead to the same board."""
    options = [*([] if bench is None else ["--bench", str(bench)]), *([] if desk == DESK else ["--desk", str(desk)])]
    return f" {shlex.join(options)}" if options else ""


@examples(
    "fleetrig board in-service left --bench bench.yaml",
)
def in_service_command(name: Board, bench: Bench = None, desk: DeskFolder = DESK) -> None:
    """Put a board in service again."""
    desk_of(bench).known(name)
    reservations_of(desk).put_in_service(name)
    typer.echo(f"{name} is in service again")
