"""What a port's owner spends on each line of a console, beside a bare split of the same bytes; CPU time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from fleetrig.hil.consoles.console_text import LineSplitter
from fleetrig.hil.port import PortBytes, Way
from fleetrig.hil.ports.evidence import PortEvidence
from fleetrig.hil.ports.line_faults import FaultStream, LineFault, LineFaultKind
from fleetrig.hil.ports.serial_port import open_port
from tests.benchmarks.measure import ROUNDS, median, show
from tests.hil.lines import FarEnd, WallClock

LINE = b"[    1.234567] virtio_blk virtio0: 1/0/0 default/read/poll queues\r\n"
LINES = 20_000
PIECE_BYTES = 3_400
"""A read of a pseudo-terminal that is full."""
PIECES = [(LINE * LINES)[at : at + PIECE_BYTES] for at in range(0, len(LINE) * LINES, PIECE_BYTES)]


def cpu_s(act: Callable[[], object]) -> float:
    figures = []
    for _ in range(ROUNDS):
        began_s = time.process_time()
        act()
        figures.append(time.process_time() - began_s)
    return median(figures)


def split_barely() -> None:
    held = b""
    for piece in PIECES:
        *_, held = (held + piece).split(b"\n")


def split_as_text() -> None:
    splitter = LineSplitter()
    assert sum(len(splitter.feed(piece)) for piece in PIECES) == LINES


def bench_lines(tmp_path: Path) -> None:
    def keep_evidence() -> None:
        async def hear() -> None:
            evidence = PortEvidence(tmp_path / "serial.jsonl")
            for piece in PIECES:
                evidence.hear(PortBytes(0, Way.FROM_BOARD, piece))
            evidence.close()

        asyncio.run(hear())

    def pass_faults() -> None:
        stream = FaultStream(Way.FROM_BOARD, [LineFault(LineFaultKind.DROP, Way.FROM_BOARD, every_bytes=10_000)], 1)
        for piece in PIECES:
            stream.feed(piece)

    print()
    bare_s = cpu_s(split_barely)
    show("bare split", f"{LINES / bare_s:,.0f} lines/s")
    for what, act, aim in (
        ("lines as text", split_as_text, "1,000,000"),
        ("evidence on disk", keep_evidence, ""),
        ("a faulty line, one drop in 10,000 bytes", pass_faults, ""),
    ):
        spent_s = cpu_s(act)
        show(what, f"{LINES / spent_s:,.0f} lines/s", aim)
        show(f"{what}, beside a bare split", f"{spent_s / bare_s:.1f} times")


def bench_port(tmp_path: Path) -> None:
    """A pseudo-terminal through the whole port, threads, watcher and reader on the loop."""
    data = b"".join(PIECES)

    async def story() -> float:
        far = FarEnd(tmp_path / "port")
        port = await open_port(far.url, clock=WallClock())
        began_s = time.monotonic()
        for at in range(0, len(data), 500_000):  # less than the line holds back for a reader that is slow
            want = len(data[at : at + 500_000])
            far.line.say(data[at : at + 500_000])
            while want:
                want -= len(await port.read(10))
        took_s = time.monotonic() - began_s
        await port.close()
        far.line.unplug()
        return took_s

    print()
    show("a port's throughput, pseudo-terminal", f"{len(data) / asyncio.run(story()) / 1e6:.1f} MB/s")
