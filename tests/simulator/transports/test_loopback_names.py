"""Names below `localhost`: where they lead, and that the handshake still says them."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.identity import PreSharedKey
from fleetrig.simulator.transports.loopback_names import reachable_host, server_name_in
from fleetrig.simulator.transports.virtual_handshake import session_of


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("acme.sni.localhost", "127.0.0.1"),
        ("ACME.LOCALHOST", "127.0.0.1"),
        ("localhost", "localhost"),
        ("localhost.example", "localhost.example"),
        ("notlocalhost", "notlocalhost"),
        ("::1", "::1"),
    ],
)
def test_where_a_name_leads(host: str, reachable: str) -> None:
    assert reachable_host(host) == reachable


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://acme.hono.test:8443", "acme.hono.test"),
        ("mqtts://localhost", "localhost"),
        ("coaps://127.0.0.1:5684", ""),
        ("https://[::1]:8443", ""),
    ],
)
def test_what_a_client_asks_for(url: str, name: str) -> None:
    assert server_name_in(url) == name


def test_a_session_in_virtual_time_has_the_name() -> None:
    key = PreSharedKey("d@t", b"k")
    session = session_of("coaps://acme.hono.test:5684", 7, key)
    assert (session.id, session.listener, session.server_name, session.psk_identity) == (
        7, "coaps", "acme.hono.test", "d@t",
    )  # fmt: skip
    assert session_of("mqtt://acme.hono.test", 7, None).server_name == "", "only in handshakes"
