"""Options that several commands have, under one name and with one help text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from fleetrig.simulator.contract.bounds import PARALLEL_RUNS, REPEATS, SEED, Bound


def within(bound: Bound) -> Callable[[int | None], int | None]:
    """A callback of an option that is a number: it has this bound, and no more below zero."""

    def check(value: int | None) -> int | None:
        try:
            bound.check(abs(value or 0))
        except ValueError as wrong:
            raise typer.BadParameter(f"{wrong}, got {value}") from None
        return value

    return check


Against = Annotated[
    str,
    typer.Option(
        metavar="URL|SERVER.yaml", help="A running server; of a `fleetrig serve` the address of its control interface."
    ),
]
AgainstIfGiven = Annotated[
    str | None,
    typer.Option(
        metavar="URL|SERVER.yaml",
        help="A running server; of a `fleetrig serve` the address of its "
        "control interface.  [default: the built-in reference server]",
    ),
]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside", help="Let scenarios read files (lists of units) that do not lie below their folder."
    ),
]
BenchFileGiven = Annotated[
    Path | None,
    typer.Option(
        "--bench", metavar="BENCH.yaml", help="Where the boards of scenarios are.  [default: emulated on this machine]"
    ),
]
DeskGiven = Annotated[
    Path | None,
    typer.Option(
        "--desk", metavar="DIR", help="Where those who share the boards note who has which.  [default: one per machine]"
    ),
]
Ca = Annotated[Path | None, typer.Option(metavar="F", help="Trust this CA (PEM).")]
DeviceProgram = Annotated[
    str | None,
    typer.Option(
        metavar="CMD",
        help="Command that starts the device under test (external/… scenarios); {url}, {tenant}, {id}, {token} and "
        "more in it are filled in.",
    ),
]
DeviceImage = Annotated[
    Path | None, typer.Option(metavar="F", help="Image file to deploy to the device; generated if omitted.")
]
OwnDevice = Annotated[bool, typer.Option("--own-device", help="Run external/… with fleetrig's own device.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept any certificate.")]
ChangeTenantSettings = Annotated[
    bool,
    typer.Option(
        "--change-tenant-settings",
        help="Allow changes of tenant-wide settings on a server that is not on this machine.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, callback=within(PARALLEL_RUNS), help="Run up to N scenarios in parallel (real time only)."
    ),
]
Junit = Annotated[Path | None, typer.Option(metavar="F", help="Write JUnit XML to this file; its folder must exist.")]
ReportPage = Annotated[
    Path | None,
    typer.Option("--html", metavar="F", help="Write a page with verdicts, events and curves; its folder must exist."),
]
Repeat = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, callback=within(REPEATS), help="Run everything N times, each time with the next seed."
    ),
]
Engine = Annotated[
    Literal["exact", "cohort"] | None,
    typer.Option(
        metavar="exact|cohort",
        help="In virtual time: exact lets each device speak its protocol, cohort counts millions of them.  "
        "[default: by size, and by what the scenario asks]",
    ),
]
Seed = Annotated[
    int, typer.Option(metavar="N", callback=within(SEED), help="The same seed gives the same run in virtual time.")
]
Shrink = Annotated[
    bool,
    typer.Option(
        "--shrink", help="Look for the fewest devices and the shortest faults with which a failing run still fails."
    ),
]
Tries = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, callback=within(REPEATS), help="--shrink tries so many cases at most.  [default: 200]"
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as failures.")]
FailOnSkip = Annotated[bool, typer.Option("--fail-on-skip", help="Treat what was skipped as a failure (exit code 1).")]
AllowSkipped = Annotated[
    bool,
    typer.Option("--allow-skipped", help="Exit with 0, not 5, when everything was skipped and so nothing was judged."),
]
Params = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value for a param of the scenario; repeatable."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="T", help="Only scenarios with this tag; repeatable.")]
Scenarios = Annotated[
    Path | None,
    typer.Option(
        "--scenarios",
        metavar="DIR|shipped",
        help="Look up IDs in this folder alone, or among the scenarios shipped with fleetrig.  "
        "[default: ./scenarios, then the shipped ones]",
    ),
]
NAMED_BY: Final = "IDs, the beginnings of IDs up to a slash, files or folders"
Wanted = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help=f"{NAMED_BY}.  [default: all of ./scenarios; all shipped ones where there is none]",
    ),
]
WantedInList = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help=f"{NAMED_BY}.  [default: all of ./scenarios, and those shipped with fleetrig]"),
]
