"""The contract of the Kura namespace as a page (docs/contracts/kura.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.harness.conformance.contract_page import ContractRow, contract_page, server_rows
from fleetrig.harness.platforms.kura.conformance.device_rows import DEVICE_ROWS, WITHOUT_SCENARIO, severity_of
from fleetrig.harness.platforms.kura.conformance.suite import ROWS

CLAUSES: Final = Path(__file__).with_name("clauses.md")
ABOUT: Final = """\
What servers and gateways of the Kura namespace do when gateways are provisioned and managed, as fleetrig checks it:
read in public documents and in the sources of Eclipse Kura and Eclipse Kapua, and seen at real code of both. `S06` and
`§1.6` in code, scenarios, reports and documents are numbers on this page.

This is the Kura namespace, in an open profile. What the vendor does not publish is not guessed: rows that begin with
*Profile* are about `PROV-SIM1`, a provisioning dialogue, and `SIG-SIM1`, a signature, which are inventions of this
project and labelled so on the wire. A server or a gateway that passes them speaks this profile, and nobody's product.

`fleetrig conform kura S06` runs one row for servers, `fleetrig conform kura` all of them; rows for devices are run by
`fleetrig run external` ([devices](../devices.md)). An error fails a run, a warning only with `--strict`. What no public
source states is a warning at servers of others. A server without `/v2/provisionRequests`, such as a Kapua, is judged by
the rows that need none."""
DIFFERENCES: Final = {"U05": [("kapua-lax", "lets it in")]}


def page() -> str:
    """Markdown."""
    servers = server_rows(ROWS, DIFFERENCES)
    devices = (ContractRow(number, "", severity_of(number).value, _sentence(number)) for number in DEVICE_ROWS)
    clauses = CLAUSES.read_text(encoding="utf-8")
    return contract_page("The contract of the Kura namespace", ABOUT, clauses, servers, devices)


def _sentence(number: str) -> str:
    why = WITHOUT_SCENARIO.get(number)
    return DEVICE_ROWS[number] + (f" (no scenario: {why})" if why else "")
