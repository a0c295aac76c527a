"""What the bridge adds to a message: a board's question over a pseudo-terminal, beside a bare echo of as many bytes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from fleetrig.hil.bridge.bridge_frames import FROM_BOARD, Frame, FrameKind, FrameReader, frame_bytes
from fleetrig.hil.bridge.bridge_messages import answer_json, read_request
from tests.benchmarks.measure import show
from tests.hil.bridge.bridged_board import Echo, Wired, bridged

MESSAGES = 500
ASKED = b'{"do":"ask","envelope":{"request":{"method":"GET","origin":"http://bench","target":"/a/b","body":"%s"}}}' % (
    b"x" * 200
)


async def _over_a_line() -> float:
    """Milliseconds for a question and its answer, the board's own Python included."""
    with tempfile.TemporaryDirectory() as folder:
        wired = Wired(Path(folder) / "port")
        async with bridged(wired.line.link, Echo):
            board = wired.board()
            await asyncio.to_thread(board.hello)

            def ask_all() -> float:
                began_s = time.perf_counter()
                for _ in range(MESSAGES):
                    board.http("GET", "http://bench", "/a/b", [], "x" * 200)
                return (time.perf_counter() - began_s) / MESSAGES * 1e3

            return await asyncio.to_thread(ask_all)


def by_the_bench() -> float:
    """Milliseconds of the bench's own work for one question: frame, JSON, answer, frame."""
    echo, reader = Echo(), FrameReader(FROM_BOARD)
    text = frame_bytes(FROM_BOARD, Frame("0" * 16, FrameKind.MESSAGE, 1, data=ASKED))

    async def work() -> float:
        began_s = time.perf_counter()
        for _ in range(MESSAGES):
            (frame,) = reader.feed(text)
            answer = answer_json(await echo.perform(read_request(frame.data)))
            frame_bytes(FROM_BOARD, Frame("0" * 16, FrameKind.MESSAGE, 1, data=answer))
        return (time.perf_counter() - began_s) / MESSAGES * 1e3

    return asyncio.run(work())


def bench_bridge() -> None:
    print()
    show("bridge: the bench's own work for a message", f"{by_the_bench():.3f} ms", "1 ms")
    show("bridge: question and answer over a pseudo-terminal", f"{asyncio.run(_over_a_line()):.2f} ms")
