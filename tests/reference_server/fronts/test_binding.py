"""Sockets that hold a port, and the message when a port is not available."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.binding import bind
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.simulator.contract.errors import BrokenBench, UsageError


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
