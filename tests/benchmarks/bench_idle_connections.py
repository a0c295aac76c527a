"""Thousands of devices that keep a connection and say next to nothing: resident memory for each, and whether it grows.

Each polls every 45 s, since servers close what is silent for a minute. `IDLE_S=600` is the usual length; a bare aiohttp
server is measured in the same run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.benchmarks.measure import cpu_s, read_answer, resident_mib, show
from tests.benchmarks.request_work import Side, bare_aiohttp, device, registered, said, sides

CONNECTIONS: Final = 5_000
IDLE_S: Final = float(os.environ.get("IDLE_S", "600"))
EVERY_S: Final = 45.0
LOOKS: Final = 6
AT_ONCE: Final = 100

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(side: Side, polls: Sequence[bytes]) -> list[Connection]:
    """Each has asked once: what a connection needs is there."""
    found: list[Connection] = []
    for start in range(0, CONNECTIONS, AT_ONCE):
        found += await asyncio.gather(*(_opened(side, poll) for poll in polls[start : start + AT_ONCE]))
    return found


async def _opened(side: Side, poll: bytes) -> Connection:
    host, _, port = side.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(poll)
    assert await read_answer(reader)
    return reader, writer


async def _stays(connection: Connection, poll: bytes, number: int) -> None:
    """Polls now and then, not all at the same time."""
    reader, writer = connection
    await asyncio.sleep(EVERY_S * number / CONNECTIONS)
    while True:
        writer.write(poll)
        assert await read_answer(reader)
        await asyncio.sleep(EVERY_S)


async def idle(side: Side, polls: Sequence[bytes]) -> tuple[list[float], float]:
    """(MiB before, and at each look; CPU seconds while all was quiet)."""
    mib = [resident_mib(side.pid)]
    connections = await connected(side, polls)
    mib.append(resident_mib(side.pid))
    before_s = cpu_s(side.pid)
    staying = [
        asyncio.create_task(_stays(one, poll, n)) for n, (one, poll) in enumerate(zip(connections, polls, strict=True))
    ]
    for _ in range(LOOKS):
        await asyncio.sleep(IDLE_S / LOOKS)
        mib.append(resident_mib(side.pid))
    spent_s = cpu_s(side.pid) - before_s
    assert not any(one.done() for one in staying), "a connection was closed"
    for one in staying:
        one.cancel()
    await asyncio.gather(*staying, return_exceptions=True)
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in connections), return_exceptions=True)
    return mib, spent_s


def bench_idle_connections(tmp_path: Path) -> None:
    with ExitStack() as stack:
        measured = stack.enter_context(sides(tmp_path))
        tokens = registered(measured[0].address, CONNECTIONS)
        polls = [device("GET", name, token) for name, token in tokens.items()]
        bare = stack.enter_context(bare_aiohttp(said(measured[0].address, polls[0])))
        print(f"\n  {CONNECTIONS:,} idle connections for {IDLE_S:g} s, each after one poll")
        for side in (*measured, bare):
            mib, spent_s = asyncio.run(idle(side, polls))
            show(f"{side.name}: resident memory", " · ".join(f"{one:.1f}" for one in mib) + " MiB", "flat")
            show(f"{side.name}: for each connection", f"{(mib[1] - mib[0]) * 2**20 / CONNECTIONS:,.0f} bytes")
            show(f"{side.name}: CPU meanwhile", f"{spent_s:.2f} s")
