"""Devices over CoAP and CoAPS against libcoap's example server, plain, with certificates and with pre-shared keys."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from fleetrig.simulator.transports.client_tls import ClientTls, DeviceTls
from fleetrig.simulator.transports.coap import open_coap
from fleetrig.simulator.transports.connection import Connection
from tests.peers.programs import Program, need_program, until
from tests.simulator.transports.coap_peer import GENEROUS_S, in_a_loop

pytestmark = pytest.mark.peer

KEY = PreSharedKey("sensor1@T", b"secret for sensor1")


@dataclass(frozen=True)
class Libcoap:
    """The server; DTLS is on the next port. `authority` has issued its certificate, and issues those it trusts."""

    port: int
    authority: trustme.CA

    @property
    def origin(self) -> str:
        return f"coap://127.0.0.1:{self.port}"

    @property
    def secure_origin(self) -> str:
        return f"coaps://127.0.0.1:{self.port + 1}"

    def shows(self, shown: TlsCredential | None, authority: trustme.CA | None = None) -> DeviceTls:
        trusted = (authority or self.authority).cert_pem.bytes().decode()
        return ClientTls(ssl.create_default_context(cadata=trusted)).of(shown)


def two_free_ports() -> int:
    """The first of them."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
        ):
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def is_bound(port: int) -> bool:
    """`00000000:1633` in the table of UDP sockets."""
    return any(f":{port:04X} " in line for line in Path("/proc/net/udp").read_text().splitlines())


@pytest.fixture(scope="module")
def libcoap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libcoap]:
    program = need_program("coap-server-openssl", "libcoap3-bin")
    folder, authority, port = tmp_path_factory.mktemp("libcoap"), trustme.CA(), two_free_ports()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(folder / "key.pem")
    own.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    files = ["-c", str(folder / "cert.pem"), "-j", str(folder / "key.pem"), "-C", str(folder / "ca.pem")]
    command = [program, "-A", "127.0.0.1", "-p", str(port), "-k", KEY.key.decode(), "-v", "6", *files]
    server = Program("coap-server", command, folder / "log", {})
    try:
        until("both ports are open", lambda: is_bound(port) and is_bound(port + 1), server)
        yield Libcoap(port, authority)
        server.show()
    finally:
        server.stop()


@asynccontextmanager
async def plainly(libcoap: Libcoap) -> AsyncIterator[Connection]:
    async with asyncio.timeout(GENEROUS_S):
        connection = Connection(libcoap.origin, await open_coap(libcoap.origin, libcoap.shows(None)), lambda _: None)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def securely(libcoap: Libcoap, tls: DeviceTls) -> AsyncIterator[Connection]:
    async with asyncio.timeout(GENEROUS_S):
        connection = Connection(libcoap.secure_origin, await open_coap(libcoap.secure_origin, tls), lambda _: None)
        try:
            yield connection
        finally:
            await connection.close()


def certificate_from(authority: trustme.CA) -> ClientCertificate:
    issued = authority.issue_cert("dev-1.test")
    chain = tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in issued.cert_chain_pems)
    return ClientCertificate(chain, issued.private_key_pem.bytes())


async def asked(connection: Connection, method: str, target: str, **more: Any) -> Any:
    return await connection.ask(CoapRequest(method, connection.where, target, **more), lambda: None)


@in_a_loop
async def test_a_small_answer(libcoap: Libcoap) -> None:
    async with plainly(libcoap) as connection:
        for confirmable in (True, False):
            answer = await asked(connection, "GET", "/", confirmable=confirmable)
            assert (answer.code, b"libcoap" in answer.payload) == ("2.05", True)
        assert (await asked(connection, "GET", "/nowhere")).code == "4.04"


@in_a_loop
async def test_large_bodies_go_both_ways(libcoap: Libcoap) -> None:
    body = bytes(range(256)) * 20
    async with plainly(libcoap) as connection:
        assert (await asked(connection, "PUT", "/example_data", payload=body)).code in ("2.01", "2.04")
        answer = await asked(connection, "GET", "/example_data")
        assert (answer.code, answer.payload) == ("2.05", body)


@in_a_loop
async def test_an_observation_from_beginning_to_end(libcoap: Libcoap) -> None:
    async with plainly(libcoap) as connection:
        first = await asked(connection, "GET", "/example_data", observe=0, token=b"mine")
        assert (first.code, first.observe is None) == ("2.05", False)
        for body in (b"one", b"two" * 1_000):
            await asked(connection, "PUT", "/example_data", payload=body)
            notified: Any = await connection.wait_for(("2.05",))
            assert (notified.payload, notified.token) == (body, b"mine")
        last = await asked(connection, "GET", "/example_data", observe=1, token=b"mine")
        assert (last.code, last.observe) == ("2.05", None)
        await asked(connection, "PUT", "/example_data", payload=b"three")
        assert (await asked(connection, "GET", "/nowhere")).code == "4.04", "no notification came before this"


@pytest.mark.slow
@in_a_loop
async def test_an_answer_that_takes_its_time(libcoap: Libcoap) -> None:
    async with plainly(libcoap) as connection:
        answer = await asked(connection, "GET", "/async?1")
        assert (answer.payload, answer.confirmable) == (b"done", True)


@in_a_loop
async def test_a_certificate_over_dtls(libcoap: Libcoap) -> None:
    tls = libcoap.shows(certificate_from(libcoap.authority))
    async with securely(libcoap, tls) as connection:
        answer = await asked(connection, "GET", "/")
        assert b"libcoap" in answer.payload


@in_a_loop
async def test_a_pre_shared_key_over_dtls(libcoap: Libcoap) -> None:
    async with securely(libcoap, libcoap.shows(KEY)) as connection:
        body = bytes(range(256)) * 9
        await asked(connection, "PUT", "/example_data", payload=body)
        assert (await asked(connection, "GET", "/example_data")).payload == body


@in_a_loop
async def test_a_server_that_is_not_trusted(libcoap: Libcoap) -> None:
    with pytest.raises(ssl.SSLError):
        async with securely(libcoap, libcoap.shows(certificate_from(libcoap.authority), trustme.CA())):
            pass


@in_a_loop
async def test_a_certificate_that_the_server_does_not_trust(libcoap: Libcoap) -> None:
    with pytest.raises(ssl.SSLError):
        async with securely(libcoap, libcoap.shows(certificate_from(trustme.CA()))) as connection:
            await asked(connection, "GET", "/")
