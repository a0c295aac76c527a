"""`fleetrig trace`: what happened, event by event, as a person reads it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.run_request import RESULTS
from fleetrig.harness.report.console import make_console
from fleetrig.harness.servers.description import did_you_mean, expected
from fleetrig.harness.traces.control_trace import ControlTrace
from fleetrig.harness.traces.device_sessions import sessions_of_devices
from fleetrig.harness.traces.event_point import event_point, place_in_trace
from fleetrig.harness.traces.event_words import KINDS
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.traces.trace_end import end_lines, what_is_missing
from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.harness.traces.trace_layout import TraceLayout
from fleetrig.harness.traces.trace_place import find_trace
from fleetrig.harness.traces.trace_records import TraceRecord
from fleetrig.harness.traces.trace_view import TraceAsked, TraceView
from fleetrig.simulator.contract.errors import NoSuchId, UsageError
from fleetrig.simulator.contract.trace import Lane

LOOKS_EVERY_S: Final = 0.2
"""At the end of a file that is followed."""
NOW: Final = "now"


def trace_command(
    where: Annotated[
        str,
        typer.Argument(
            metavar="TRACE",
            help="A trace file; a folder of results, for the latest trace in it; the ID of a scenario, for its latest "
            "trace; or the control interface of a running server, such as http://127.0.0.1:8081.",
        ),
    ],
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only what is about this device; an id or a glob such as 'gw-*'; repeatable."),
    ] = None,
    around: Annotated[
        list[str] | None,
        typer.Option(metavar="N", help="Only what happened around this event: 110 or device:110; repeatable."),
    ] = None,
    context: Annotated[
        int, typer.Option(metavar="N", min=0, help="So many events before and behind each --around.")
    ] = 10,
    lane: Annotated[
        list[str] | None,
        typer.Option(metavar="LANE", help="Only this lane: bench, device, network, server or board; repeatable."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Only this kind of event, such as refused; repeatable (docs/traces.md)."),
    ] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only refusals and answers that say so.")] = False,
    status: Annotated[
        list[str] | None,
        typer.Option(metavar="S", help="Only answers with this status: 401, 4xx, 4.01, or an MQTT code; repeatable."),
    ] = None,
    grep: Annotated[str, typer.Option(metavar="TEXT", help="Only events that hold this text, anywhere.")] = "",
    phase: Annotated[str, typer.Option(metavar="NAME", help="Only this phase; a part of its name will do.")] = "",
    begins: Annotated[
        str | None,
        typer.Option("--from", metavar="T", help="From then on: 90s or 1:30.5 since the beginning, a date, an event."),
    ] = None,
    ends: Annotated[str | None, typer.Option("--to", metavar="T", help="Until then, written as for --from.")] = None,
    run: Annotated[
        str, typer.Option(metavar="NAME", help="Of several runs this one; a part of its name will do.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="N|now", help="Of a running server: what came after event number N, or from now on."),
    ] = None,
    clock: Annotated[
        bool, typer.Option("--clock", help="Show the time of day (UTC), not the time since the beginning.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show headers, fields and bodies too.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the lines of JSON as they are.")] = False,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where to look for the traces of an ID.")] = RESULTS,
) -> None:
    """Show what happened in a run or on a server, one line for each event.

    → goes to the server, ← to a device, ! is what went wrong. `to #45` names the event that is answered. Findings of
    `run` and `report` say `open: fleetrig trace …`: that command shows where they come from.
    """
    wanted = TraceFilter(
        devices=tuple(device or ()),
        lanes=frozenset(map(lane_of, lane or ())),
        kinds=frozenset(map(kind_of_event, kind or ())),
        statuses=tuple(status or ()),
        is_refused=refused,
        text=grep,
        phase=phase,
        run=run,
    )
    asked = TraceAsked(
        wanted,
        None if begins is None else place_in_trace("--from", begins, is_clock=clock),
        None if ends is None else place_in_trace("--to", ends, is_clock=clock),
        tuple(event_point("--around", one) for one in around or ()),
        context, verbose, raw,
    )  # fmt: skip
    layout = layout_for(wanted, clock=clock, shows_looked_for=bool(around))
    if where.startswith(("http://", "https://")):
        shown_server(ControlTrace(where, *since_of(since)), asked, layout, follow=follow)
    else:
        if since is not None:
            raise UsageError("--since is for a running server; of a file say --from")
        shown_file(where, results, asked, layout, follow=follow)


def lane_of(text: str) -> Lane:
    if text not in tuple(Lane):
        raise UsageError(f"--lane: there is no lane {text!r}; {expected(text, tuple(Lane))}")
    return Lane(text)


def kind_of_event(text: str) -> str:
    if text not in KINDS:
        hint = did_you_mean(text, KINDS) or f"; there are {', '.join(KINDS)}"
        raise UsageError(f"--kind: there is no kind of event called {text!r}{hint}")
    return text


def since_of(text: str | None) -> tuple[int | None, bool]:
    """The number, and whether only what is new is wanted."""
    if text is None or text == NOW:
        return None, text == NOW
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError(f"--since: expected the number of an event of this server, or now, got {text!r}")
    return int(text), False


def layout_for(wanted: TraceFilter, *, clock: bool, shows_looked_for: bool) -> TraceLayout:
    """Broken at the width of a terminal; anywhere else lines are whole."""
    console = make_console()
    return TraceLayout(
        console.width if console.is_terminal else None,
        colour=console.is_terminal and not console.no_color,
        clock=clock,
        shows_device=not wanted.names_one_device,
        shows_looked_for=shows_looked_for,
    )


def shown_file(where: str, results: Path, asked: TraceAsked, layout: TraceLayout, *, follow: bool) -> None:
    """Raises UsageError, NoSuchId."""
    found = find_trace(where, results, asked.wanted.run)
    if found.remark and not asked.raw:
        put(layout.remark(found.remark))
    sessions = sessions_of_devices(found.path, asked.wanted.devices)
    view = TraceView(with_sessions(asked, sessions), layout)
    trace = StoredTrace(found.path, wait_for_more if follow else None)
    show(view, trace, str(found.path), lambda: trace.half_line if not follow else "", follow=follow)


def shown_server(trace: ControlTrace, asked: TraceAsked, layout: TraceLayout, *, follow: bool) -> None:
    """Raises BrokenBench."""
    trace.greet()
    view = TraceView(asked, layout, trace.platform)
    show(view, trace.records(follow=follow), trace.url, lambda: "", follow=follow)
    if not asked.raw:
        put(layout.remark(f"go on with --since {trace.last}"))


def with_sessions(asked: TraceAsked, sessions: frozenset[int]) -> TraceAsked:
    return replace(asked, wanted=replace(asked.wanted, sessions=sessions))


def show(
    view: TraceView, records: Iterable[TraceRecord], where: str, half_line: Callable[[], str], *, follow: bool
) -> None:
    """All lines, then what there is to say of the whole. Raises NoSuchId for what is not there."""
    with suppress(*([KeyboardInterrupt] if follow else [])):
        put(view.lines(records), at_once=follow)
    if missing := what_is_missing(view, where):
        sys.stdout.flush()
        raise NoSuchId(missing)
    if not view.asked.raw:
        put(line for said in end_lines(view, half_line()) for line in view.layout.remark(said))


def put(lines: Iterator[str], *, at_once: bool = False) -> None:
    """To the terminal or the pipe; whoever reads may stop (BrokenPipeError ends the command quietly)."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
        if at_once:
            sys.stdout.flush()


def wait_for_more() -> None:
    time.sleep(LOOKS_EVERY_S)
