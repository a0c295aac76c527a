"""The ThingsBoard suite: its rows, and our own server as they meet it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.own_server import own_server
from fleetrig.harness.conformance.row import Resource, Row, number_of
from fleetrig.harness.platforms.thingsboard.conformance import (
    chain_rows,
    claims,
    coap_details,
    creating,
    credentials,
    crowd,
    http_details,
    listed,
    malformed,
    operator_rows,
    sessions,
    tenants,
    time_outs,
)
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient
from fleetrig.harness.platforms.thingsboard.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.servers.address import place_of
from fleetrig.simulator.contract.identity import UserPassword

RESOURCES: Final[tuple[Resource[RowClient], ...]] = (
    creating.ROWS,
    credentials.ROWS,
    malformed.ROWS,
    listed.ROWS,
    crowd.ROWS,
    sessions.ROWS,
    http_details.ROWS,
    coap_details.ROWS,
    chain_rows.ROWS,
    operator_rows.ROWS,
    claims.ROWS,
    tenants.ROWS,
    time_outs.ROWS,
)
ROWS: Final[tuple[Row[RowClient], ...]] = tuple(sorted((row for one in RESOURCES for row in one.rows), key=number_of))
OWN_SYSADMIN: Final = UserPassword("sysadmin@thingsboard.org", "sysadmin")
"""Of a fresh server."""


@contextlib.contextmanager
def own_thingsboard(profile: str) -> Iterator[ServerUnderTest]:
    """Our reference server with every listener, and a clock that can be moved."""
    listeners = [f"--{name}=127.0.0.1:0" for name in ("http", *LISTENERS, "coaps")]
    with (
        own_server(["--platform=thingsboard", f"--profile={profile}", *listeners]) as ready,
        contextlib.closing(ExactClient(f"http://{ready['http']}")) as client,
        contextlib.closing(ExactClient(f"http://{ready['control']}")) as control,
    ):
        addresses = {name: place_of(ready[name]) for name in LISTENERS}
        yield ServerUnderTest(client, addresses, SERVER.account, profile, control, OWN_SYSADMIN)
