"""Chrome's trace JSON, for Perfetto and chrome://tracing: a device is a process, a lane a thread of it.

Each event is a slice of 1 µs: arrows can only begin and end in slices. An arrow leads from a device's message to the
server that handles it and to the answer, another from a server's question to its answer. Times are microseconds since
1970. Format: "Trace Event Format" (Google).
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from fleetrig.harness.exports.exported_trace import JsonObject
from fleetrig.harness.traces.event_words import words_of
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord
from fleetrig.harness.traces.trace_records import RunBegins
from fleetrig.simulator.contract.trace import Lane, TraceEvent

LANES: Final = tuple(Lane)
SLICE_US: Final = 1
MOST_UNDER_WAY: Final = 10_000
"""Of messages on their way to the server that are remembered."""
OF_NO_DEVICE: Final = "bench and server"


def chrome_trace(records: Iterable[SeenRecord]) -> Iterator[str]:
    """The document, event by event."""
    writer = _Timeline()
    before = '{"displayTimeUnit":"ms","traceEvents":[\n'
    for record in records:
        for one in writer.take(record):
            yield before + json.dumps(one, ensure_ascii=False, separators=(",", ":"))
            before = ",\n"
    yield "\n]}\n" if before == ",\n" else before + "]}\n"


class _Timeline:
    def __init__(self) -> None:
        self._runs = 0
        self._processes: dict[tuple[int, str], int] = {}
        self._threads: set[tuple[int, Lane]] = set()
        self._begin("")

    def _begin(self, run: str) -> None:
        self._run = run
        self._runs += 1
        self._on: set[str] = set()
        self._rejected = 0
        self._under_way: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()
        """The arrows of what devices have sent and no server has received, by device and message."""

    def take(self, record: SeenRecord) -> Iterator[JsonObject]:
        match record:
            case RunBegins(run):
                self._begin(run)
            case SeenEvent():
                process = yield from self._process(record.device, record.event.lane)
                yield self._slice(record, process)
                yield from self._arrows(record, process)
                yield from self._counters(record)
            case _:
                return

    def _process(self, device: str, lane: Lane) -> Generator[JsonObject, None, int]:
        """Returns its number; processes and threads are named when they are first seen."""
        key = self._runs, device
        number = self._processes.get(key)
        if number is None:
            number = self._processes[key] = len(self._processes) + 1
            name = " ".join(filter(None, [device or OF_NO_DEVICE, f"({self._run})" if self._run else ""]))
            yield _named("process_name", number, 0, name)
        if (number, lane) not in self._threads:
            self._threads.add((number, lane))
            yield _named("thread_name", number, _thread(lane), str(lane))
        return number

    def _slice(self, seen: SeenEvent, process: int) -> JsonObject:
        event = seen.event
        given = {"phase": seen.phase, "reason": event.reason, "cites": event.cites, "took_us": event.took_us,
                 "session": event.session}  # fmt: skip
        shown = {"seq": event.seq, "kind": event.kind, **{name: value for name, value in given.items() if value}}
        return {"ph": "X", "name": words_of(event, seen.question).text, "cat": str(event.lane), "ts": event.at_us,
                "dur": SLICE_US, "pid": process, "tid": _thread(event.lane), "args": shown}  # fmt: skip

    def _arrows(self, seen: SeenEvent, process: int) -> Iterator[JsonObject]:
        event, question = seen.event, seen.question
        if event.lane is Lane.SERVER and event.kind == "received" and (sent := self._sent(seen)):
            yield _arrow("t", sent, event, process)
        if question is None:
            return
        number = self._arrow_number(event.lane, question.seq)
        if question.seq == event.seq:
            yield _arrow("s", number, event, process)
            self._note_sent(seen, number)
        else:
            yield _arrow("f", number, event, process)

    def _arrow_number(self, lane: Lane, seq: int) -> int:
        """The network's answers belong to the server's questions."""
        asks = Lane.DEVICE if lane is Lane.DEVICE else Lane.SERVER
        return (self._runs << 41) | (LANES.index(asks) << 38) | seq

    def _note_sent(self, seen: SeenEvent, number: int) -> None:
        if seen.event.lane is Lane.DEVICE and seen.event.envelope is not None:
            key = seen.device, seen.event.envelope.line
            self._under_way.setdefault(key, deque(maxlen=8)).append(number)
            if len(self._under_way) > MOST_UNDER_WAY:
                self._under_way.popitem(last=False)

    def _sent(self, seen: SeenEvent) -> int:
        """The arrow of the message that the server has now; 0 when no device is known to have sent it."""
        key = seen.device, "" if seen.event.envelope is None else seen.event.envelope.line
        waiting = self._under_way.get(key)
        if not waiting:
            return 0
        number = waiting.popleft()
        if not waiting:
            del self._under_way[key]
        return number

    def _counters(self, seen: SeenEvent) -> Iterator[JsonObject]:
        event = seen.event
        match event.lane, event.kind:
            case Lane.DEVICE, "power_on":
                self._on.add(seen.device)
            case Lane.DEVICE, "power_cut" | "ended":
                self._on.discard(seen.device)
            case ((Lane.SERVER | Lane.NETWORK), "refused"):
                self._rejected += 1
            case _:
                return
        process = yield from self._process("", event.lane)
        counts = {"rejected": self._rejected} if event.kind == "refused" else {"online": len(self._on)}
        for name, value in counts.items():
            yield {"ph": "C", "name": name, "ts": event.at_us, "pid": process, "args": {name: value}}


def _thread(lane: Lane) -> int:
    return LANES.index(lane) + 1


def _named(what: str, process: int, thread: int, name: str) -> JsonObject:
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def _arrow(step: str, number: int, event: TraceEvent, process: int) -> JsonObject:
    """`step`: s where it begins, t where it passes, f where it ends."""
    ends = {"bp": "e"} if step == "f" else {}
    return {"ph": step, "name": "message", "cat": "message", "id": number, "ts": event.at_us, "pid": process,
            "tid": _thread(event.lane), **ends}  # fmt: skip
