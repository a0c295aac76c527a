"""What a server tells people of what it refused (docs/contracts/kura.md §1.5).

The wire says next to nothing; the audit has time, client id, user, address, stage and reason, and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleetrig.harness.conformance.expect import expect_that
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient


def expect_audited(client: RowClient, client_id: str, *secrets: str) -> Mapping[str, Any]:
    """Our own server has told of a refusal of this client, with a reason and without these secrets.

    Foreign servers are not asked: where they keep their audit is not public. The newest one.
    """
    if client.under_test.is_foreign:
        return {}
    told = client.under_test.refusals(client_id)
    expect_that(told, f"a refusal of {client_id} is told", told)
    text = json.dumps(told)
    expect_that(all(one.get("reason") and one.get("at") for one in told), "each with its time and a reason", text)
    shown = [number for number, secret in enumerate(secrets, 1) if secret in text]
    expect_that(not shown, "no password and no key is told", f"{len(shown)} of them")
    return told[0]


def refusals_of(client: RowClient, client_id: str) -> int:
    """So many have been told; 0 for a foreign server."""
    return len(client.under_test.refusals(client_id))
