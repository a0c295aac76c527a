"""A flood of connections leaves others their turn."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.accepting import Acceptor
from fleetrig.reference_server.fronts.binding import bind

FLOOD = 100
AT_MOST = 16


class Counted(asyncio.Protocol):
    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Counted.made += 1
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


async def most_in_a_turn(listener: socket.socket) -> int:
    """Of the event loop; all connections wait already when the first begins."""
    acceptor = Acceptor(listener, Counted, lambda error: None)
    most = 0
    with ExitStack() as stack:
        for _ in range(FLOOD):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        while (before := Counted.made) < FLOOD:
            await asyncio.sleep(0)
            most = max(most, Counted.made - before)
    acceptor.close()
    return most


def test_a_flood_of_connections_leaves_others_their_turn() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        assert 1 <= asyncio.run(most_in_a_turn(listener)) <= AT_MOST


def test_a_reply_behind_a_push_does_not_wait_for_the_client() -> None:
    """Nagle's algorithm is off: with it the second of two small writes waits 40 ms for an acknowledgement."""

    async def option_of(listener: socket.socket) -> int:
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        class Looked(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                sock = transport.get_extra_info("socket")
                seen.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        acceptor = Acceptor(listener, Looked, lambda error: None)
        with socket.create_connection(listener.getsockname()):
            option = await seen
        acceptor.close()
        return option

    (listener,) = bind(Address("127.0.0.1", 0))
    listener.listen()
    assert asyncio.run(option_of(listener)) == 1
