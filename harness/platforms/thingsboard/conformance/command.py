"""`fleetrig conform thingsboard`: not there yet."""

from __future__ import annotations

from fleetrig.simulator.contract.errors import UsageError


def conform_command() -> None:
    """Not there yet for ThingsBoard."""
    raise UsageError("fleetrig conform is not there yet for ThingsBoard; serve, check, plan and run are")
