"""A board with the published side of the bridge (docs/bridge_board.py) on a pseudo-terminal, and a bench opposite."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import queue
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fleetrig.hil.bridge.bridge import Bridge, Carrier
from fleetrig.hil.bridge.bridge_messages import BridgeAnswer, BridgeRequest
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Trace

BOARD_FILE: Final = Path(__file__).parents[3] / "docs" / "bridge_board.py"
AGAIN_AFTER_S: Final = 0.05
"""A pseudo-terminal takes microseconds for a frame: tests need not wait as long as a line at 115,200 baud."""

Fault = Callable[[bytes], bytes]


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that waits is an ordinary one to pytest, fixtures and parameters included."""

    @functools.wraps(test)
    def runs(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return runs


class RealClock:
    def now_us(self) -> int:
        return time.time_ns() // 1_000


def load_board_file() -> Any:
    spec = importlib.util.spec_from_file_location("bridge_board", BOARD_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BOARD: Final = load_board_file()


class Wired:
    """The board's end of a line. What it does blocks, so it is done in a thread: `await wired.does(call)`."""

    def __init__(self, link: Path, to_board: Fault = bytes, from_board: Fault = bytes) -> None:
        self._typed: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._from_board = from_board
        self.line = PtyLine(link, lambda data: self._typed.put(to_board(data)))

    def board(self, seed: int = 0, again_after_s: float = AGAIN_AFTER_S) -> Any:
        """The board as it is after a start."""
        return BOARD.BridgeLine(self.read, self.write, random.Random(seed).randbytes, time.monotonic, again_after_s)

    def read(self, within_s: float) -> bytes:
        try:
            return self._typed.get(timeout=within_s) if within_s else self._typed.get_nowait()
        except queue.Empty:
            return b""

    def lose_input(self) -> None:
        """What the bench has sent so far never came."""
        while self.read(0):
            pass

    def write(self, data: bytes) -> None:
        self._loop.call_soon_threadsafe(self.line.say, self._from_board(data))


class Echo:
    """A carrier that answers every HTTP request with its own target and body."""

    def __init__(self) -> None:
        self.asked: list[BridgeRequest] = []
        self.closed = False
        self.hold: asyncio.Event | None = None
        """Until it is set, nothing is answered."""

    async def perform(self, request: BridgeRequest) -> BridgeAnswer:
        self.asked.append(request)
        if self.hold is not None:
            await self.hold.wait()
        match request.envelope:
            case HttpRequest(target=target, body=body):
                return BridgeAnswer(HttpResponse(200, (("X-Target", target),), body))
            case _:
                return BridgeAnswer()

    async def close(self) -> None:
        self.closed = True


async def until(condition: Callable[[], object]) -> None:
    """Waits for what a thread or another task brings about."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (the condition belongs to what is tested, which has no event)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def bridged(
    port_url: Path,
    open_carrier: Callable[[], Carrier],
    trace: Trace | None = None,
    seed: int = 0,
    again_after_s: float = AGAIN_AFTER_S,
) -> AsyncIterator[tuple[Bridge, asyncio.Task[None]]]:
    """A bridge, and the task in which it runs. What ended it before is raised at the end."""
    clock = RealClock()
    port = await open_port(os.fspath(port_url), clock=clock)
    bridge = Bridge(
        "gw-1", port, open_carrier, random.Random(f"bench {seed}").randbytes, clock, trace or Trace(), again_after_s
    )
    running = asyncio.create_task(bridge.run())
    try:
        yield bridge, running
    finally:
        running.cancel()
        await asyncio.wait([running])
        await port.close()
    if not running.cancelled():
        running.result()
