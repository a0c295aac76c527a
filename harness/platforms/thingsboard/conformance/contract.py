"""ThingsBoard's contract as a page (docs/contracts/thingsboard.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.contract_page import ContractRow, contract_page, server_rows
from fleetrig.harness.platforms.thingsboard.conformance.device_rows import DEVICE_ROWS, severity_of
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS

CLAUSES: Final = Path(__file__).with_name("clauses.md")
ABOUT: Final = """\
What ThingsBoard does when devices are provisioned, as fleetrig checks it: read in its sources and seen at a running
server (CE 4.3.1.3). `fleetrig conform thingsboard S47` runs one row, `fleetrig conform thingsboard` all of them; rows
for devices are run by `fleetrig run external` ([devices](../devices.md))."""


def page() -> str:
    """Markdown."""
    devices = (ContractRow(number, "", severity_of(number).value, sentence) for number, sentence in DEVICE_ROWS.items())
    return contract_page(
        "ThingsBoard's contract", ABOUT, CLAUSES.read_text(encoding="utf-8"), server_rows(ROWS, {}), devices
    )
