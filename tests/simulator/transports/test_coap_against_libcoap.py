"""Devices over CoAP and CoAPS against libcoap's example server, plain, with certificates and with pre-shared keys."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.coap import open_coap
from fleetrig.simulator.transports.connection import Connection
from tests.simulator.transports.coap_peer import GENEROUS_S, in_a_loop
from tests.simulator.transports.libcoap import KEY, Libcoap, certificate_from, running_libcoap

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def libcoap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libcoap]:
    with running_libcoap(tmp_path_factory.mktemp("libcoap")) as server:
        yield server
        server.program.show()


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
