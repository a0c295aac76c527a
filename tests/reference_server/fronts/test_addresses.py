"""Addresses as people write them, and what is said when one cannot be had."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fleetrig.reference_server.fronts.addresses import Address, bind, parse_address
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.simulator.contract.errors import BrokenBench, UsageError


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


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokenBench, match=rf"127\.0\.0\.1:{port}: the port is in use; .*another port"):
            bind(Address("127.0.0.1", port))


def test_addresses_of_other_machines_and_unknown_hosts() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is no address of this machine"):
        bind(Address("192.0.2.1", 0))
    with pytest.raises(UsageError, match=r"nobody knows the host 'no\.such\.host\.invalid'"):
        bind(Address("no.such.host.invalid", 0))


def test_all_addresses_of_a_name_get_the_same_port() -> None:
    sockets = bind(Address("localhost", 0))
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


def test_a_port_that_is_held_is_not_listened_on_before_opening() -> None:
    async def story() -> None:
        listener = Listener("http", Address("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", listener.address.port)
        await listener.open(asyncio.Protocol)
        _, writer = await asyncio.open_connection("127.0.0.1", listener.address.port)
        writer.close()
        await writer.wait_closed()
        listener.close()

    asyncio.run(story())


def test_somebody_else_listens_between_holding_and_opening() -> None:
    async def story() -> None:
        listener = Listener("http", Address("127.0.0.1", 0))
        other = socket.socket()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with other:
            other.bind(("127.0.0.1", listener.address.port))
            other.listen()
            with pytest.raises(BrokenBench, match="the port is in use"):
                await listener.open(asyncio.Protocol)

    asyncio.run(story())
