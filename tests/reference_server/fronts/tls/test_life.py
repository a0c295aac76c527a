"""How TLS connections wait, flow and end."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import ExitStack, suppress

import pytest

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.connection import READ_BYTES
from fleetrig.reference_server.fronts.tls.handshakes import HandshakeLimits
from tests.reference_server.fronts.peer import Peer, is_refused
from tests.reference_server.fronts.tls.tls_bench import TlsBench, client, what_came

pytestmark = pytest.mark.slow

LARGE_BYTES = 50_000_000
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01"
EACH = pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])


@EACH
@pytest.mark.parametrize("said", [b"", HALF_HELLO])
def test_a_handshake_has_its_time(tls_bench: TlsBench, client_auth: ClientAuth, said: bytes) -> None:
    port = tls_bench.listen(client_auth, limits=HandshakeLimits(within_s=0.05))
    with Peer(port) as peer:
        peer.send(said)
        with suppress(ConnectionResetError):
            assert peer.rest() == b""
    assert tls_bench.said() == [("refused", "TLS: no handshake within 0.05 s")]


def test_a_flood_of_half_handshakes_ends_the_oldest(tls_bench: TlsBench) -> None:
    port = tls_bench.listen(limits=HandshakeLimits(at_once=3))
    with ExitStack() as stack:
        first, second, _ = (stack.enter_context(Peer(port)) for _ in range(3))
        first.send(HALF_HELLO)
        assert what_came(port, client(tls_bench)) == "echo"
        with suppress(ConnectionResetError):
            assert first.rest() == b""
        second.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.socket.recv(1)
    assert tls_bench.said()[0] == ("refused", "TLS: too many handshakes are under way")


def test_who_says_nothing_costs_no_tls(tls_bench: TlsBench) -> None:
    """And no fault of the server's certificate is spent on it."""
    port = tls_bench.listen()
    with Peer(port), Peer(port):
        assert what_came(port, client(tls_bench)) == "echo"
    assert [session.id for session in tls_bench.judge.asked] == [3]


def test_leaving_in_the_middle_is_told(tls_bench: TlsBench) -> None:
    port = tls_bench.listen()
    Peer(port).socket.close()  # a look at the port is nothing
    with Peer(port) as peer:
        peer.send(HALF_HELLO)
        tls_bench.until(lambda: len(tls_bench.judge.asked) == 1)
    tls_bench.until(lambda: len(tls_bench.events) == 1)
    assert tls_bench.said() == [("refused", "TLS: it left in the middle of the handshake")]
    assert tls_bench.events[0].session == 2


@EACH
def test_a_slow_reader_holds_the_writer(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"SEND %d" % LARGE_BYTES)
        tls_bench.until(lambda: bool(tls_bench.opened and tls_bench.opened[0].paused))
        came = 0
        while came < LARGE_BYTES:
            came += len(peer.socket.recv(1 << 20))
    echo = tls_bench.opened[0]
    tls_bench.until(lambda: echo.is_lost)
    assert (came, echo.paused, echo.resumed) == (LARGE_BYTES, 1, 1)


@EACH
def test_a_front_that_pauses_gets_nothing_more_until_it_goes_on(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    sent = 0
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"PAUSE")
        tls_bench.until(lambda: bool(tls_bench.opened and tls_bench.opened[0].heard))
        peer.socket.setblocking(False)
        with suppress(ssl.SSLWantWriteError):
            while sent < LARGE_BYTES:
                sent += peer.socket.send(bytes(1 << 16))
        echo = tls_bench.opened[0]
        assert len(echo.heard) <= READ_BYTES
        tls_bench.loop.call(echo.transport.resume_reading)
        tls_bench.until(lambda: len(echo.heard) >= sent)


@EACH
@pytest.mark.parametrize("version", VERSIONS)
def test_the_last_words_reach_who_is_still_talking(
    tls_bench: TlsBench, client_auth: ClientAuth, version: ssl.TLSVersion
) -> None:
    """A connection that is closed with something unread would be reset, and they would be lost."""
    port = tls_bench.listen(client_auth)
    context = client(tls_bench, version=version)
    with Peer(port) as peer:
        peer.socket = context.wrap_socket(peer.socket, server_hostname="localhost", suppress_ragged_eofs=False)
        peer.send(b"END")
        for _ in range(16):
            peer.send(bytes(1 << 16))
        assert peer.rest() == b"the last words"  # and a goodbye after them: else this raises
    tls_bench.until(lambda: tls_bench.opened[0].is_lost)
    assert tls_bench.opened[0].heard == b"END"
    assert tls_bench.events == []


def test_a_goodbye_is_not_waited_for_longer_than_its_time(tls_bench: TlsBench) -> None:
    port = tls_bench.listen(limits=HandshakeLimits(goodbye_within_s=0.05))
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"END")
        tls_bench.until(lambda: bool(tls_bench.opened and tls_bench.opened[0].is_lost))


def test_who_is_refused_is_not_waited_for_either(tls_bench: TlsBench) -> None:
    port = tls_bench.listen(limits=HandshakeLimits(goodbye_within_s=0.05))
    with Peer(port) as peer:
        peer.send(b"no TLS")
        assert peer.rest() == b""
        assert tls_bench.loop.run(tasks_and_connections(tls_bench)) == 0


async def tasks_and_connections(bench: TlsBench) -> int:
    """What is left when all deadlines have come."""
    connections = bench.tls.connections
    assert connections is not None
    while connections.waiting:  # noqa: ASYNC110 (it has no event)
        await asyncio.sleep(0.001)
    return connections.waiting


@EACH
@pytest.mark.parametrize("version", VERSIONS)
def test_a_goodbye_of_the_peer_is_answered(
    tls_bench: TlsBench, client_auth: ClientAuth, version: ssl.TLSVersion
) -> None:
    port = tls_bench.listen(client_auth)
    with Peer(port, client(tls_bench, version=version)) as peer:
        peer.send(b"hello")
        peer.until(b"hello")
        assert isinstance(peer.socket, ssl.SSLSocket)
        peer.socket.unwrap()  # returns when our goodbye has come
        tls_bench.until(lambda: tls_bench.opened[0].is_lost)
    assert tls_bench.opened[0].ends == 1


@EACH
def test_a_peer_that_closes_its_half_closes_it_all(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"hello")
        peer.until(b"hello")
        peer.say_no_more()
        tls_bench.until(lambda: tls_bench.opened[0].is_lost)
    assert tls_bench.opened[0].ends == 1
    assert tls_bench.events == []


def test_nobody_is_waited_for_when_the_listener_has_closed(tls_bench: TlsBench) -> None:
    port = tls_bench.listen(limits=HandshakeLimits(goodbye_within_s=3600))
    with Peer(port, client(tls_bench)) as peer, Peer(port, client(tls_bench)) as ending:
        for one in (ending, peer):
            one.send(b"hello")
            one.until(b"hello")
        ending.send(b"END")
        assert ending.rest() == b"the last words"
        tls_bench.loop.call(tls_bench.listeners[0].close)  # it ends one, and the other ends at once
        open_one = next(echo for echo in tls_bench.opened if b"END" not in echo.heard)
        tls_bench.loop.call(open_one.transport.close)
        tls_bench.until(lambda: len(tls_bench.lost) == 2)


def test_handshakes_end_with_the_listener(tls_bench: TlsBench) -> None:
    port = tls_bench.listen()
    with Peer(port) as silent, Peer(port) as shaking:
        shaking.send(HALF_HELLO)
        tls_bench.until(lambda: len(tls_bench.judge.asked) == 1)
        tls_bench.loop.call(tls_bench.listeners[0].close)
        for one in (silent, shaking):
            with suppress(ConnectionResetError):
                assert one.rest() == b""
    assert tls_bench.events == []


@EACH
def test_a_listener_refuses_and_accepts_again(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    (listener,) = tls_bench.listeners
    with Peer(port) as shaking:
        shaking.send(HALF_HELLO)
        tls_bench.until(lambda: len(tls_bench.judge.asked) == 1)
        tls_bench.loop.call(listener.refuse)
        assert is_refused(port)
        with suppress(ConnectionResetError):
            assert shaking.rest() == b""
    tls_bench.loop.run(listener.accept_again())
    assert what_came(port, client(tls_bench)) == "echo"


def test_a_transport_knows_its_connection(tls_bench: TlsBench) -> None:
    port = tls_bench.listen()
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"hello")
        peer.until(b"hello")
        transport = tls_bench.opened[0].transport
        assert transport.get_extra_info("sockname") == ("127.0.0.1", port)
        assert transport.get_extra_info("sslcontext") is not None
        assert not transport.can_write_eof()
        tls_bench.loop.call(lambda: transport.set_write_buffer_limits(10, 5))
        assert transport.get_write_buffer_limits() == (5, 10)
        assert transport.get_write_buffer_size() == 0
