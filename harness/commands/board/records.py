"""`fleetrig board records`: what is known of the units that were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.bench.unit_tables import record_schema, write_csv, write_junit
from fleetrig.harness.commands.board.list import table
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.hil.units.unit_record import UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.errors import NoSuchId

Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Where unit records are kept.")]
UnitsCsv = Annotated[Path | None, typer.Option(metavar="F", help="Write a CSV, a line for each attempt.")]
UnitsJunit = Annotated[Path | None, typer.Option(metavar="F", help="Write JUnit XML, a test case for each attempt.")]
AsSchema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a record, and nothing else.")]


@examples(
    "fleetrig board records",
    "fleetrig board records units --csv units.csv --junit units.xml",
)
def records_command(
    folder: Folder = Path("units"), csv: UnitsCsv = None, junit: UnitsJunit = None, schema: AsSchema = False
) -> None:
    """List what became of each attempt to make a unit."""
    if schema:
        typer.echo(json.dumps(record_schema(), indent=2, ensure_ascii=False))
        return
    records = UnitRecords(folder).all()
    if not records:
        raise NoSuchId(f"{folder} holds no unit records; `fleetrig board bring-up` writes them")
    for option, path, write in (("--csv", csv, write_csv), ("--junit", junit, write_junit)):
        if path is not None:
            check_file(option, path)
            with whole_file(path) as file:
                write(records, file)
    for line in table([HEAD, *map(_row, records)]):
        typer.echo(line)


HEAD: Final = ("serial", "attempt", "board", "verdict", "reached", "credential", "reason")


def _row(record: UnitRecord) -> tuple[str, ...]:
    """`reached` is the last rung that was."""
    reached = [phase.name for phase in record.phases if phase.verdict is UnitVerdict.PASSED]
    credential = " ".join(filter(None, (record.credential_kind, record.credential_fingerprint)))
    about = (record.identity.serial, str(record.attempt), record.board, record.verdict)
    return (*about, reached[-1] if reached else "-", credential or "-", record.reason.partition("\n")[0])
