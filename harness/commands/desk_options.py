"""Options of the verbs for a server on your desk: which server, and who asks there."""

from __future__ import annotations

from typing import Annotated

import typer

from fleetrig.harness.platforms import PLATFORMS

PlatformIfGiven = Annotated[
    str | None,
    typer.Option(
        "--platform", metavar="P",
        help=f"What the server is ({', '.join(PLATFORMS)}).  [default: from SERVER.yaml, else what answers there]",
    ),
]  # fmt: skip
OperatorUser = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="An operator's account.  [default: from SERVER.yaml, else the usual]"),
]
OperatorPassword = Annotated[
    str | None, typer.Option("--password", metavar="env:NAME|FILE", help="The operator's password.")
]
