"""`fleetrig deploy` on Hono, which has no files."""

from __future__ import annotations

from fleetrig.harness.desk.deploying import Deploying
from fleetrig.simulator.contract.errors import UsageError

NO_FILES = (
    "Hono keeps no files and gives none to devices: an application sends the device a command, for instance with the "
    "URL of a file, and the device fetches it. On `fleetrig serve` that is a POST to /northbound/commands of the "
    "control interface (docs/desk.md), on a Hono of yours it goes through its messaging network"
)


def deploying() -> Deploying:
    """Raises UsageError, always."""
    raise UsageError(NO_FILES)
