"""`fleetrig compare`: two curves laid on each other."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.fleet_options import share_of
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.load.comparison import Comparison, compare
from fleetrig.harness.load.comparison_page import comparison_page
from fleetrig.harness.load.comparison_text import comparison_lines
from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, read_curves
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import UsageError


@examples(
    "cd fleetrig-results/load",
    "fleetrig compare steady_polling.predicted steady_polling.load --within 20%",
    "fleetrig compare predicted/curves.csv measured/curves.csv --html page.html",
)
def compare_command(
    predicted: Annotated[Path, typer.Argument(help="The folder of `fleetrig predict`, or a curves.csv.")],
    measured: Annotated[Path, typer.Argument(help="The folder of `fleetrig load`, or a curves.csv.")],
    html: Annotated[
        Path | None, typer.Option(metavar="F", help="Draw both into this page; its folder must exist.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Exit with 1 when rate, online, errors or dropped differ by more: 20%."),
    ] = None,
) -> None:
    """Lay two runs on each other, such as one in virtual time and one as load, and say by how much they differ."""
    most = None if within is None else share_of(within, "--within")
    if html is not None:
        check_file("--html", html)
    found = compare(rows_of(predicted), rows_of(measured))
    names = (str(predicted), str(measured))
    if html is not None:  # first: whoever reads the lines may stop early, as `head` does
        with whole_file(html) as file:
            file.write(comparison_page(found, names, "Predicted and measured"))
    for line in comparison_lines(found, names):
        typer.echo(line)
    if html is not None:
        typer.echo(f"page  {html}")
    raise typer.Exit(Exit.PASSED if agrees(found, most) else Exit.FAILED)


def agrees(found: Comparison, most: float | None) -> bool:
    """True when nobody asked for less than there is."""
    worst = found.worst()
    return most is None or (worst is not None and (worst.difference or 0.0) <= most)


def rows_of(path: Path) -> list[CurveRow]:
    """Raises UsageError for what holds no curves."""
    file = path / CURVES_FILE if path.is_dir() else path
    try:
        return read_curves(file)
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"cannot read {file}: {why_unread(file, wrong)}") from None
    except (ValueError, csv.Error) as wrong:
        raise UsageError(str(wrong)) from None
