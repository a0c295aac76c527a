"""The options of `fleetrig trace`: checked as a whole, then a trace is read and shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.report.console import make_console
from fleetrig.harness.servers.description import did_you_mean, expected
from fleetrig.harness.traces.control_trace import ControlTrace
from fleetrig.harness.traces.device_sessions import sessions_in, sessions_of_devices
from fleetrig.harness.traces.event_point import event_point, place_in_trace
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.traces.trace_end import end_lines, what_is_missing
from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.harness.traces.trace_layout import TraceLayout, spelt_for
from fleetrig.harness.traces.trace_place import WHY_NONE, find_trace
from fleetrig.harness.traces.trace_records import StoredEvent, TraceRecord
from fleetrig.harness.traces.trace_view import TraceAsked, TraceView
from fleetrig.simulator.contract.errors import NoSuchId, UsageError
from fleetrig.simulator.contract.trace import KINDS, Lane

LOOKS_EVERY_S: Final = 0.2
"""At the end of a file that is followed."""
NOW: Final = "now"
ON_THE_WEB: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """The options, under the names of its parameters."""

    where: str | None
    device: list[str] | None = None
    around: list[str] | None = None
    context: int = 10
    lane: list[str] | None = None
    kind: list[str] | None = None
    wrong: bool = False
    refused: bool = False
    status: list[str] | None = None
    grep: str = ""
    phase: str = ""
    begins: str | None = None
    ends: str | None = None
    run: str = ""
    follow: bool = False
    since: str | None = None
    clock: bool = False
    verbose: bool = False
    raw: bool = False
    results: Path = Path()

    @property
    def is_of_server(self) -> bool:
        return self.place.startswith(ON_THE_WEB)

    @property
    def place(self) -> str:
        """The latest trace of all if none was named."""
        return str(self.results) if self.where is None else self.where

    def wanted(self) -> TraceFilter:
        """Raises UsageError for words that there are not."""
        return TraceFilter(
            devices=tuple(self.device or ()),
            lanes=frozenset(map(lane_of, self.lane or ())),
            kinds=frozenset(map(kind_of_event, self.kind or ())),
            statuses=tuple(self.status or ()),
            is_refused=self.refused,
            is_wrong=self.wrong,
            text=self.grep,
            phase=self.phase,
            run=self.run,
        )

    def asked(self) -> TraceAsked:
        """Raises UsageError."""
        return TraceAsked(
            self.wanted(),
            None if self.begins is None else place_in_trace("--from", self.begins, is_clock=self.clock),
            None if self.ends is None else place_in_trace("--to", self.ends, is_clock=self.clock),
            tuple(event_point("--around", one) for one in self.around or ()),
            context=self.context,
            verbose=self.verbose,
            raw=self.raw,
        )


def show_trace(request: TraceRequest) -> None:
    """Raises UsageError, NoSuchId for what is not in it, BrokenBench for a server that cannot be asked."""
    asked = request.asked()
    layout = layout_for(asked, clock=request.clock)
    if request.is_of_server:
        show_server(ControlTrace(request.place, *since_of(request.since)), asked, layout, follow=request.follow)
    elif request.since is not None:
        raise UsageError("--since is for a running server; of a file say --from")
    else:
        show_file(request, asked, layout)


def lane_of(text: str) -> Lane:
    if text not in tuple(Lane):
        raise UsageError(f"--lane: there is no lane {text!r}; {expected(text, tuple(Lane))}")
    return Lane(text)


def kind_of_event(text: str) -> str:
    known = tuple(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))
    if text not in known:
        hint = did_you_mean(text, known) or f"; there are {', '.join(known)}"
        raise UsageError(f"--kind: there is no kind of event called {text!r}{hint}")
    return text


def since_of(text: str | None) -> tuple[int | None, bool]:
    """The number, and whether only what is new is wanted. Raises UsageError."""
    if text is None or text == NOW:
        return None, text == NOW
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError(f"--since: expected the number of an event of this server, or now, got {text!r}")
    return int(text), False


def layout_for(asked: TraceAsked, *, clock: bool) -> TraceLayout:
    """Broken at the width of a terminal; anywhere else lines are whole."""
    console = make_console()
    return TraceLayout(
        console.width if console.is_terminal else None,
        colour=console.is_terminal and not console.no_color,
        clock=clock,
        shows_device=not asked.wanted.names_one_device,
        shows_looked_for=bool(asked.around),
    )


def show_file(request: TraceRequest, asked: TraceAsked, layout: TraceLayout) -> None:
    if request.where is None and not request.results.is_dir():
        raise NoSuchId(f"no run has left a trace in {request.results}: name a file, a folder or a server; {WHY_NONE}")
    found = find_trace(request.place, request.results, request.run)
    if found.remark and not asked.raw:
        put(layout.remark(found.remark))
    sessions = sessions_of_devices(found.path, asked.wanted.devices)
    view = TraceView(with_sessions(asked, sessions), layout)
    trace = StoredTrace(found.path, wait_for_more if request.follow else None)
    show(view, trace, str(found.path), lambda: "" if request.follow else trace.half_line, follow=request.follow)


def show_server(trace: ControlTrace, asked: TraceAsked, layout: TraceLayout, *, follow: bool) -> None:
    trace.greet()
    records: Iterable[TraceRecord] = trace.records(follow=follow)
    if asked.wanted.devices and not follow:
        records = list(records)
        lines = (record.line for record in records if isinstance(record, StoredEvent))
        asked = with_sessions(asked, sessions_in(lines, asked.wanted.devices))
    view = TraceView(asked, layout, trace.platform)
    show(view, records, trace.url, lambda: "", follow=follow)
    if not asked.raw:
        put(layout.remark(f"go on with --since {trace.last}"))


def with_sessions(asked: TraceAsked, sessions: frozenset[int]) -> TraceAsked:
    """The connections of the devices that are looked for."""
    return replace(asked, wanted=replace(asked.wanted, sessions=sessions))


def show(
    view: TraceView, records: Iterable[TraceRecord], where: str, half_line: Callable[[], str], *, follow: bool
) -> None:
    """All lines, then what there is to say of the whole."""
    with suppress(*([KeyboardInterrupt] if follow else [])):
        put(view.lines(records), at_once=follow)
    if missing := what_is_missing(view, where):
        sys.stdout.flush()
        raise NoSuchId(missing)
    if not view.asked.raw:
        put(line for said in end_lines(view, half_line()) for line in view.layout.remark(said))


def put(lines: Iterable[str], *, at_once: bool = False) -> None:
    """To the terminal or the pipe; if nobody reads any more, BrokenPipeError ends the command quietly."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(f"{spelt_for(encoding, line)}\n")
        if at_once:
            sys.stdout.flush()


def wait_for_more() -> None:
    time.sleep(LOOKS_EVERY_S)
