"""What it takes to write a trace of a million events as Chrome trace JSON, beside reading it.

Run it: `python -m tests.benchmarks.bench_exports [EVENTS]`. Both by turns in one run, CPU time, median of three; the
peak of memory is told for the timeline of a tenth of the events and of all.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from fleetrig.harness.exports.exported_trace import ExportedTrace
from fleetrig.harness.exports.formats import FORMATS
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import TraceLines

TURNS = 3
MOST_RATIO = 20
DEVICES = 1_000


def events() -> Iterator[TraceEvent]:
    """A fleet that polls: four events for each poll."""
    answer = HttpResponse(
        200, (("Content-Type", "application/json"),), b'{"config": {"polling": {"sleep": "00:05:00"}}}'
    )
    at_us = 1_767_225_600_000_000
    number = 0
    while True:
        device = f"gw-{number % DEVICES}"
        request = HttpRequest("GET", "http://hawkbit.test:8080", f"/default/controller/v1/{device}")
        seq = 2 * number + 1
        yield TraceEvent(at_us, seq, device, Lane.DEVICE, "sent", request, name="poll")
        yield TraceEvent(at_us, seq, device, Lane.SERVER, "received", request, reason="127.0.0.1")
        yield TraceEvent(at_us, seq + 1, device, Lane.SERVER, "answered", answer)
        yield TraceEvent(at_us + 2_000, seq + 1, device, Lane.DEVICE, "received", answer, name="poll", took_us=2_000)
        at_us, number = at_us + 500, number + 1


def write_trace(path: Path, count: int) -> ExportedTrace:
    lines = TraceLines(Secrets())
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{lines.line(event)}\n" for event in islice(events(), count))
    return ExportedTrace(path)


def drained(pieces: Iterable[object]) -> None:
    for _ in pieces:
        pass


def cpu_s(work: Callable[[], None]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def peak_bytes(trace: ExportedTrace) -> int:
    tracemalloc.start()
    drained(FORMATS["chrome"].write([trace]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = write_trace(Path(folder) / "whole.jsonl", count)
        tenth = write_trace(Path(folder) / "tenth.jsonl", count // 10)
        works: dict[str, Callable[[], None]] = {"reading": lambda: drained(StoredTrace(whole.path))}
        for name in ("chrome", "pcapng", "otlp"):
            works[name] = lambda name=name: drained(FORMATS[name].write([whole]))  # type: ignore[misc]
        took_s: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(TURNS):
            for name, work in works.items():
                took_s[name].append(cpu_s(work))
        reading_s = median(took_s["reading"])
        for name, times_s in took_s.items():
            print(
                f"{name:<8} {count:,} events: {median(times_s):.1f} s CPU, {median(times_s) / reading_s:.1f} × reading"
            )
        small, large = peak_bytes(tenth) / 2**20, peak_bytes(whole) / 2**20
        print(f"peak of memory: {small:.1f} MiB for {count // 10:,} events, {large:.1f} MiB for {count:,}")
        print(f"must be at most {MOST_RATIO} × for chrome")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
