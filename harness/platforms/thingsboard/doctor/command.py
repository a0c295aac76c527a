"""`fleetrig doctor thingsboard`: not there yet."""

from __future__ import annotations

from typing import Annotated

import typer

from fleetrig.simulator.contract.errors import UsageError

Against = Annotated[str | None, typer.Option(metavar="URL|SERVER.yaml", help="The server.")]


def doctor_command(against: Against = None) -> None:
    """Not there yet for ThingsBoard."""
    del against
    raise UsageError("fleetrig doctor is not there yet for ThingsBoard; serve, check, plan, run and conform are")
