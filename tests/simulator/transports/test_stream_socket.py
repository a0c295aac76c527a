"""TCP and TLS on the event loop: nothing blocks, nothing is lost, nothing stays open, and every end has its name."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trustme

from fleetrig.simulator.transports.stream_socket import BLOCK_BYTES, StreamSocket, open_stream

pytestmark = pytest.mark.slow

MUCH = bytes(range(256)) * 80_000
"""More than kernels take in on both sides while nobody reads."""

Serves = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serves: Serves, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that does `serves` with every connection, and closes it then."""
    peers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peers.add(task)
        with suppress(OSError, EOFError):
            await serves(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*peers)


async def until_end(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    pass


def run(test: Coroutine[Any, Any, None]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(within())


def resetting(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def turns(times: int = 20) -> None:
    """Lets everything happen that can."""
    for _ in range(times):
        await asyncio.sleep(0)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (a Path opens the folder twice)


def watched_files() -> Mapping[int, object]:
    """Those that the running loop watches."""
    found: Mapping[int, object] = asyncio.get_running_loop()._selector.get_map()  # type: ignore[attr-defined]
    return found


class Authority:
    """Of a test: servers and devices that trust each other, and strangers."""

    def __init__(self) -> None:
        self.ca = trustme.CA()

    def server(self, *names: str, wants_certificate: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
        if wants_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context

    def device(self, shows: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if shows is not None:
            shows.issue_cert("device").configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(params=[False, True], ids=["TCP", "TLS"])
def both(request: pytest.FixtureRequest, authority: Authority) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """The contexts of server and device."""
    return (authority.server(), authority.device()) if request.param else (None, None)


Both = tuple[ssl.SSLContext | None, ssl.SSLContext | None]


def test_much_goes_both_ways_while_the_other_side_is_slow(both: Both) -> None:
    """`send` returns only when everything is out, and nothing is missing or out of order."""
    may_read = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        writer.write(await reader.readexactly(len(MUCH)))
        await writer.drain()

    async def test() -> None:
        async with serving(echo, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            sending = asyncio.create_task(stream.send(MUCH))
            await turns()
            assert not sending.done()
            may_read.set()
            await sending
            came = bytearray()
            while data := await stream.recv():
                assert len(data) <= BLOCK_BYTES
                came += data
            assert bytes(came) == MUCH
            stream.close()

    run(test())


def test_what_an_abandoned_call_has_left_goes_out_first(both: Both) -> None:
    """Or the packet after half a packet would be nonsense."""
    may_read = asyncio.Event()
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        heard.append(await reader.read(-1))

    async def test() -> None:
        async with serving(listen, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            sending = asyncio.create_task(stream.send(MUCH))
            await turns()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            may_read.set()
            await stream.send(b"the end")
            stream.close()

    run(test())
    assert heard == [MUCH + b"the end"]


def test_a_peer_that_floods_has_to_wait_when_nobody_reads(both: Both) -> None:
    blocks, block, said = 100, bytes(200_000), 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        for _number in range(blocks):
            writer.write(block)
            await writer.drain()
            said += 1

    async def test() -> None:
        async with serving(flood, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            await stream.recv()
            await turns(2 * blocks * len(block) // BLOCK_BYTES)
            assert said < blocks, "it would take in everything"
            while await stream.recv():
                pass
            assert said == blocks
            stream.close()

    run(test())


def test_a_flood_leaves_time_for_others(both: Both) -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(MUCH)
        await writer.drain()

    async def test() -> None:
        turn = 0

        async def other() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        others = asyncio.create_task(other())
        async with serving(flood, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            last = turn
            while await stream.recv():
                assert turn > last, "a block came without a turn for anybody else"
                last = turn
            stream.close()
        others.cancel()

    run(test())


def test_an_end_is_an_end_again_and_again(both: Both) -> None:
    async def test() -> None:
        async with serving(greet, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            assert [await stream.recv() for _ in range(3)] == [b"hello", b"", b""]
            stream.close()

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")

    run(test())


def test_a_reset_is_a_reset(both: Both) -> None:
    async def test() -> None:
        async with serving(break_off, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            await stream.send(b"x")
            for _ in range(2):
                with pytest.raises(ConnectionResetError):
                    await stream.recv()
            with pytest.raises(ConnectionError):
                await send_for_long(stream)
            stream.close()

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        resetting(writer)

    run(test())


async def send_for_long(stream: StreamSocket) -> None:
    for _ in range(100):
        await stream.send(b"x")


@pytest.mark.parametrize("state", ["idle", "reading", "writing", "both", "ended", "closed"])
def test_it_closes_at_once_in_any_state(both: Both, state: str) -> None:
    async def test() -> None:
        held = asyncio.Event()

        async def hold(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
            if state != "ended":
                await held.wait()

        async with serving(hold, both[0]) as port:
            stream = await open_stream("127.0.0.1", port, both[1])
            waiting = []
            if state in ("reading", "both"):
                waiting.append(asyncio.create_task(stream.recv()))
            if state in ("writing", "both"):
                waiting.append(asyncio.create_task(stream.send(MUCH)))  # type: ignore[arg-type]
            if state == "ended":
                with suppress(ssl.SSLError):
                    await stream.recv()
            await turns()
            stream.close()
            stream.close()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [ConnectionAbortedError] * len(waiting)
            with pytest.raises(ConnectionAbortedError):
                await stream.recv()
            with pytest.raises(ConnectionAbortedError):
                await stream.send(b"x")
            held.set()

    run(test())


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        run(opened_and_closed("127.0.0.1", free_port))


def test_a_name_that_is_none() -> None:
    with pytest.raises(OSError, match=r"."):
        run(opened_and_closed("no-such-host.invalid", 1))


async def opened_and_closed(host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
    (await open_stream(host, port, tls)).close()


def test_a_name_is_looked_up_and_all_its_addresses_are_tried() -> None:
    """`localhost` is ::1 first on many machines, where nobody listens."""

    async def test() -> None:
        async with serving(nothing) as port:
            await opened_and_closed("localhost", port)

    run(test())


def test_it_connects_from_the_address_that_is_given() -> None:
    async def test() -> None:
        async with serving(note) as port:
            stream = await open_stream("127.0.0.1", port, source_address="127.0.0.9")
            assert await stream.recv() == b"127.0.0.9"
            stream.close()

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())

    run(test())


def test_small_packets_do_not_wait_for_each_other() -> None:
    async def test() -> None:
        async with serving(nothing) as port:
            stream = await open_stream("127.0.0.1", port)
            assert stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            stream.close()

    run(test())


def test_a_server_is_asked_for_by_its_name(authority: Authority) -> None:
    async def test() -> None:
        server = authority.server()
        server.sni_callback = lambda _, name, __: seen.append(name)
        async with serving(until_end, server) as port:
            await opened_and_closed("localhost", port, authority.device())

    seen: list[str] = []
    run(test())
    assert seen == ["localhost"]


def test_a_device_shows_its_certificate(authority: Authority) -> None:
    async def test() -> None:
        async with serving(note, authority.server(wants_certificate=True)) as port:
            stream = await open_stream("127.0.0.1", port, authority.device(authority.ca))
            assert await stream.recv() == b"device"
            stream.close()

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert()
        writer.write(shown["subjectAltName"][0][1].encode())

    run(test())


@pytest.mark.parametrize(("names", "trusts", "why"), [
    (("other.test",), True, "doesn't match|not valid for|mismatch"),
    ((), False, "unable to get local issuer certificate"),
])  # fmt: skip
def test_a_server_that_is_not_trusted_is_told(
    authority: Authority, names: tuple[str, ...], trusts: bool, why: str
) -> None:
    """The alert, which asyncio's own TLS would not send."""

    async def test() -> None:
        told = asyncio.get_running_loop().run_in_executor(None, shakes_hands, listening, authority.server(*names))
        device = authority.device() if trusts else ssl.create_default_context()
        with pytest.raises(ssl.SSLCertVerificationError, match=why):
            await open_stream("127.0.0.1", listening.getsockname()[1], device)
        assert "ALERT" in await told

    with socket.create_server(("127.0.0.1", 0)) as listening:
        run(test())


def shakes_hands(listening: socket.socket, tls: ssl.SSLContext) -> str:
    """What a server hears instead of a handshake's end."""
    connection, _ = listening.accept()
    try:
        tls.wrap_socket(connection, server_side=True).close()
    except ssl.SSLError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("shows", ["nothing", "a stranger's"])
def test_a_device_that_is_not_trusted_hears_of_it(authority: Authority, shows: str) -> None:
    """In TLS 1.3 it is through with its handshake by then. asyncio's server sends no alert, but it just closes."""

    async def test() -> None:
        stranger = trustme.CA() if shows == "a stranger's" else None
        async with serving(until_end, authority.server(wants_certificate=True)) as port:
            stream = await open_stream("127.0.0.1", port, authority.device(stranger))
            with pytest.raises(ssl.SSLError):
                await stream.recv()
            stream.close()

    run(test())


def test_why_a_device_was_refused_is_told_to_who_sends_too(authority: Authority) -> None:
    """That the other side is gone is no news by then."""

    async def test() -> None:
        tls = authority.server(wants_certificate=True)
        refusing = asyncio.get_running_loop().run_in_executor(None, shakes_hands, listening, tls)
        stream = await open_stream("127.0.0.1", listening.getsockname()[1], authority.device())
        assert await refusing == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            await send_for_long(stream)
        stream.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        run(test())


def test_no_tls_there(authority: Authority) -> None:
    async def test() -> None:
        async with serving(garbage) as port:
            with pytest.raises(ssl.SSLError):
                await open_stream("127.0.0.1", port, authority.device())

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x20\x02\x00\x00" * 100)
        await reader.read()

    run(test())


@pytest.mark.parametrize("is_reset", [False, True])
def test_it_ends_in_the_handshake(authority: Authority, is_reset: bool) -> None:
    async def test() -> None:
        async with serving(leave) as port:
            with pytest.raises(ConnectionResetError if is_reset else ssl.SSLError):
                await open_stream("127.0.0.1", port, authority.device())

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        await reader.read(1 << 16)  # what is left unread would make a reset of every end
        if is_reset:
            resetting(writer)

    run(test())


def test_a_handshake_that_never_ends_can_be_given_up(authority: Authority) -> None:
    async def test() -> None:
        before = open_files()
        async with serving(until_end) as port:
            opening = asyncio.create_task(open_stream("127.0.0.1", port, authority.device()))
            await turns()
            assert not opening.done()
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        await turns()
        assert open_files() == before

    run(test())


@pytest.mark.slow
def test_nothing_stays_after_a_thousand_connections(authority: Authority) -> None:
    """Files, and callbacks of the loop; fifty of them with TLS, since handshakes take a while."""

    async def test() -> None:
        async with serving(until_end) as port, serving(until_end, authority.server()) as tls_port:
            files, watched = open_files(), len(watched_files())
            await some(port, None, 950)
            await some(tls_port, authority.device(), 50)
            await turns(100)
            assert (open_files(), len(watched_files())) == (files, watched)

    async def some(port: int, tls: ssl.SSLContext | None, times: int) -> None:
        for number in range(times):
            stream = await open_stream("127.0.0.1", port, tls)
            reading = asyncio.create_task(stream.recv())
            await stream.send(b"x")
            await asyncio.sleep(0)
            if number % 2:
                reading.cancel()
            file = stream._fd
            stream.close()
            assert file not in watched_files()
            await asyncio.gather(reading, return_exceptions=True)

    run(test())
