"""ThingsBoard's contract as a page (docs/contracts/thingsboard.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.contract_page import ContractRow, contract_page, server_rows
from fleetrig.harness.platforms.thingsboard.conformance.device_rows import DEVICE_ROWS, severity_of
from fleetrig.harness.platforms.thingsboard.conformance.differences import differences_of
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS

CLAUSES: Final = Path(__file__).with_name("clauses.md")
ABOUT: Final = """\
What ThingsBoard does when devices are provisioned, as fleetrig checks it: read in its sources and seen at a running
server (CE 4.3.1.3). `S47` and `§2.4` in code, scenarios, reports and documents are numbers on this page.

`fleetrig conform thingsboard S47` runs one row for servers, `fleetrig conform thingsboard` all of them
([your own ThingsBoard](../thingsboard.md)); rows for devices are run by `fleetrig run external`
([devices](../devices.md)). An error fails a run, a warning only with `--strict`. *Other profiles* says
what a server of another generation does instead; where nothing stands, all do the same, but for two things that touch
every row that asks for credentials: 3.2 does not answer SUBSCRIBE in a provision session, and `as-documented`, which no
release is, answers with the members of the documentation (§1.2)."""


def page() -> str:
    """Markdown."""
    servers = server_rows(ROWS, {row.number: differences_of(row.number) for row in ROWS})
    devices = (ContractRow(number, "", severity_of(number).value, sentence) for number, sentence in DEVICE_ROWS.items())
    return contract_page("ThingsBoard's contract", ABOUT, CLAUSES.read_text(encoding="utf-8"), servers, devices)
