"""What became of a fleet, in sentences: who was let in and how soon, what failed at whom, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from fleetrig.harness.report.fleet_failures import CauseFailures, DeviceFailures, answer_text, last_heard
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.fleet_table import TableHeading, devices_text, elapsed_s, format_clock, format_count
from fleetrig.simulator.contract.clock import to_s

LEAST_FOR_SHARES: Final = 2
"""Fewer devices have no p50."""
MOST_REASONS: Final = 5
"""Of devices that were not let in, and of all that failed."""
MOST_NAMED: Final = 3
"""Devices of one reason that are named."""

Advice = Callable[[str], str]
"""What a device heard -> what to do about it; empty when there is nothing to say."""


def summary(state: FleetState, heading: TableHeading, now_us: int, advice: Advice = lambda _: "") -> str:
    """The summary at the end, a sentence a line."""
    ran = format_clock(elapsed_s(state, heading, now_us))
    counts = (
        f"{ran} on {heading.server}: {state.came_through:,} of {devices_text(state)} came through; "
        f"{format_count(state.polls, state.readings.noun)}, {format_count(state.failures, 'failure')}"
    )
    if state.readings.has_updates:
        counts += (
            f", attributes sent {format_count(state.attributes_sent, 'time')}, "
            f"{format_count(state.updates_finished, 'update')} finished, {state.updates_failed:,} failed"
        )
    return "\n".join([counts, *let_in_lines(state), *never_let_in_lines(state, advice), *failure_lines(state)])


def let_in_lines(state: FleetState) -> Iterable[str]:
    """How fast the fleet was let in: a rate over the whole of it, and how long single devices took."""
    took_s = state.let_in_after_s()
    if len(took_s) < LEAST_FOR_SHARES:
        return
    whole_s = to_s(state.last_let_in_us - state.began_us)
    rate = f" in {whole_s:.1f} s ({len(took_s) / whole_s:.0f}/s)" if whole_s > 0 else ""
    p50, p99 = (format_span(took_s[len(took_s) * share // 100]) for share in (50, 99))
    yield f"came through: {format_count(len(took_s), 'device')}{rate}; after they were switched on p50 {p50}, p99 {p99}"


def never_let_in_lines(state: FleetState, advice: Advice) -> Iterable[str]:
    """Those that were refused, by their last answer, with what to do; those that came no further; and the others."""
    for what, found in (("never let in", state.never_let_in()), ("let in, but never online", state.never_online())):
        for answer, serials in islice(found.items(), MOST_REASONS):
            said = advice(answer)
            yield f"{what}: {named(serials)}, {last_heard(answer)}{f': {said}' if said else ''}"
    if waiting := state.not_let_in_yet():
        yield f"under way, neither let in nor refused so far: {named(waiting)}"


def named(serials: Sequence[str]) -> str:
    """`2 devices (good-1, plant/7)`; of many the first few."""
    more = " …" if len(serials) > MOST_NAMED else ""
    return f"{format_count(len(serials), 'device')} ({', '.join(serials[:MOST_NAMED])}{more})"


def failure_lines(state: FleetState) -> Iterable[str]:
    """What failed, the most frequent first, with the devices that it hit most."""
    causes = state.by_cause.causes()
    for cause in causes[:MOST_REASONS]:
        yield cause_line(state, cause)
    if rest := causes[MOST_REASONS:]:
        times = sum(cause.times for cause in rest)
        yield f"failed: {format_count(times, 'time')} more, for {format_count(len(rest), 'other reason')}"


def cause_line(state: FleetState, found: CauseFailures) -> str:
    """`failed: poll, HTTP 401, 14 times: good-1 ×7 since 12.3 s, plant/7 ×7 since 12.4 s`."""
    worst = [device_text(state, found, serial, one) for serial, one in found.worst(MOST_NAMED)]
    if rest := len(found.devices) - len(worst):
        worst.append(f"and {format_count(rest, 'other')}")
    what = f"{found.cause.exchange}, {answer_text(found.cause.answer)}"
    return f"failed: {what}, {format_count(found.times, 'time')}: {', '.join(worst)}"


def device_text(state: FleetState, found: CauseFailures, serial: str, failures: DeviceFailures) -> str:
    """`good-1 ×7 since 12.3 s`; of a device that has recovered `good-1 ×7 from 12.3 s to 40.1 s`."""
    first_s, last_s = (to_s(at_us - state.began_us) for at_us in (failures.first_us, failures.last_us))
    if state.rows[serial].fails_by(found.cause):
        when = f"since {first_s:.1f} s"
    elif failures.times == 1:
        when = f"at {first_s:.1f} s"
    else:
        when = f"from {first_s:.1f} s to {last_s:.1f} s"
    return f"{serial} ×{failures.times:,} {when}"


def format_span(seconds: float) -> str:
    """`12 ms`, `1.23 s`."""
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
