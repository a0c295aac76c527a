"""Devices over CoAP on real sockets: against a server of aiocoap's, where nobody listens, and many at a time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiocoap import CHANGED, Context, Message  # type: ignore[import-untyped]
from aiocoap.resource import ObservableResource, Resource, Site  # type: ignore[import-untyped]

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.coap import open_coap
from fleetrig.simulator.transports.connection import Connection
from tests.simulator.transports.coap_peer import GENEROUS_S, in_a_loop

NO_TLS = ClientTls(False).of(None)


class Document(Resource):  # type: ignore[misc]
    """Says how much was sent, and much itself."""

    async def render_get(self, request: Message) -> Message:
        return Message(payload=b"x" * 5_000)

    async def render_post(self, request: Message) -> Message:
        return Message(code=CHANGED, payload=f"{len(request.payload)} {request.opt.uri_query[0]}".encode())


class State(ObservableResource):  # type: ignore[misc]
    """Counts its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0
        self.nobody_observes = asyncio.Event()

    def change(self) -> None:
        self.changes += 1
        self.updated_state()

    async def render_get(self, request: Message) -> Message:
        return Message(payload=str(self.changes).encode())

    def update_observation_count(self, newcount: int) -> None:
        if newcount == 0:
            self.nobody_observes.set()


def unused_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def aiocoap_server(state: State) -> AsyncIterator[str]:
    site = Site()
    site.add_resource(["document"], Document())
    site.add_resource(["state"], state)
    port = unused_port()
    server = await Context.create_server_context(site, bind=("127.0.0.1", port), transports=["simplesocketserver"])
    try:
        async with asyncio.timeout(GENEROUS_S):
            yield f"coap://127.0.0.1:{port}"
    finally:
        await server.shutdown()


@asynccontextmanager
async def connected(origin: str) -> AsyncIterator[Connection]:
    connection = Connection(origin, await open_coap(origin, NO_TLS), lambda lost: None)
    try:
        yield connection
    finally:
        await connection.close()


async def asked(connection: Connection, method: str, target: str, **more: Any) -> Any:
    return await connection.ask(CoapRequest(method, connection.where, target, **more), lambda: None)


@in_a_loop
async def test_large_bodies_go_both_ways() -> None:
    async with aiocoap_server(State()) as origin, connected(origin) as connection:
        assert (await asked(connection, "GET", "/document")).payload == b"x" * 5_000
        answer = await asked(connection, "POST", "/document?a=b", payload=b"y" * 3_000)
        assert (answer.code, answer.payload) == ("2.04", b"3000 a=b")


@in_a_loop
async def test_an_observation_from_beginning_to_end() -> None:
    state = State()
    async with aiocoap_server(state) as origin, connected(origin) as connection:
        first = await asked(connection, "GET", "/state", observe=0, token=b"mine")
        assert (first.payload, first.observe) == (b"0", 0)
        state.change()
        notified: Any = await connection.wait_for(("2.05",))
        assert (notified.payload, notified.confirmable) == (b"1", True)
        await connection.tell(CoapReset(b"mine"), lambda: None)
        state.change()
        await asked(connection, "GET", "/state")
        await state.nobody_observes.wait()


@in_a_loop
async def test_what_asks_for_no_answer() -> None:
    async with aiocoap_server(State()) as origin, connected(origin) as connection:
        for confirmable in (True, False):
            request = CoapRequest("POST", origin, "/document?x", b"12345", confirmable=confirmable)
            await connection.tell(request, lambda: None)
            came: Any = await connection.wait_for(("*",))
            assert came.payload == b"5 x"


@in_a_loop
async def test_what_could_not_be_said_in_time_is_never_said() -> None:
    """NSTART = 1: the second request waits until the first is acknowledged, and the device does not wait that long."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        async with asyncio.timeout(GENEROUS_S), connected(f"coap://127.0.0.1:{silent.getsockname()[1]}") as connection:
            first, second, third = (CoapRequest("POST", connection.where, f"/{number}") for number in range(3))
            await connection.tell(first, lambda: None)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await connection.tell(second, lambda: None)
            heard, device = silent.recvfrom(100)
            silent.sendto(b"\x60\x00" + heard[2:4], device)
            await connection.tell(third, lambda: None)
            assert silent.recv(100).endswith(b"2")


@in_a_loop
async def test_nobody_listens() -> None:
    async with asyncio.timeout(GENEROUS_S), connected(f"coap://127.0.0.1:{unused_port()}") as connection:
        with pytest.raises(ConnectionRefusedError):
            await asked(connection, "GET", "/")


@in_a_loop
async def test_an_address_without_a_host() -> None:
    with pytest.raises(ModelError):
        await open_coap("coap:///a", NO_TLS)


class Mirror(asyncio.DatagramProtocol):
    """Answers every request with 2.05, piggybacked."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        head = bytes([0x60 | data[0] & 15, 0x45])
        self.transport.sendto(head + data[2 : 4 + (data[0] & 15)], addr)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.slow
@in_a_loop
async def test_a_thousand_devices_on_one_loop_leave_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """In rounds, so that few files are open at a time; the second device of each is cut off in mid-request."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Mirror, local_addr=("127.0.0.1", 0))
    origin = f"coap://127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    files, tasks = open_files(), asyncio.all_tasks()

    async def live(is_cut: bool) -> Any:
        async with connected(origin) as connection:
            if is_cut:
                await connection.tell(CoapRequest("GET", origin, "/", confirmable=False), lambda: None)
                return None
            await asked(connection, "GET", "/")
            return await asked(connection, "GET", "/")

    async with asyncio.timeout(GENEROUS_S):
        for _ in range(5):
            answers = await asyncio.gather(*(live(number % 2 == 1) for number in range(200)))
            assert [answer.line for answer in answers if answer] == ["2.05"] * 100
    for _ in range(5):
        await asyncio.sleep(0)
    assert (open_files(), asyncio.all_tasks()) == (files, tasks)
    assert caplog.records == []
    transport.close()
