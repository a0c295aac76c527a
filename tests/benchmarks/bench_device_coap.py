"""What a device's CoAP costs in real time: many in one process on one event loop, beside aiocoap's own client.

The server is libcoap's, in a process of its own that is not counted. A device asks for 3,000 bytes that come in blocks
too, and some shake hands over DTLS first.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.harness.run.open_files import raise_file_limit
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.identity import TlsCredential
from fleetrig.simulator.transports.coap import open_coap
from fleetrig.simulator.transports.connection import Connection
from tests.benchmarks.measure import median, resident_mib, show
from tests.simulator.transports.libcoap import KEY, Libcoap, certificate_from, running_libcoap

DEVICES = 2_000
OVER_DTLS = 200
AT_ONCE = 50
EXCHANGES = 1_000
ROUNDS = 5


@pytest.fixture
def libcoap(tmp_path: Path) -> Iterator[Libcoap]:
    raise_file_limit(DEVICES)
    with running_libcoap(tmp_path) as server:
        yield server


def bench_many_devices(libcoap: Libcoap) -> None:
    print(f"\n  {DEVICES:,} devices over CoAP in one process, then {OVER_DTLS} of each kind over DTLS")
    asyncio.run(many(libcoap, "coap, once used", DEVICES, libcoap.origin, None))
    asyncio.run(many(libcoap, "coaps with a key", OVER_DTLS, libcoap.secure_origin, KEY))
    certificate = certificate_from(libcoap.authority)
    asyncio.run(many(libcoap, "coaps with a certificate", OVER_DTLS, libcoap.secure_origin, certificate))


async def many(libcoap: Libcoap, what: str, count: int, origin: str, shown: TlsCredential | None) -> None:
    tls = libcoap.shows(shown)

    async def device() -> Connection:
        connection = Connection(origin, await open_coap(origin, tls), lambda _: None)
        assert (await connection.ask(CoapRequest("GET", origin, "/nowhere"), nothing)).line == "4.04"
        return connection

    devices = [await device()]
    before_mib, before_s = resident_mib(os.getpid()), time.process_time()
    for _ in range(0, count, AT_ONCE):
        devices += await asyncio.gather(*(device() for _ in range(AT_ONCE)))
    used_s, held_kib = time.process_time() - before_s, (resident_mib(os.getpid()) - before_mib) * 1024
    show(f"{what}: CPU to open one and to ask once", f"{used_s / count * 1e6:.0f} us")
    show(f"{what}: memory of one", f"{held_kib / count:.1f} KiB")
    await asyncio.gather(*(one.close() for one in devices))


def bench_exchanges_beside_aiocoap(libcoap: Libcoap) -> None:
    print("\n  A GET, one after the other")
    asyncio.run(exchanges(libcoap, "small", "/nowhere"))
    asyncio.run(exchanges(libcoap, "3 blocks", "/example_data"))


async def exchanges(libcoap: Libcoap, what: str, target: str) -> None:
    connection = Connection(libcoap.origin, await open_coap(libcoap.origin, libcoap.shows(None)), lambda _: None)
    context = await aiocoap.Context.create_client_context(transports=["simple6"])

    async def ours() -> None:
        await connection.ask(CoapRequest("GET", libcoap.origin, target), nothing)

    async def theirs() -> None:
        await context.request(aiocoap.Message(code=aiocoap.GET, uri=libcoap.origin + target)).response

    await connection.ask(CoapRequest("PUT", libcoap.origin, "/example_data", b"x" * 3_000), nothing)
    rounds = [(await cpu_us(ours), await cpu_us(theirs)) for _ in range(ROUNDS)]
    our_us, their_us = (median(column) for column in zip(*rounds, strict=True))
    show(f"{what}: CPU per exchange", f"{our_us:.0f} us")
    show(f"{what}: CPU per exchange of aiocoap's own client", f"{their_us:.0f} us")
    show(f"{what}: ratio", f"{our_us / their_us:.2f}")
    await connection.close()
    await context.shutdown()


async def cpu_us(exchange: Callable[[], Awaitable[None]]) -> float:
    before_s = time.process_time()
    for _ in range(EXCHANGES):
        await exchange()
    return (time.process_time() - before_s) / EXCHANGES * 1e6


def nothing() -> None:
    pass
