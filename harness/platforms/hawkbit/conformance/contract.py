"""hawkBit's contract as a page (docs/contracts/hawkbit.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.contract_page import ContractRow, contract_page, server_rows
from fleetrig.harness.platforms.hawkbit.conformance.device_rows import DEVICE_ROWS, severity_of
from fleetrig.harness.platforms.hawkbit.conformance.differences import differences_of
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS

CLAUSES: Final = Path(__file__).with_name("clauses.md")
ABOUT: Final = """\
What Eclipse hawkBit does, as fleetrig checks it: read in its sources and seen at running servers (a release 0.9.0, and
the main branch after 1.1.0). `S47` and `§2.4` in code, scenarios, reports and documents are numbers on this page.

`fleetrig conform hawkbit S47` runs one row for servers, `fleetrig conform hawkbit` all of them; rows for devices are
run by `fleetrig run external` ([devices](../devices.md)). An error fails a run, a warning only with `--strict`.
*Other profiles* says what a server of another generation does instead; where nothing stands, all do the same."""


def page() -> str:
    """Markdown."""
    servers = server_rows(ROWS, {row.number: differences_of(row.number) for row in ROWS})
    devices = (ContractRow(number, "", severity_of(number).value, sentence) for number, sentence in DEVICE_ROWS.items())
    return contract_page("hawkBit's contract", ABOUT, CLAUSES.read_text(encoding="utf-8"), servers, devices)
