"""What is said below a trace: how much of it was shown, and what of that which was asked for is not in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.harness.traces.event_point import EventPoint
from fleetrig.harness.traces.seen_events import TraceContents
from fleetrig.harness.traces.trace_filter import fits_name
from fleetrig.harness.traces.trace_records import OF_LOAD
from fleetrig.harness.traces.trace_view import TraceView

LISTED: Final = 5
HUGE: Final = 200
"""So many events are more than one reads."""
HOW_TO_NARROW: Final = "--device ID, --phase NAME, --wrong or --around N narrows it"


def end_lines(view: TraceView, half_line: str) -> Iterator[str]:
    """Below the events."""
    contents, asked = view.contents, view.asked
    if contents.damaged_count > len(contents.damaged):
        yield f"{contents.damaged_count:,} lines are no lines of a trace, and left out"
    if half_line:
        yield "the last line is only half written: what wrote this trace was ended, or still writes"
    if asked.around:
        yield f"{_events(view.shown)}; --context N shows more or less"
    elif not contents.events:
        yield "no events"
    elif not view.shown:
        yield f"none of {_events(contents.events)} fits"
    elif view.shown == contents.events:
        yield _events(view.shown) + (f"; {HOW_TO_NARROW}" if view.shown > HUGE else "")
    else:
        more = f"; {HOW_TO_NARROW}" if view.shown > HUGE and not asked.wanted.leaves_out else ""
        yield f"{view.shown:,} of {_events(contents.events)}{more}"


def what_is_missing(view: TraceView, where: str) -> str:
    """Why there is not what was asked for, with the nearest there is; empty when all is there."""
    return next(_missing(view, where), "")


def _missing(view: TraceView, where: str) -> Iterator[str]:
    contents, wanted = view.contents, view.asked.wanted
    if wanted.run and not any(fits_name(run, wanted.run) for run in contents.runs):
        yield f"{where} holds no run {wanted.run!r}{nearest_of(wanted.run, contents.runs, 'runs')}"
    for device in wanted.devices:
        if not view.fitting and not any(fnmatchcase(one, device) for one in contents.devices):
            yield f"no event in {where} is of a device {device!r}{nearest_of(device, contents.devices, 'devices')}" + (
                _sampled(contents)
            )
    if wanted.phase and not any(fits_name(phase, wanted.phase) for phase in contents.phases):
        yield f"{where} has no phase {wanted.phase!r}{nearest_of(wanted.phase, contents.phases, 'phases')}"
    yield from _missing_points(view, where)


def _missing_points(view: TraceView, where: str) -> Iterator[str]:
    begins, ends, span = view.asked.begins, view.asked.ends, view.span
    if isinstance(begins, EventPoint) and not span.has_begun:
        yield no_such_event(begins, view.contents, where)
    if isinstance(ends, EventPoint) and not span.has_ended:
        yield no_such_event(ends, view.contents, where)
    for point in view.asked.around:
        if point not in view.surroundings.found:
            yield no_such_event(point, view.contents, where)
    left_out = view.surroundings.left_out
    if left_out is not None and not view.shown:
        whose = f" is of {left_out.device}, and" if left_out.device else ""
        yield f"{left_out.event.lane}:{left_out.event.seq}{whose} is left out by the other options"


def no_such_event(point: EventPoint, contents: TraceContents, where: str) -> str:
    if not contents.last_seq:
        return f"{where} has no events"
    lanes = ", ".join(f"{lane}:{seq}" for lane, seq in contents.last_seq.items() if point.lane in (None, lane))
    last = f"the last ones are {lanes}" if lanes else f"it has the lanes {', '.join(contents.last_seq)}"
    return f"{where} has no event {point}: {last}" + _sampled(contents)


def _sampled(contents: TraceContents) -> str:
    run = contents.latest_run
    if run is None or not run.one_of:
        return ""
    keeps_all = "" if run.time == OF_LOAD else "; a run with --trace F keeps all of them"
    return f". It has one device in {run.one_of}{keeps_all}"


def nearest_of(word: str, known: Iterable[str], what: str) -> str:
    """`; did you mean gw-7?`, or which there are."""
    names = list(known)
    if not names:
        return f": it names no {what}"
    small = {name.casefold(): name for name in names}
    near = get_close_matches(word.casefold(), small, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {small[near[0]]!r}?"
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return f"; it has {', '.join(names[:LISTED])}{more}"


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
