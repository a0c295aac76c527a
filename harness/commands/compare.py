"""`fleetrig compare`: two runs, two servers, or two versions of one, laid on each other."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.fleet_options import share_of
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.differences.difference_page import difference_page
from fleetrig.harness.differences.difference_text import closing_sentence, difference_lines
from fleetrig.harness.differences.many_runs import Compared, OnlyIn, compared
from fleetrig.harness.differences.run_difference import USUAL_WITHIN
from fleetrig.harness.differences.sides import side_of
from fleetrig.harness.load.comparison import Comparison, compare
from fleetrig.harness.load.comparison_page import comparison_page
from fleetrig.harness.load.comparison_text import comparison_lines
from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, read_curves
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

CSV: Final = ".csv"


@examples(
    "fleetrig compare monday.trace.jsonl tuesday.trace.jsonl",
    "fleetrig compare ours.xml theirs.xml  # of `conform --junit` on two servers",
    "fleetrig compare steady_polling.predicted steady_polling.load --within 20%",
    "fleetrig compare before/ after/ --html page.html",
)
def compare_command(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="A trace, a folder of traces or curves, a JUnit file, or a curves.csv.")
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one of the same kind.")],
    html: Annotated[
        Path | None, typer.Option(metavar="F", help="Write what differs into this page; its folder must exist.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Exit with 1 when times of runs, or curves, differ by more: 20%."),
    ] = None,
) -> None:
    """Lay two runs, two servers or two versions of one on each other, and say what differs.

    Of traces: verdicts that changed, exchanges that were added or removed, answered otherwise or in another order, and
    what took another time. Of JUnit files: the verdicts. Of curves: by how much they differ. Exits with 1 when traces
    or JUnit files differ in more than times.
    """
    most = None if within is None else share_of(within, "--within")
    if html is not None:
        check_file("--html", html)
    agree = curves_agree if is_curves(first) or is_curves(second) else runs_agree
    does_agree = agree(first, second, html, most)
    raise typer.Exit(Exit.PASSED if does_agree else Exit.FAILED)


def is_curves(path: Path) -> bool:
    return (path / CURVES_FILE).is_file() or path.suffix == CSV


# Runs


def runs_agree(first: Path, second: Path, html: Path | None, most: float | None) -> bool:
    """Prints what differs, and writes the page. Whether the exit code is 0."""
    found = list(compared(side_of(first), side_of(second), USUAL_WITHIN if most is None else most))
    names = (str(first), str(second))
    if html is not None:  # first: whoever reads the lines may stop early, as `head` does
        write_page(html, [difference_page(found, names)])
    typer.echo(f"A  {names[0]}\nB  {names[1]}\n")
    for one in found:
        for line in difference_lines(one):
            typer.echo(line)
    typer.echo(f"\n{closing_sentence(found)}")
    if html is not None:
        typer.echo(f"page  {html}")
    return not is_other(found, counts_times=most is not None)


def is_other(found: Sequence[Compared], *, counts_times: bool) -> bool:
    return any(isinstance(one, OnlyIn) or one.is_other or (counts_times and bool(one.timings)) for one in found)


# Curves


def curves_agree(first: Path, second: Path, html: Path | None, most: float | None) -> bool:
    """The same of curves."""
    found = compare(rows_of(first), rows_of(second))
    names = (str(first), str(second))
    if html is not None:
        write_page(html, [comparison_page(found, names, "Predicted and measured")])
    for line in comparison_lines(found, names):
        typer.echo(line)
    if html is not None:
        typer.echo(f"page  {html}")
    return agrees(found, most)


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


def write_page(html: Path, parts: Iterable[str]) -> None:
    """Whole or not at all. Raises BrokenBench."""
    try:
        with whole_file(html) as file:
            file.writelines(parts)
    except OSError as wrong:
        raise BrokenBench(f"cannot write {html}: {system_said(wrong)}") from None
