"""What a simulated fleet has measured, in words: of the server, and of this machine, which may be the limit itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fleetrig.harness.load.health import GeneratorUse, busiest, limits_of
from fleetrig.harness.load.progress_line import shown_s
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.report.fleet_table import MeasuredNow
from fleetrig.harness.simulation.exchange_times import ExchangeTimes
from fleetrig.harness.simulation.fleet_figures import SimulationFigures
from fleetrig.harness.simulation.starts import FEWER

INDENT: Final = 11
"""Where the figures of a line begin, as in `summary_lines`."""
TITLES: Final = ("exchange", "count", "failed", "p50", "p95", "p99", "max")
LITTLE_CPU: Final = 0.5
"""Of a core, in the busiest second: with less, a fleet does not hold itself up."""
LEAST_SECONDS: Final = 3
"""A fleet that has just begun says nothing about this machine yet."""


def machine_was_limit(use: GeneratorUse) -> str:
    """A sentence; empty when this machine was not the limit."""
    if not (reasons := limits_of(use)):
        return ""
    return (
        f"this machine, not the server, was the limit: {' and '.join(reasons)}; these figures say nothing about the "
        f"server: {advice(use)}"
    )


def advice(use: GeneratorUse) -> str:
    """A fleet that is late though it takes little has somebody beside it who takes the rest."""
    most = max((share for _, shares in use.cpu_shares for share in shares), default=0.0)
    if most >= LITTLE_CPU:
        return FEWER
    return f"fleetrig itself never used more than {most:.0%} of a core, so see what else keeps this machine busy"


def measured_now(figures: SimulationFigures, now_us: int, starts: str) -> MeasuredNow:
    """For the live table: the last seconds. `starts`: how the start of the devices is held up, if it is."""
    recent = figures.recent(now_us)
    use = figures.recent_use(recent)
    cpu_share = figures.cpu.shares[-1] if figures.cpu.shares else 0.0
    late, p50, p99 = (shown_s(times.percentile_s(share)) for times, share in (
        (recent.waking, 0.99), (recent.took, 0.5), (recent.took, 0.99),
    ))  # fmt: skip
    line = f"answers p50 {p50} p99 {p99}   fleetrig {cpu_share:.0%} CPU, late p99 {late}"
    reasons = limits_of(use) if len(figures.cpu.shares) >= LEAST_SECONDS else []
    if starts:
        reasons.append(starts)
    if not reasons:
        return MeasuredNow(line)
    return MeasuredNow(line, f"this machine, not the server, is the limit: {' and '.join(reasons)}: {advice(use)}")


def figure_lines(figures: SimulationFigures) -> Iterator[str]:
    """For the end report: the lines of a load run, each kind of exchange, and this machine."""
    yield from summary_lines(
        figures.curves.totals, figures.curves.rows, is_open=False, lasted_s=figures.lasted_s or None
    )
    if figures.told:
        yield f"{'told':<{INDENT}}{figures.told:,} of those that were sent have no answer (such as messages with QoS 0)"
    yield from exchange_lines(figures.exchanges)
    yield machine_line(figures)


def exchange_lines(exchanges: Mapping[str, ExchangeTimes]) -> Iterator[str]:
    """A table: how often each kind of exchange came to an end, and how long it took."""
    if not exchanges:
        return
    most = sorted(exchanges.items(), key=lambda item: (-item[1].took.count, item[0]))
    rows = [TITLES, *(cells_of(name, times) for name, times in most)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        yield f"{'answers' if not number else '':<{INDENT}}{'  '.join(cells)}"


def cells_of(name: str, times: ExchangeTimes) -> tuple[str, ...]:
    shares = map(times.percentile_s, (0.5, 0.95, 0.99))
    return (name, f"{times.took.count:,}", f"{times.failed:,}", *map(shown_s, shares), shown_s(times.most_us / 1e6))


def machine_line(figures: SimulationFigures) -> str:
    """What this machine did, whether or not it was the limit."""
    use = figures.use()
    _, share = busiest(use.cpu_shares)
    late = shown_s(use.waking.percentile_s(0.99))
    return f"{'machine':<{INDENT}}fleetrig used {share:.0%} of a core in its busiest seconds; late p99 {late}"
