"""The ThingsBoard suite: its rows."""

from __future__ import annotations

from typing import Final

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
