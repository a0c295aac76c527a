"""What a server holds, to be compared before and after."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.platforms.hawkbit.conformance.cleanup import SWEPT
from fleetrig.harness.platforms.hawkbit.conformance.row_client import open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest


def everything(server: TenantUnderTest) -> dict[str, Any]:
    """What the server holds that a row could leave there, and its whole configuration."""
    with open_client(server, ROWS[0]) as session:
        held = {path: session.mgmt("GET", path).json()["content"] for path, _, _ in SWEPT}
        configuration = session.mgmt("GET", "/system/configs").json()
    return {**held, "configuration": {key: (entry["value"], entry["global"]) for key, entry in configuration.items()}}
