"""`fleetrig board list`: what lies on the desk, what of it is there, and who has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer

from fleetrig.harness.bench.bench_file import BoardEntry
from fleetrig.harness.bench.draft import UNKNOWN_TYPE
from fleetrig.harness.bench.made_boards import missing_for
from fleetrig.harness.bench.port_names import is_stable
from fleetrig.harness.commands.board.options import DESK, Bench, DeskFolder, desk_of, reservations_of
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.desk.reservation import Reservations

HEAD = ("name", "type", "port", "there", "use", "offers")


@examples(
    "fleetrig board list",
    "fleetrig board list --bench bench.yaml",
)
def list_command(bench: Bench = None, desk: DeskFolder = DESK) -> None:
    """List the boards: name, type, port, whether it is plugged in, who has it, what it offers."""
    boards, reservations = desk_of(bench), reservations_of(desk)
    lacking = {name: missing_for(entry) for name, entry in boards.entries.items()}
    rows = [_row(name, entry, reservations, lacking) for name, entry in boards.entries.items()]
    for line in table([HEAD, *rows]):
        typer.echo(line)
    for name, entry in boards.entries.items():
        if entry.type == UNKNOWN_TYPE:
            tell(f"{name}: its type is still {UNKNOWN_TYPE}: say what it is, such as acme-gw2")
        if entry.port and not is_stable(entry.port):
            tell(f"{name}: {entry.port} may be another board after a reboot; `fleetrig board scan` lists stable names")
        if lacking.get(name):
            tell(f"{name}: {lacking[name]}")


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they need, the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(name: str, entry: BoardEntry, reservations: Reservations, lacking: Mapping[str, str]) -> tuple[str, ...]:
    port = entry.port or "(emulated)"
    is_there = "no" if lacking.get(name) else _is_there(entry)
    return (name, entry.type, port, is_there, _use(name, reservations), " ".join(entry.offers) or "-")


def _is_there(entry: BoardEntry) -> str:
    """A port on another machine is only asked when it is opened."""
    if entry.port is None:
        return "yes"
    if "://" in entry.port:
        return "?"
    return "yes" if Path(entry.port).exists() else "no"


def _use(name: str, reservations: Reservations) -> str:
    if (use := reservations.who(name)) is not None:
        return f"busy: {use.owner.user}@{use.owner.host}"
    if (outage := reservations.out_of_service(name)) is not None:
        return f"out of service: {outage.sentence}"
    return "free"
