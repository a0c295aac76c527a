"""`fleetrig board bring-up`: units made on boards, several at once, each with a record of its own."""

from __future__ import annotations

import asyncio
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.bench_file import Desk
from fleetrig.harness.bench.flashers import check_can_be_flashed
from fleetrig.harness.bench.state_folder import board_folder
from fleetrig.harness.bench.unit_bring_up import UnitMaking, UnitOrder
from fleetrig.harness.commands.board.options import DESK, Bench, DeskFolder, ImageSha256, desk_of, judged
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.units.bring_up import Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.errors import FleetrigError, UsageError
from fleetrig.simulator.drivers.wall_clock import WallClock

MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
GOALS: Final = {"flashed": Rung.FLASHED, "booted": Rung.BOOTED}
STOPPING: Final = "stopping: what was made of the units is written down"

Units = Annotated[
    list[str],
    typer.Argument(metavar="NAME=SERIAL[,MAC]...", help="Boards, and the units that they are to be."),
]
ImageFile = Annotated[Path | None, typer.Option("--image", metavar="F", help="Flash this first.")]
To = Annotated[str, typer.Option("--to", metavar="RUNG", help="How far: flashed or booted.")]
Records = Annotated[Path, typer.Option("--records", metavar="DIR", help="Where unit records are kept.")]
Again = Annotated[bool, typer.Option("--again", help="Also units that have passed.")]
Part = Annotated[str, typer.Option("--part", metavar="TEXT", help="The units' part number, for their records.")]
Revision = Annotated[str, typer.Option("--revision", metavar="TEXT", help="Their revision, for their records.")]


def bring_up_command(
    units: Units,
    records: Records = Path("units"),
    image: ImageFile = None,
    sha256: ImageSha256 = "",
    to: To = "booted",
    again: Again = False,
    part: Part = "",
    revision: Revision = "",
    bench: Bench = None,
    desk: DeskFolder = DESK,
) -> None:
    """Bring boards up: off, flashed, booted. Each attempt leaves a record; a serial number or MAC is given once."""
    if to not in GOALS:
        raise UsageError(f"--to: expected {' or '.join(GOALS)}, got {to!r}")
    if to == "flashed" and image is None:
        raise UsageError("--to flashed needs --image F")
    boards, found = desk_of(bench), read_image(image, sha256) if image else None
    station = f"{platform.node()}, {boards.title}"
    named = [(name, UnitIdentity(*unit, part, revision)) for name, unit in _named(boards, units)]
    orders = [
        UnitOrder(boards.board(name), unit, station, GOALS[to], boards.folder, found, again) for name, unit in named
    ]
    for order in orders if found else ():
        check_can_be_flashed(order.spec)
    for order in orders:
        if order.spec.console.kind == "none":
            raise UsageError(
                f"{order.spec.name} has no console: nobody could see it boot; say `console` in the bench file"
            )
    clock = WallClock()
    making = UnitMaking(UnitRecords(records), Reservations(desk, clock), clock, board_folder, desk, _tell_phase)
    raise typer.Exit(judged(_all(making, orders), STOPPING))


def _named(boards: Desk, words: Sequence[str]) -> list[tuple[str, tuple[str, str]]]:
    """(board, (serial, MAC)) of each word; the serial may stand in the bench file."""
    named: dict[str, tuple[str, str]] = {}
    for word in words:
        name, _, unit = word.partition("=")
        serial, _, mac = unit.partition(",")
        serial = serial or boards.known(name).serial
        if not serial:
            raise UsageError(f"{name}: which unit is it to be? Say {name}=SERIAL, or `serial` in the bench file")
        if mac and not MAC.fullmatch(mac.lower()):
            raise UsageError(f"{word}: expected a MAC such as 52:54:00:12:34:56, got {mac!r}")
        if name in named:
            raise UsageError(f"{name} is named twice: a board is one unit at a time")
        boards.known(name)
        named[name] = serial, mac.lower()
    return list(named.items())


async def _all(making: UnitMaking, orders: Sequence[UnitOrder]) -> int:
    """All at once; what is wrong with one is told, and does not stop the others."""
    exits = await asyncio.gather(*(_one(making, order) for order in orders))
    return max(exits, key=(Exit.PASSED, Exit.FAILED, Exit.BROKEN, Exit.WRONG_USAGE).index)


async def _one(making: UnitMaking, order: UnitOrder) -> Exit:
    try:
        record = await making.make(order)
    except FleetrigError as refused:
        tell(f"{order.spec.name}: {refused}")
        return Exit(refused.exit_code)
    typer.echo(_line(record))
    return EXITS[record.verdict]


EXITS: Final = {
    UnitVerdict.PASSED: Exit.PASSED,
    UnitVerdict.FAILED: Exit.FAILED,
    UnitVerdict.BROKEN: Exit.BROKEN,
    UnitVerdict.STOPPED: Exit.INTERRUPTED,
}


def _line(record: UnitRecord) -> str:
    why = f": {record.reason}" if record.reason else ""
    return f"{record.board}  {record.identity.serial}  attempt {record.attempt}  {record.verdict}{why}"


def _tell_phase(order: UnitOrder, phase: UnitPhase) -> None:
    tell(f"{order.spec.name}  {phase.name}: {phase.verdict} in {phase.took_s:.1f} s")
