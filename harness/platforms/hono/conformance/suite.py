"""The Hono suite: its rows, and our own server as they meet it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.own_server import own_server
from fleetrig.harness.conformance.row import Resource, Row, number_of
from fleetrig.harness.platforms.hono.conformance import (
    authorities,
    coap_sign_in,
    connections,
    credentials,
    crowd,
    devices,
    errors,
    first_contact,
    gateways,
    http_sign_in,
    later_contacts,
    mqtt_sign_in,
    notifications,
    refusals,
    searching,
    shared_authorities,
    templates,
    tenants,
)
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.servers.address import place_of
from fleetrig.harness.servers.description import description_of

RESOURCES: Final[tuple[Resource[RowClient], ...]] = (
    tenants.ROWS,
    errors.ROWS,
    authorities.ROWS,
    devices.ROWS,
    searching.ROWS,
    credentials.ROWS,
    first_contact.ROWS,
    refusals.ROWS,
    later_contacts.ROWS,
    templates.ROWS,
    crowd.ROWS,
    notifications.ROWS,
    shared_authorities.ROWS,
    connections.ROWS,
    gateways.ROWS,
    http_sign_in.ROWS,
    mqtt_sign_in.ROWS,
    coap_sign_in.ROWS,
)
ROWS: Final[tuple[Row[RowClient], ...]] = tuple(sorted((row for one in RESOURCES for row in one.rows), key=number_of))
OWN_SILENCE_S: Final = 1.5
"""Our own server is near: what it has not answered by then it does not answer."""


@contextlib.contextmanager
def own_hono(profile: str) -> Iterator[ServerUnderTest]:
    """Our reference server with every adapter."""
    listeners = [f"--{name}=127.0.0.1:0" for name in description_of("hono").defaults]
    with (
        own_server(["--platform=hono", f"--profile={profile}", *listeners]) as ready,
        contextlib.closing(ExactClient(f"http://{ready['registry']}")) as client,
        contextlib.closing(ExactClient(f"http://{ready['control']}")) as control,
    ):
        addresses = {name: place_of(ready[name]) for name in LISTENERS}
        yield ServerUnderTest(client, addresses, None, profile, control, silence_s=OWN_SILENCE_S)
