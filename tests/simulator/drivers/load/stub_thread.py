"""A stub server in a thread of its own, since gevent and asyncio do not share one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fleetrig.simulator.contract.delivery import HttpHandler
from tests.simulator.socket_stub import SocketStub

READY_WITHIN_S = 20.0


@contextmanager
def serving_in_a_thread(handler: HttpHandler) -> Iterator[SocketStub]:
    """Serves until the block is left; no connection may be open then."""
    ready, servers, loops = threading.Event(), list[SocketStub](), list[asyncio.AbstractEventLoop]()
    stopped = asyncio.Event()

    async def serve() -> None:
        async with SocketStub(handler) as server:
            servers.append(server)
            loops.append(asyncio.get_running_loop())
            ready.set()
            await stopped.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(READY_WITHIN_S)

    async def ended() -> None:
        for connection in servers[0].connections:
            await connection.ended.wait()

    try:
        yield servers[0]
        asyncio.run_coroutine_threadsafe(ended(), loops[0]).result(READY_WITHIN_S)
    finally:
        loops[0].call_soon_threadsafe(stopped.set)
        thread.join(READY_WITHIN_S)
