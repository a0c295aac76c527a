"""Hono's contract as a page (docs/contracts/hono.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.contract_page import ContractRow, contract_page, server_rows
from fleetrig.harness.platforms.hono.conformance.device_rows import DEVICE_ROWS, severity_of
from fleetrig.harness.platforms.hono.conformance.differences import differences_of
from fleetrig.harness.platforms.hono.conformance.suite import ROWS

CLAUSES: Final = Path(__file__).with_name("clauses.md")
ABOUT: Final = """\
What Hono does when devices are registered, provision themselves and sign in, as fleetrig checks it: read in its sources
and seen at a running Hono 2.7, with its JDBC registry on H2 and with the other one on a stand-in for MongoDB. `A17` and
`§2.4` in code, scenarios, reports and documents are numbers on this page.

`fleetrig conform hono A17` runs one row for servers, `fleetrig conform hono` all of them
([your own Hono](../hono.md)); rows for devices are run by `fleetrig run external` ([devices](../devices.md)). An error
fails a run, a warning only with `--strict`. Rows say what a good server does; where a real Hono is known to do
otherwise they say that, too, and it is a warning there. *Other profiles* names the registry that does so: `2-jdbc` or
`2-mongodb`. Rows that Hono 1.1 (profile `1`) cannot pass are skipped there (§6)."""


def page() -> str:
    """Markdown."""
    servers = server_rows(ROWS, {row.number: differences_of(row.number) for row in ROWS})
    devices = (ContractRow(number, "", severity_of(number).value, sentence) for number, sentence in DEVICE_ROWS.items())
    return contract_page("Hono's contract", ABOUT, CLAUSES.read_text(encoding="utf-8"), servers, devices)
