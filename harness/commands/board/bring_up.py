"""`fleetrig board bring-up`: units made on boards, several at once, each with a record of its own."""

from __future__ import annotations

import asyncio
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.bench_file import Desk
from fleetrig.harness.bench.flashers import check_can_be_flashed
from fleetrig.harness.bench.state_folder import board_folder
from fleetrig.harness.bench.unit_bring_up import UnitMaking
from fleetrig.harness.bench.unit_climbs import UnitOrder
from fleetrig.harness.bench.unit_provisioning import SEEN_WITHIN_S
from fleetrig.harness.commands.board.options import DESK, Bench, DeskFolder, ImageSha256, desk_of, judged
from fleetrig.harness.commands.board.unit_server import UnitServer, unit_server
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import Ca, ChangeTenantSettings, Insecure
from fleetrig.harness.platforms import FIRST
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flasher import Image
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.units.bring_up import Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.errors import FleetrigError, UsageError
from fleetrig.simulator.drivers.wall_clock import WallClock

MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
GOALS: Final = {"flashed": Rung.FLASHED, "booted": Rung.BOOTED, "provisioned": Rung.PROVISIONED}
STOPPING: Final = "stopping: what was made of the units is written down"

Units = Annotated[
    list[str],
    typer.Argument(metavar="NAME=SERIAL[,MAC]...", help="Boards, and the units that they are to be."),
]
ImageFile = Annotated[Path | None, typer.Option("--image", metavar="F", help="Flash this first.")]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="RUNG",
        help="How far: flashed, booted or provisioned.  [default: booted; with --against provisioned]",
    ),
]
Records = Annotated[Path, typer.Option("--records", metavar="DIR", help="Where unit records are kept.")]
Again = Annotated[bool, typer.Option("--again", help="Also units that have passed, or that the server knows.")]
Part = Annotated[str, typer.Option("--part", metavar="TEXT", help="The units' part number, for their records.")]
Revision = Annotated[str, typer.Option("--revision", metavar="TEXT", help="Their revision, for their records.")]
UnitsServer = Annotated[
    str | None, typer.Option("--against", metavar="URL|SERVER.yaml", help="The server that the units are to be of.")
]
PlatformName = Annotated[
    str | None, typer.Option("--platform", metavar="NAME", help="What that server is.  [default: from SERVER.yaml]")
]
UnitTransport = Annotated[
    str,
    typer.Option("--transport", metavar="SCHEME", help="How units reach it: http, https, mqtt, mqtts, coap or coaps."),
]
UnitProfile = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Their device profile, where a platform has such.")
]
SigningFolder = Annotated[
    Path | None,
    typer.Option("--authority", metavar="DIR", help="Who signs for boards that make their keys: a folder of `ca new`."),
]
SeenWithin = Annotated[
    float, typer.Option("--seen-within", metavar="S", min=1.0, help="So long the server may take to see a unit.")
]


@examples(
    "fleetrig board bring-up left=GW-0001,52:54:00:12:34:56 --image gw.img",
    f"fleetrig board bring-up left=GW-1 --against URL --platform {FIRST}",
)
def bring_up_command(
    units: Units,
    records: Records = Path("units"),
    image: ImageFile = None,
    sha256: ImageSha256 = "",
    to: To = None,
    again: Again = False,
    part: Part = "",
    revision: Revision = "",
    against: UnitsServer = None,
    platform_name: PlatformName = None,
    transport: UnitTransport = "",
    profile: UnitProfile = "fleetrig",
    authority: SigningFolder = None,
    seen_within: SeenWithin = SEEN_WITHIN_S,
    ca: Ca = None,
    insecure: Insecure = False,
    change_tenant_settings: ChangeTenantSettings = False,
    bench: Bench = None,
    desk: DeskFolder = DESK,
) -> None:
    """Bring boards up: off, flashed, booted, provisioned. Each attempt leaves a record; no serial is given twice."""
    goal = _goal(to, image, against)
    boards, found = desk_of(bench), read_image(image, sha256) if image else None
    orders = _orders(boards, units, UnitIdentity("", part=part, revision=revision), goal, found, again=again)
    server = None
    if against is not None:
        server = unit_server(
            against, platform_name, listener=transport, group=profile, authority=authority, ca=ca, insecure=insecure,
            may_change_settings=change_tenant_settings, seen_within_s=seen_within,
        )  # fmt: skip
    for order in orders:
        _check(order, server)
    clock = WallClock()
    making = UnitMaking(
        UnitRecords(records), Reservations(desk, clock), clock, board_folder, desk, on_phase=_tell_phase
    )
    raise typer.Exit(judged(_all(making, orders, server), STOPPING))


def _goal(to: str | None, image: Path | None, against: str | None) -> Rung:
    """Raises UsageError for options that contradict each other."""
    word = to or ("booted" if against is None else "provisioned")
    if word not in GOALS:
        raise UsageError(f"--to: expected {', '.join(GOALS)}, got {word!r}")
    if word == "flashed" and image is None:
        raise UsageError("--to flashed needs --image F")
    if word == "provisioned" and against is None:
        raise UsageError("--to provisioned needs --against URL|SERVER.yaml: the server that the units are to be of")
    if word != "provisioned" and against is not None:
        raise UsageError(f"--against is for --to provisioned; --to {word} asks no server")
    return GOALS[word]


def _orders(
    boards: Desk, units: Sequence[str], like: UnitIdentity, goal: Rung, image: Image | None, *, again: bool
) -> list[UnitOrder]:
    station = f"{platform.node()}, {boards.title}"
    return [
        UnitOrder(boards.board(name), replace(like, serial=serial, mac=mac), station, goal, boards.folder, image, again)
        for name, (serial, mac) in _named(boards, units)
    ]


def _check(order: UnitOrder, server: UnitServer | None) -> None:
    """Before any board is touched. Raises UsageError: the bench file does not say how to do it."""
    spec = order.spec
    if order.image is not None:
        check_can_be_flashed(spec)
    if spec.console.kind == "none":
        raise UsageError(f"{spec.name} has no console: nobody could see it boot; say `console` in the bench file")
    if server is not None:
        server.check(spec)


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


async def _all(making: UnitMaking, orders: Sequence[UnitOrder], server: UnitServer | None) -> int:
    """All at once; what is wrong with one is told, and does not stop the others."""
    if server is None:
        return await _each(making, orders)
    async with server.connected([order.spec for order in orders]) as making.provisioning:
        return await _each(making, orders)


async def _each(making: UnitMaking, orders: Sequence[UnitOrder]) -> int:
    ended = await asyncio.gather(*(_one(making, order) for order in orders))
    for line in closing_lines(ended):
        typer.echo(line)
    exits = [code for code, _ in ended]
    return max(exits, key=(Exit.PASSED, Exit.FAILED, Exit.BROKEN, Exit.WRONG_USAGE).index)


async def _one(making: UnitMaking, order: UnitOrder) -> tuple[Exit, str]:
    """How it ended, and the line that says so."""
    try:
        record = await making.make(order)
    except FleetrigError as refused:
        line = f"{order.spec.name}: {refused}"
        tell(line)
        return Exit(refused.exit_code), line
    line = _line(record)
    typer.echo(line)
    return EXITS[record.verdict], line


def closing_lines(ended: Sequence[tuple[Exit, str]]) -> Iterator[str]:
    """How many were brought up and, where they do not stand just above, what became of the others once more."""
    if len(ended) < 2:
        return
    others = [line for code, line in ended if code is not Exit.PASSED]
    yield f"{len(ended) - len(others)} of {len(ended)} units were brought up" + ("; not these:" if others else "")
    yield from (f"  {line}" for line in others)
    if others:
        yield "`fleetrig board records` has all attempts; a unit that did not pass may be tried again as it is"


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
