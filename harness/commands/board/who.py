"""`fleetrig board who`: who has a board, since when and until when, and who had it before."""

from __future__ import annotations

from typing import Annotated

import typer

from fleetrig.harness.commands.board.options import DESK, Bench, Board, DeskFolder, desk_of, reservations_of
from fleetrig.harness.commands.help_page import examples
from fleetrig.hil.desk.board_use import Use, shown_time

Last = Annotated[int, typer.Option(metavar="N", min=0, help="Show the last N uses.")]


@examples(
    "fleetrig board who left --bench bench.yaml",
)
def who_command(name: Board, bench: Bench = None, desk: DeskFolder = DESK, last: Last = 10) -> None:
    """Say who has a board, since when and until when, and who had it before."""
    desk_of(bench).known(name)
    reservations = reservations_of(desk)
    use, outage = reservations.who(name), reservations.out_of_service(name)
    typer.echo(f"{name} is in use by {use}" if use else f"{name} is free")
    if outage is not None:
        typer.echo(f"out of service since {shown_time(outage.since_us)}: {outage.sentence} (says {outage.user})")
    earlier = [one for one in reservations.history(name) if use is None or one.since_us != use.since_us]
    for one in earlier[max(0, len(earlier) - last) :]:
        typer.echo(f"  {_line(one)}")


def _line(use: Use) -> str:
    ended = f"to {shown_time(use.ended_us)}" if use.ended_us else "was ended before it could say so"
    return f"{shown_time(use.since_us)} {ended}: {use.owner}, {use.command}"
