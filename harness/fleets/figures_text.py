"""What the figures of a fleet on the array engine say, in a few lines that need no further explanation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.fleets.findings import Findings, OnlineTimes, Peak, Return, Situation, findings_of
from fleetrig.harness.fleets.fleet_run import FleetOutcome
from fleetrig.harness.fleets.steady_state import NEAR
from fleetrig.simulator.cohort.formulas import cycles_until
from fleetrig.simulator.cohort.model import Disruption, FleetModel
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.units import duration_text

Told = tuple[str, str]
"""A subject, and what is said of it."""
STAYS: Final = 0.99
"""Of an echo's factor: it needs hundreds of intervals."""
WHOLE_PERCENT: Final = 100


def figures_text(outcome: FleetOutcome) -> tuple[Told, ...]:
    """Subject by subject."""
    return tuple(_told(findings_of(outcome.figures, situation_of(outcome))))


def situation_of(outcome: FleetOutcome) -> Situation:
    model = outcome.model
    service_us = model.server.service_us
    return Situation(
        steady_per_s=steady_per_s(model),
        interval_us=mean_interval_us(model),
        outage_us=last_disruption(outcome),
        capacity_per_s=None if service_us is None else US_PER_S / service_us,
        count=model.count,
    )


def last_disruption(outcome: FleetOutcome) -> tuple[int, int] | None:
    """The one that ends last within the run, so that something comes after it."""
    end_us = max((span.end_us for span in outcome.spans), default=0)
    over: list[Disruption] = [one for one in outcome.disruptions if one.end_us < end_us]
    last = max(over, key=lambda one: one.end_us, default=None)
    return None if last is None else (last.begin_us, last.end_us)


def steady_per_s(model: FleetModel) -> float:
    """Of the devices that ask at an interval."""
    means_us = ((cohort.count, sum(cohort.interval_us) / 2) for cohort in model.cohorts if cohort.has_rhythm)
    return sum(US_PER_S * count / mean_us for count, mean_us in means_us if mean_us)


def mean_interval_us(model: FleetModel) -> int:
    """Of the polling devices; 0 where there are none."""
    polling = [cohort for cohort in model.cohorts if cohort.has_rhythm]
    count = sum(cohort.count for cohort in polling)
    return round(sum(cohort.count * sum(cohort.interval_us) / 2 for cohort in polling) / count) if count else 0


def _told(found: Findings) -> Iterator[Told]:
    steady, is_after = found.situation.steady_per_s, found.situation.outage_us is not None
    # Who is connected asks only after a loss: all that is asked of him is a retry.
    of = f"; {steady:,.1f} a second when nothing is wrong; {ratio(found.retry_ratio)}" if steady else ""
    yield "requests", f"{found.requests:,} in all{of}"
    yield "peak", f"{_peak(found.peak)}" + (f"; after the fault {_peak(found.peak_after)}" if is_after else "")
    if found.plateau_per_s is not None:
        yield (
            "fault",
            f"while it lasted {found.plateau_per_s:,.1f} requests a second{_times(found.plateau_per_s, steady)}",
        )
    yield "failed", f"{found.rejected:,} turned away, {found.late:,} answered too late"
    yield "quiet", _quiet(found)
    if found.echo.is_heard:
        yield "echo", _echo(found)
    if is_after and found.comes_back is not None:
        yield "online", _comes_back(found.comes_back)
    elif not is_after and found.time_to_online is not None:
        yield "online", _online(found, found.time_to_online)
    yield "capacity", _capacity(found)
    if found.collapse is not None:
        yield "collapse", found.collapse.say()


def ratio(retries: float) -> str:
    """`3 retries for each 100 others`."""
    return f"{retries * WHOLE_PERCENT:,.0f} retries for each 100 first tries"


def _peak(peak: Peak) -> str:
    times = f", {peak.times_steady:.1f} times the steady rate" if peak.times_steady is not None else ""
    return f"{peak.per_s:,} in second {peak.at_s:,}{times}"


def _times(per_s: float, steady: float) -> str:
    return f", {per_s / steady:.1f} times the steady rate" if steady else ""


def _online(found: Findings, took: OnlineTimes) -> str:
    """Percentiles are of those that came online: how many never did is told first."""
    count = found.situation.count
    at_end = int((found.curves.came_online - found.curves.went_offline).sum())
    times = (
        f"half were online after {_span(took.p50_s)}, 90 of 100 after {_span(took.p90_s)}, "
        f"99 of 100 after {_span(took.p99_s)}"
    )
    if at_end >= count:
        return times
    return f"{at_end:,} of {count:,} at the end; of those that came online {times}"


def _comes_back(back: Return) -> str:
    """Counted from the end of the fault: what went before is its length, which everybody knows."""
    times = (("half of them", back.half_s), ("90 of 100", back.most_s), ("99 of 100", back.nearly_all_s))
    reached = ", ".join(f"{share} after {_span(after_s)}" for share, after_s in times if after_s is not None)
    missed = next((f"{share} not within the run" for share, after_s in times if after_s is None), "")
    back_again = f"back for good were {reached}" if reached else ""
    return "; ".join(filter(None, (f"{back.cut_off:,} were cut off when the fault ended", back_again, missed)))


def _quiet(found: Findings) -> str:
    """When the last request failed, and when the rate was as ever."""
    recovers_s = found.situation.recovers_at_s
    since = "after the fault" if recovers_s else "after the beginning"
    bad = found.curves.failed[recovers_s:].nonzero()[0]
    last = f"the last request fails {_span(int(bad[-1]) + 1)} {since}" if bad.size else f"no request fails {since}"
    if found.quiet_after_s is None and bad.size:
        last += ", in the last interval of the run"
    if not found.situation.steady_per_s:
        return last
    if found.steady_after_s is None:
        return f"{last}; the rate is not steady for a whole interval within the run"
    return f"{last}; the rate is steady {_span(found.steady_after_s)} {since}"


def _echo(found: Findings) -> str:
    """How the herd comes back, interval by interval, and how long it will go on."""
    factor, first = found.echo.factor or 0.0, found.echo.clear[0]
    every_s = found.situation.interval_us / US_PER_S
    said = f"the herd comes back every {_span(every_s)}: the rate swings by {first:.0%} of the steady one"
    cycles = cycles_until(NEAR / first, factor)
    if factor >= STAYS or not math.isfinite(cycles):
        return f"{said}, and hardly less each time: only more jitter of the interval ends that"
    return f"{said}, each time {factor:.2f} of the time before: {_span(cycles * every_s)} until it is below {NEAR:.0%}"


def _capacity(found: Findings) -> str:
    needed = f"{found.capacity_needed_per_s:,.0f} requests a second would turn nobody away"
    has = found.situation.capacity_per_s
    if has is None:
        return needed
    too_little = ", less than is asked when nothing is wrong" if has < found.situation.steady_per_s else ""
    return f"{needed}; the server can do {has:,.0f}{too_little}"


def _span(seconds: float) -> str:
    """`45s`, `12m`, `3.5h`: as a person says it."""
    if seconds < 120:
        return duration_text(round(seconds, 1))
    return f"{seconds / 60:.1f}m" if seconds < 7_200 else f"{seconds / 3_600:.1f}h"
