"""The console engine, with marks and one trace event a line, beside a bare split of the same bytes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from fleetrig.hil.consoles.awaiting import Awaiting
from fleetrig.hil.consoles.boot_watch import BootWatch
from fleetrig.hil.consoles.command_reading import CommandReading
from fleetrig.hil.consoles.console_text import LineSplitter
from fleetrig.hil.consoles.console_trace import ConsoleTrace, LineTelling
from fleetrig.hil.consoles.shell_dialect import CommandMark
from fleetrig.hil.port import PortBytes, Way
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.benchmarks.measure import ROUNDS, median, show

AT_MOST = 25
LINES = 20_000
PIECE_BYTES = 3_400
"""What a port gives at once under load."""
MARK = CommandMark("k3f9", 1)


def said() -> bytes:
    lines = [f"[{at:5}.000000] usb 1-1: new high-speed device number {at} using xhci_hcd" for at in range(LINES)]
    return "\r\n".join([MARK.printed("B"), *lines, f"{MARK.printed('E')}0.", ""]).encode()


def bare(data: bytes) -> int:
    """What a port's own reader would do: join the pieces, split, decode nothing."""
    rest, count = b"", 0
    for at in range(0, len(data), PIECE_BYTES):
        *whole, rest = (rest + data[at : at + PIECE_BYTES]).split(b"\n")
        count += len(whole)
    return count


def engine(data: bytes) -> int:
    """As an opened board's watcher and its `Console` do it for each piece, without the event loop."""
    trace, events = Trace(), deque[TraceEvent](maxlen=1)
    trace.listen(events.append)
    telling = LineTelling(ConsoleTrace(trace, WallClock(), "gw-1", Secrets()))
    awaiting, splitter, watch = Awaiting("x", reading=CommandReading(MARK)), LineSplitter(), BootWatch()
    for at in range(0, len(data), PIECE_BYTES):
        piece = data[at : at + PIECE_BYTES]
        telling.hear(PortBytes(0, Way.FROM_BOARD, piece))
        lines = splitter.feed(piece)
        if not awaiting.takes_plain(lines):
            for line in lines:
                awaiting.hear(line, watch)
    assert awaiting.is_over
    return events[-1].seq


def cpu_s(act: Callable[[bytes], int], data: bytes) -> float:
    began = time.process_time()
    assert act(data) == LINES + 2
    return time.process_time() - began


def bench_console() -> None:
    data = said()
    figures = [(cpu_s(bare, data), cpu_s(engine, data)) for _ in range(ROUNDS)]
    print()
    show("console: bare split", f"{median([one for one, _ in figures]) / LINES * 1e6:.2f} us/line")
    engine_us = median([other for _, other in figures]) / LINES * 1e6
    show("console: marks, watch and a trace event", f"{engine_us:.2f} us/line")
    ratio = median([other / one for one, other in figures])
    show("console: engine in place of a bare split", f"{ratio:.1f} times", f"{AT_MOST}")
    assert ratio <= AT_MOST
