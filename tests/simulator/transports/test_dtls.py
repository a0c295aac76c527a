"""A device's DTLS: what it shows, whom it trusts, and how it says what went wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import SystemRandom

import pytest
from trustme import CA, KeyType

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from fleetrig.simulator.transports.dtls import DtlsChannel, open_dtls
from fleetrig.simulator.transports.dtls_client import DtlsClient
from fleetrig.simulator.transports.lost_connection import why_no_connection
from tests.certificates import P256, long_chain, of_device, of_server, trusting
from tests.peers.programs import need_program
from tests.reference_server.fronts.dtls.bench import AUTHORITY, Bench

LONG_S = 30.0
SHOWN = of_device(AUTHORITY.issue_cert("dev-1", key_type=P256))
COAP_GET = b"\x40\x01\x12\x34"
LONG_AGO = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


def device(shown: TlsCredential | None = None, trusted: ssl.SSLContext | bool | None = None) -> DeviceTls:
    return ClientTls(trusting(AUTHORITY) if trusted is None else trusted).of(shown)


def free_udp_port() -> int:
    """It and the one below are free. Systems give no such ports to others by themselves: they take higher ones."""
    while True:
        port = SystemRandom().randrange(20_001, 32_000, 2)
        with (
            suppress(OSError),
            socket.socket(type=socket.SOCK_DGRAM) as one,
            socket.socket(type=socket.SOCK_DGRAM) as two,
        ):
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port - 1))
            return port


# Whom a device trusts


def failure_of(bench: Bench, host: str = "localhost") -> str:
    found = bench.device(SHOWN, host=host)
    bench.run()
    assert bench.echo.opened == []
    assert isinstance(found.failure, ssl.SSLCertVerificationError)
    assert why_no_connection(found.failure) == "tls"
    return str(found.failure)


@pytest.mark.parametrize("key_type", [KeyType.ECDSA, KeyType.RSA])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_server_of_a_trusted_authority(key_type: KeyType, host: str) -> None:
    leaf = AUTHORITY.create_child_ca(key_type=P256).issue_cert("localhost", "127.0.0.1", key_type=key_type)
    bench = Bench(of_server(leaf))
    found = bench.device(SHOWN, host=host)
    bench.run()
    assert found.client.is_open
    assert bench.echo.opened[0].session.server_name == ("localhost" if host == "localhost" else "")


@pytest.mark.parametrize(("host", "names"), [("localhost", "127.0.0.1"), ("127.0.0.1", "localhost")])
def test_a_certificate_for_another_host(host: str, names: str) -> None:
    bench = Bench(of_server(AUTHORITY.issue_cert(names, key_type=P256)))
    assert "mismatch" in failure_of(bench, host)
    assert "alert bad_certificate" in bench.reasons()[0]


def test_a_certificate_that_is_out_of_date() -> None:
    old = AUTHORITY.issue_cert("localhost", key_type=P256, not_before=LONG_AGO, not_after=LONG_AGO)
    bench = Bench(of_server(old))
    assert "certificate has expired" in failure_of(bench)
    assert "alert certificate_expired" in bench.reasons()[0]


def test_a_stranger() -> None:
    assert "unable to get local issuer" in failure_of(Bench(of_server(CA(key_type=P256).issue_cert("localhost"))))


def test_who_trusts_anybody_trusts_a_stranger() -> None:
    bench = Bench(of_server(CA(key_type=P256).issue_cert("elsewhere", key_type=P256)))
    found = bench.device(SHOWN)
    found.client = DtlsClient(device(SHOWN, trusted=False), "localhost")
    found.do(found.client.start)
    bench.run()
    assert found.client.is_open


def test_what_cannot_be_sent_is_an_error_of_the_connection() -> None:
    """An empty datagram is none, and after a goodbye nothing goes."""
    bench = Bench()
    found = bench.device(SHOWN)
    bench.run()
    with pytest.raises(ssl.SSLError, match="the association broke"):
        found.client.send(b"")
    found.client.say_goodbye()
    with pytest.raises(ssl.SSLError):
        found.client.send(b"x")


@pytest.mark.parametrize("authorities", [1, 2, 4])
def test_a_long_chain_goes_in_datagrams_that_a_real_server_reads(authorities: int) -> None:
    """ThingsBoard drops what is larger than its transmission unit."""
    shown = of_device(long_chain(AUTHORITY, authorities).issue_cert("dev-1", key_type=P256))
    bench = Bench()
    found = bench.device(shown)
    bench.run()
    assert found.client.is_open
    assert sum(map(len, shown.chain)) > 1_024 or authorities == 1
    assert max(map(len, bench.carried)) <= 1_024


def test_a_certificate_with_the_key_of_another_is_a_mistake_of_the_user() -> None:
    wrong = ClientCertificate(SHOWN.chain, of_device(AUTHORITY.issue_cert("dev-2", key_type=P256)).key_pem)
    with pytest.raises(UsageError, match="do not fit together"):
        DtlsClient(device(wrong), "localhost")


def test_a_key_never_shows() -> None:
    assert "open sesame" not in repr(device(PreSharedKey("dev-1", b"open sesame")))


# Sockets


def test_nobody_listens() -> None:
    with pytest.raises(ConnectionRefusedError) as caught:
        asyncio.run(open_dtls("127.0.0.1", free_udp_port(), device()))
    assert why_no_connection(caught.value) == "refused"


@pytest.mark.slow
def test_who_listens_says_nothing_or_nonsense() -> None:
    async def run(port: socket.socket) -> None:
        task = asyncio.create_task(open_dtls("127.0.0.1", port.getsockname()[1], device()))
        port.setblocking(False)
        loop = asyncio.get_running_loop()
        _, address = await loop.sock_recvfrom(port, 2_000)
        for nonsense in (b"", b"?", b"\x16\xfe\xfd", b"\xff" * 2_000, b"\x15\xfe\xff" + b"\0" * 8 + b"\0\x20\2\x28"):
            await loop.sock_sendto(port, nonsense, address)
        await loop.sock_recvfrom(port, 2_000)  # the hello again, a second later
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with socket.socket(type=socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        asyncio.run(run(port))


class Server:
    """`openssl s_server`: says what it is told, and tells what it hears."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    async def says(self, text: bytes) -> None:
        self._stdin.write(text)
        await self._stdin.drain()

    async def until(self, text: bytes) -> bytes:
        seen = b""
        while text not in seen:
            more = await self._stdout.read(4_096)
            assert more, seen
            seen += more
        return seen


@asynccontextmanager
async def s_server(*options: str) -> AsyncIterator[Server]:
    port = free_udp_port()
    process = await asyncio.create_subprocess_exec(
        need_program("openssl", "openssl"), "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    server = Server(process, port)
    try:
        async with asyncio.timeout(LONG_S):
            await server.until(b"ACCEPT")
            yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def files_of(folder: Path, key_type: KeyType) -> list[str]:
    """Options of a server that demands certificates of our authority and shows one."""
    AUTHORITY.cert_pem.write_to_path(folder / "ca.pem")
    leaf = AUTHORITY.issue_cert("localhost", "127.0.0.1", key_type=key_type)
    leaf.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    return ["-cert", str(folder / "server.pem"), "-Verify", "2", "-CAfile", str(folder / "ca.pem")]


async def talk(server: Server, channel: DtlsChannel) -> None:
    channel.send(b"hello, server\n")
    await server.until(b"hello, server")
    await server.says(b"hello, device\n")
    assert await channel.receive() == b"hello, device\n"


@pytest.mark.peer
@pytest.mark.parametrize("key_type", [KeyType.ECDSA, KeyType.RSA])
@pytest.mark.parametrize("mtu", ["300", "1400"])
def test_openssl_takes_the_certificate_and_hears_the_goodbye(tmp_path: Path, key_type: KeyType, mtu: str) -> None:
    async def run() -> None:
        shown = of_device(AUTHORITY.issue_cert("dev-1", key_type=key_type))
        async with s_server(*files_of(tmp_path, key_type), "-mtu", mtu) as server:
            channel = await open_dtls("localhost", server.port, device(shown))
            await talk(server, channel)
            channel.close()
            await server.until(b"DONE")
            with pytest.raises(EOFError):
                await channel.receive()
            with pytest.raises(EOFError):
                channel.send(b"anybody?")

    asyncio.run(run())


@pytest.mark.peer
@pytest.mark.parametrize("shown", [None, of_device(CA(key_type=P256).issue_cert("dev-1", key_type=P256))])
def test_openssl_refuses_with_an_alert(tmp_path: Path, shown: ClientCertificate | None) -> None:
    async def run() -> None:
        async with s_server(*files_of(tmp_path, P256), "-verify_return_error") as server:
            expected = "handshake failure" if shown is None else "unknown ca"
            with pytest.raises(ssl.SSLError, match=expected) as caught:
                await open_dtls("127.0.0.1", server.port, device(shown))
            assert why_no_connection(caught.value) == "tls"

    asyncio.run(run())


@pytest.mark.peer
@pytest.mark.parametrize("cipher", ["PSK-AES128-CCM8", "PSK-AES128-GCM-SHA256", "ECDHE-PSK-AES128-CBC-SHA256"])
def test_openssl_knows_the_key(cipher: str) -> None:
    async def run() -> None:
        key = PreSharedKey("dev-1", b"\0 a key \xff")
        options = ("-nocert", "-psk", key.key.hex(), "-psk_identity", "dev-1", "-cipher", f"{cipher}:@SECLEVEL=0")
        async with s_server(*options) as server:
            channel = await open_dtls("127.0.0.1", server.port, device(key))
            await talk(server, channel)
            channel.close()
            await server.until(b"DONE")

    asyncio.run(run())


@asynccontextmanager
async def coap_server(*options: str) -> AsyncIterator[int]:
    """libcoap's; its DTLS port."""
    port = free_udp_port()
    process = await asyncio.create_subprocess_exec(
        need_program("coap-server-openssl", "libcoap3-bin"), "-A", "127.0.0.1", "-p", str(port - 1), *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONG_S):
            yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def opened_soon(port: int, tls: DeviceTls) -> DtlsChannel:
    """libcoap's server does not tell when it is ready."""
    while True:
        try:
            return await open_dtls("127.0.0.1", port, tls)
        except ConnectionRefusedError:
            await asyncio.sleep(0)


@pytest.mark.peer
@pytest.mark.slow
def test_libcoap_answers_though_datagrams_of_its_handshake_are_lost() -> None:
    async def run() -> None:
        async with coap_server("-k", "sesame", "-l", "1,3") as port:
            channel = await opened_soon(port, device(PreSharedKey("dev-1", b"sesame")))
            channel.send(COAP_GET)
            assert (await channel.receive())[1] == 0x45  # 2.05 Content
            channel.close()

    asyncio.run(run())


@pytest.mark.peer
@pytest.mark.parametrize("with_key", [True, False])
def test_libcoap_answers(tmp_path: Path, with_key: bool) -> None:
    async def run() -> None:
        files_of(tmp_path, P256)
        own, authority = str(tmp_path / "server.pem"), str(tmp_path / "ca.pem")
        options = ("-k", "sesame") if with_key else ("-c", own, "-j", own, "-C", authority)
        async with coap_server(*options) as port:
            channel = await opened_soon(port, device(PreSharedKey("dev-1", b"sesame") if with_key else SHOWN))
            channel.send(COAP_GET)
            answer = await channel.receive()
            assert (answer[1], answer[2:4]) == (0x45, COAP_GET[2:4])  # 2.05 Content
            channel.close()

    asyncio.run(run())
