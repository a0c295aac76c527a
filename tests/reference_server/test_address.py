"""Addresses as people write them."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.address import Address, parse_address
from fleetrig.simulator.contract.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("[::1]:0", Address("::1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        ("0.0.0.0:1", Address("0.0.0.0", 1)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "8080", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "::1:80", "h:٣"]
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(UsageError, match=r"no address: .*as in"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "is_loopback", "is_wildcard"),
    [
        ("127.0.0.1", True, False), ("127.9.9.9", True, False), ("::1", True, False), ("localhost", True, False),
        ("0.0.0.0", False, True), ("::", False, True), ("192.0.2.1", False, False), ("fleet.example", False, False),
    ],
)  # fmt: skip
def test_who_can_reach_it(host: str, is_loopback: bool, is_wildcard: bool) -> None:
    assert (Address(host, 1).is_loopback, Address(host, 1).is_wildcard) == (is_loopback, is_wildcard)
