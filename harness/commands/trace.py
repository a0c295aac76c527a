"""`fleetrig trace`: the options, as a person finds them in `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.output_places import RESULTS
from fleetrig.harness.commands.trace_request import TraceRequest, show_trace

Where = Annotated[
    str | None,
    typer.Argument(
        metavar="TRACE",
        help="A trace file, or - for the standard input; a folder, for the latest trace in it; the ID of a scenario, "
        "for its latest trace; or the control interface of a running server, such as http://127.0.0.1:8081.  [default: "
        "the latest of --results]",
    ),
]
OfDevices = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Only what is about this device: an id or a glob such as 'gw-*'; repeatable."),
]
Around = Annotated[
    list[str] | None,
    typer.Option(metavar="N", help="Only what happened around this event, such as 110 or device:110; repeatable."),
]
Context = Annotated[int, typer.Option(metavar="N", min=0, help="So many events before and behind each --around.")]
Lanes = Annotated[
    list[str] | None,
    typer.Option("--lane", metavar="LANE", help="Only this lane: bench, device, network, server, board; repeatable."),
]
EventKinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Only this kind of event, such as refused or fault; repeatable."),
]
OnlyRefused = Annotated[bool, typer.Option("--refused", help="Only refusals, and answers that say so.")]
OnlyWrong = Annotated[
    bool, typer.Option("--wrong", help="Only what went wrong: failures, refusals, faults, answers that never came.")
]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="S", help="Only this answer: 401, 4xx, 4.01, or a code of MQTT; repeatable."),
]
HoldsText = Annotated[str, typer.Option("--grep", metavar="TEXT", help="Only events that hold this text anywhere.")]
OfPhase = Annotated[str, typer.Option(metavar="NAME", help="Only this phase; a part of its name will do.")]
BeginsAt = Annotated[
    str | None,
    typer.Option("--from", metavar="T", help="From then on: 90s or 1:30.5 since the beginning, a date, or an event."),
]
EndsAt = Annotated[str | None, typer.Option("--to", metavar="T", help="Up to then, written as for --from.")]
OfRun = Annotated[str, typer.Option(metavar="NAME", help="Of several runs this one; a part of its name will do.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="N|now", help="Of a running server: what came after event number N, or from now on."),
]
ByClock = Annotated[
    bool, typer.Option("--clock", help="Show the time of day (UTC) in place of the time since the beginning.")
]
WithDetails = Annotated[bool, typer.Option("--verbose", "-v", help="Show headers, fields and bodies too.")]
Raw = Annotated[bool, typer.Option("--raw", help="Print the lines of JSON as they are.")]
WhereResults = Annotated[Path, typer.Option(metavar="DIR", help="Where runs have left their traces.")]


@examples(
    "fleetrig trace fleetrig-results --wrong",
    "fleetrig trace run.jsonl --device gw-7 --around device:110",
    "fleetrig trace run.jsonl --phase outage --from 90s --to 2m -v",
    "fleetrig trace http://127.0.0.1:8081 --follow --device 'gw-*'",
)
def trace_command(
    where: Where = None,
    device: OfDevices = None,
    around: Around = None,
    context: Context = 10,
    lane: Lanes = None,
    kind: EventKinds = None,
    wrong: OnlyWrong = False,
    refused: OnlyRefused = False,
    status: Statuses = None,
    grep: HoldsText = "",
    phase: OfPhase = "",
    begins: BeginsAt = None,
    ends: EndsAt = None,
    run: OfRun = "",
    follow: Follow = False,
    since: Since = None,
    clock: ByClock = False,
    verbose: WithDetails = False,
    raw: Raw = False,
    results: WhereResults = RESULTS,
) -> None:
    """Show what happened, one line for each event: of a run, a simulation, a server or a board.

    → goes to the server, ← to a device, ! is what went wrong. `to #45` names the event that is answered. What a failed
    check saw is shown by the command that its report prints behind `open`.
    """
    show_trace(TraceRequest(**locals()))
