"""`fleetrig doctor thingsboard`: not there yet."""

from __future__ import annotations

from fleetrig.simulator.contract.errors import UsageError


def doctor_command() -> None:
    """Not there yet for ThingsBoard."""
    raise UsageError("fleetrig doctor is not there yet for ThingsBoard; serve, check, plan and run are")
