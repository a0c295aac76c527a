"""The figures as text that a Prometheus reads (OpenMetrics 1.0)."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.load.curves import LoadCurves
from fleetrig.simulator.drivers.load.histogram import Histogram

QUANTILES = (0.5, 0.9, 0.99)


def metrics_text(curves: LoadCurves, run: str) -> str:
    """Counters and summaries of the run so far, and the latest second."""
    return "\n".join([*lines(curves, escaped(run)), "# EOF", ""])


def lines(curves: LoadCurves, run: str) -> Iterator[str]:
    totals = curves.totals
    for name, what, value in (
        ("requests", "Requests that were sent.", totals.started),
        ("answers", "Requests that were answered well.", totals.answered),
        ("errors", "Requests without an answer, and answers that say no.", totals.errors),
        ("dropped_starts", "Starts of the schedule that never happened.", totals.dropped),
    ):
        yield f"# TYPE fleetrig_load_{name} counter"
        yield f"# HELP fleetrig_load_{name} {what}"
        yield f'fleetrig_load_{name}_total{{run="{run}"}} {value}'
    for name, what, histogram in (
        ("latency_seconds", "From sending to the answer.", totals.took),
        ("corrected_latency_seconds", "From the intended start to the answer.", totals.corrected),
        ("lateness_seconds", "From the intended to the real start.", totals.lateness),
    ):
        yield from summary(name, what, histogram, run)
    if curves.rows:
        yield "# TYPE fleetrig_load_devices_online gauge"
        yield "# HELP fleetrig_load_devices_online Devices that are online."
        yield f'fleetrig_load_devices_online{{run="{run}"}} {curves.rows[-1].online}'


def summary(name: str, what: str, histogram: Histogram, run: str) -> Iterator[str]:
    yield f"# TYPE fleetrig_load_{name} summary"
    yield f"# UNIT fleetrig_load_{name} seconds"
    yield f"# HELP fleetrig_load_{name} {what}"
    for quantile in QUANTILES:
        value_s = histogram.percentile_s(quantile)
        if value_s is not None:
            yield f'fleetrig_load_{name}{{run="{run}",quantile="{quantile}"}} {value_s:.6f}'
    yield f'fleetrig_load_{name}_count{{run="{run}"}} {histogram.count}'


def escaped(label: str) -> str:
    """The value of a label."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
