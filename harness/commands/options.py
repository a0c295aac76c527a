"""Options that several commands have, under one name and with one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Against = Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="A running server.")]
AgainstIfGiven = Annotated[
    str | None,
    typer.Option(metavar="URL|SERVER.yaml", help="A running server.  [default: the built-in reference server]"),
]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside", help="Let scenarios read files (lists of units) that do not lie below their folder."
    ),
]
Ca = Annotated[Path | None, typer.Option(metavar="F", help="Trust this CA (PEM).")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept any certificate.")]
ChangeTenantSettings = Annotated[
    bool,
    typer.Option(
        "--change-tenant-settings",
        help="Allow changes of tenant-wide settings on a server that is not on this machine.",
    ),
]
Junit = Annotated[Path | None, typer.Option(metavar="F", help="Write JUnit XML here.")]
Strict = Annotated[bool, typer.Option("--strict", help="Treat warnings as failures.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="T", help="Only scenarios with this tag; repeatable.")]
Scenarios = Annotated[
    Path | None,
    typer.Option(
        "--scenarios",
        metavar="DIR",
        help="Folder to look up IDs in.  [default: ./scenarios, else the scenarios installed with fleetrig]",
    ),
]
Wanted = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="IDs, ID prefixes, files or folders; all scenarios if omitted."),
]
