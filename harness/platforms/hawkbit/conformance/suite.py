"""The hawkBit suite: its rows, the server it meets, and what that server can do."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.own_server import own_server
from fleetrig.harness.conformance.row import Row, number_of
from fleetrig.harness.platforms.hawkbit.conformance import RESOURCES
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.simulator.contract.identity import UserPassword

ROWS: Final[tuple[Row[RowClient], ...]] = tuple(sorted((row for one in RESOURCES for row in one.rows), key=number_of))

PROFILES: Final = ("1.1", "0.9", "as-documented")

OWN_CAN: Final = frozenset({"accounts", "fast_cleanup", "fast_polling", "trusted_ips"})
"""What rows may need beyond an address and an administrator:

accounts: further accounts with fewer rights · fast_cleanup: old actions are looked for every few seconds, not once a
day · fast_polling: intervals below 30 s · trusted_ips: the server trusts only 127.0.0.1, so that another loopback
address is a stranger to it
"""

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "creator": ("CREATE_TARGET", "READ_TARGET"),
    "reader": ("READ_TARGET",),
}
OWN_OPTIONS: Final = (
    "--set=hawkbit.controller.minPollingTime=00:00:01",
    "--set=hawkbit.server.ddi.security.rp.trustedIPs=127.0.0.1",
    # What happens by itself happens oftener, to save time.
    "--set=hawkbit.autoassign.scheduler.fixedDelay=100",
    "--set=hawkbit.autocleanup.scheduler.fixedDelay=100",
    "--set=hawkbit.rollout.scheduler.fixedDelay=50",
    "--set=hawkbit.server.repository.dynamicRolloutsMinInvolvePeriodMS=200",
)


@contextlib.contextmanager
def own_hawkbit(profile: str) -> Iterator[tuple[TenantUnderTest, frozenset[str]]]:
    """Our reference server with everything that rows need."""
    accounts = {kind: UserPassword(kind, secrets.token_hex(8)) for kind in RIGHTS}
    listed = [{"user": a.user, "password": a.password, "rights": list(RIGHTS[kind])} for kind, a in accounts.items()]
    options = ["--platform=hawkbit", "--http=127.0.0.1:0", f"--profile={profile}", *OWN_OPTIONS]
    with (
        own_server(options, listed) as ready,
        contextlib.closing(ExactClient(f"http://{ready['http']}")) as client,
    ):
        yield TenantUnderTest(client, UserPassword("admin", "admin"), profile=profile, accounts=accounts), OWN_CAN
