"""A fleet as a table on a terminal, and as one plain line. Drawing only: no clock."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetrig.harness.report.device_row import DeviceRow, stage_text
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.simulator.contract.clock import to_s

MAX_ROWS: Final = 30
"""More devices are shown as a table of stages."""

OTHER_LINES: Final = 3
"""Lines of a table of devices that are no devices: heading, totals, titles. The note comes on top."""

STAGE_STYLES: Final = {
    "off": "dim",
    "blank": "dim",
    "enrolling": "blue",
    "enrolled": "green",
    "online": "green",
    "updating": "cyan",
    "moving": "cyan",
    "backing_off": "yellow",
    "refused": "bold red",
}
BAR: Final = "━"


@dataclass(frozen=True, slots=True)
class TableHeading:
    """What does not change while the fleet runs."""

    server: str
    seed: int
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredNow:
    """What was measured lately, in words."""

    line: str = ""
    warning: str = ""
    """Why that says nothing about the server; empty when it does."""


def table(state: FleetState, heading: TableHeading, now_us: int, note: str, size: tuple[int, int]) -> RenderableType:
    """The whole picture for a terminal of (columns, lines)."""
    columns, lines = size
    top = [heading_line(state, heading, now_us, columns), totals(state, now_us)]
    bottom = [Text(line, "bold") for line in textwrap.wrap(note, columns)]
    room = lines - OTHER_LINES - len(bottom)
    if len(state.rows) <= min(MAX_ROWS, room):
        return Group(*top, device_table(state.rows.values(), now_us, state.readings.noun), *bottom)
    return Group(*top, *crowd(state, now_us, columns, room), *bottom)


def heading_line(state: FleetState, heading: TableHeading, now_us: int, columns: int) -> Text:
    """Server, devices, running time, seed: an address that is too long loses its middle, nothing else its end."""
    rest = [devices_text(state), running(state, heading, now_us), f"seed {heading.seed}"]
    room = columns - sum(len(text) + 3 for text in rest)
    return Text.assemble((shorten_middle(heading.server, max(room, 20)), "bold"), "   ", "   ".join(rest), no_wrap=True)


def totals(state: FleetState, now_us: int) -> Text:
    """What the fleet did so far."""
    polls_per_s = state.poll_rate.per_s(now_us, state.began_us)
    failures_per_s = state.failure_rate.per_s(now_us, state.began_us)
    failures = Text(f"failures {state.failures:,}")
    if failures_per_s:
        failures = Text(f"{failures} ({failures_per_s:.1f}/s)", "red")
    parts = (
        Text(f"{state.readings.noun}s {state.polls:,} ({polls_per_s:.1f}/s)"),
        failures,
        Text(progress_text(state)),
    )
    return Text("   ", no_wrap=True, overflow="ellipsis").join(parts)


def device_table(rows: Iterable[DeviceRow], now_us: int, noun: str) -> Table:
    """One line per device."""
    grid = Table(box=None, padding=(0, 2, 0, 0), expand=True, header_style="dim")
    grid.add_column("serial", no_wrap=True, overflow="ellipsis", min_width=8)
    grid.add_column("stage", no_wrap=True, width=11)
    grid.add_column("answer", no_wrap=True, width=7, overflow="ellipsis")
    grid.add_column("every", no_wrap=True, justify="right")
    grid.add_column(f"{noun}s", no_wrap=True, justify="right")
    grid.add_column("failed", no_wrap=True, justify="right")
    grid.add_column("now", no_wrap=True, overflow="ellipsis", ratio=1, min_width=21)
    for row in rows:
        style = STAGE_STYLES.get(row.stage, "")
        grid.add_row(
            Text(row.serial),
            Text(stage_text(row.stage), style),
            Text(row.answer, "red" if row.failures_in_a_row else ""),
            format_interval(row.interval_s),
            str(row.polls),
            Text(str(row.failures), "red" if row.failures_in_a_row else ""),
            Text(row.doing_text(now_us), style if row.failures_in_a_row else ""),
        )
    return grid


def crowd(state: FleetState, now_us: int, columns: int, lines: int) -> Sequence[RenderableType]:
    """Devices per stage, the longest silence, and those in trouble as far as there is room."""
    stages = state.stages()
    parts: list[RenderableType] = [stage_table(state, columns)]
    room = lines - len(stages) - 1
    if (silent := state.longest_silent()) is not None:
        oldest_s = to_s(now_us - silent.answered_us)
        parts.append(Text(f"oldest answer: {oldest_s:.0f} s ago ({silent.serial})", no_wrap=True, overflow="ellipsis"))
        room -= 1
    troubled = state.in_trouble()
    if troubled and (shown := troubled[: max(1, min(MAX_ROWS, room - 2))]):
        parts.append(Text(f"in trouble: {len(troubled):,}, the worst of them", "bold"))
        parts.append(device_table(shown, now_us, state.readings.noun))
    return parts


def stage_table(state: FleetState, columns: int) -> Table:
    """A bar per stage."""
    stages, devices = state.stages(), len(state.rows)
    longest = max(10, columns - 24)
    grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("stage", width=11)
    grid.add_column("devices", justify="right")
    grid.add_column("", no_wrap=True)
    for stage in sorted(stages, key=stages.__getitem__, reverse=True):
        style = STAGE_STYLES.get(stage, "")
        bar = BAR * max(1, round(longest * stages[stage] / devices))
        grid.add_row(Text(stage_text(stage), style), f"{stages[stage]:,}", Text(bar, style))
    return grid


def plain_line(state: FleetState, heading: TableHeading, now_us: int, measured: str = "") -> str:
    """The same for a log: one line."""
    stages = ", ".join(f"{count:,} {stage_text(stage)}" for stage, count in state.stages().most_common())
    polls_per_s = state.poll_rate.per_s(now_us, state.began_us)
    polls = f"{state.readings.noun}s {state.polls:,} ({polls_per_s:.1f}/s)   failures {state.failures:,}"
    parts = (running(state, heading, now_us), stages, polls, progress_text(state), measured)
    return "   ".join(filter(None, parts))


def progress_text(state: FleetState) -> str:
    """How far the fleet has come: with its updates, or with being let in."""
    if not state.readings.has_updates:
        return f"let in {state.came_through:,}, given up {state.given_up:,}"
    updates = f"updates {state.updates_finished:,} done, {state.updates_failed:,} failed"
    return f"attributes {state.attributes_sent:,}   {updates}"


def devices_text(state: FleetState) -> str:
    return format_count(len(state.rows), "device")


def format_count(count: int, noun: str) -> str:
    """`1 poll`, `2,000 polls`."""
    return f"{count:,} {noun}{'s' if count != 1 else ''}"


def running(state: FleetState, heading: TableHeading, now_us: int) -> str:
    """`running 1:23`, or `running 1:23 of 10:00`."""
    if not state.began_us:
        return "not yet on"
    ran = f"running {format_clock(elapsed_s(state, heading, now_us))}"
    return ran if heading.for_s is None else f"{ran} of {format_clock(heading.for_s)}"


def elapsed_s(state: FleetState, heading: TableHeading, now_us: int) -> float:
    """Since power-on; deleting targets afterwards does not count."""
    ran_s = to_s(now_us - state.began_us) if state.began_us else 0.0
    return ran_s if heading.for_s is None else min(ran_s, heading.for_s)


def format_clock(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def format_interval(seconds: float) -> str:
    """An interval in its own unit: `30 s`, `5 min`, `24 h`."""
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if seconds >= unit_s and seconds % unit_s == 0:
            return f"{seconds / unit_s:g} {unit}"
    return f"{seconds:g} s"


def shorten_middle(text: str, room: int) -> str:
    """At most `room` characters; what is missing is missing in the middle."""
    if len(text) <= room:
        return text
    kept = room - 1
    return f"{text[: kept - kept // 3]}…{text[-(kept // 3) :]}"
