"""The end report for programs: `--summary F`, one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.load.health import busiest
from fleetrig.harness.report.fleet_failures import CauseFailures
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.simulation.exchange_times import ExchangeTimes
from fleetrig.harness.simulation.measured_text import machine_was_limit
from fleetrig.harness.simulation.measuring import Measuring
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import BrokenBench, shown_path, system_said
from fleetrig.simulator.drivers.load.histogram import Histogram

MOST_NAMED: Final = 20
"""Devices of one reason that are listed."""


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Raises BrokenBench when it cannot be written."""
    try:
        with whole_file(path) as file:
            file.write(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise BrokenBench(f"cannot write the summary to {shown_path(path)}: {system_said(error)}") from None


def summary_of(state: FleetState, measuring: Measuring | None) -> dict[str, Any]:
    """Counts, times and reasons. Times are in seconds, moments count from the first start."""
    return {
        "fleetrig": VERSION,
        "devices": len(state.rows),
        "came_through": state.came_through,
        "never_let_in": _counts(state.never_let_in()),
        "never_online": _counts(state.never_online()),
        "not_let_in_yet": len(state.not_let_in_yet()),
        "own_timeouts": state.own_timeouts,
        "failures": [_cause(state, found) for found in state.by_cause.causes()],
        **({} if measuring is None else _measured(measuring)),
    }


def _counts(by_answer: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {answer: len(serials) for answer, serials in by_answer.items()}


def _measured(measuring: Measuring) -> dict[str, Any]:
    figures = measuring.figures
    totals, use = figures.curves.totals, figures.use()
    return {
        "requests": {
            "sent": totals.started, "answered": totals.answered, "errors": totals.errors,
            "seconds": round(figures.lasted_s, 3), **_times(totals.took), "corrected": _times(totals.corrected),
        },
        "exchanges": {name: _exchange(times) for name, times in sorted(figures.exchanges.items())},
        "machine": {
            "busiest_cpu_share": round(busiest(use.cpu_shares)[1], 3), "late": _times(use.waking),
            "was_limit": machine_was_limit(use), "starts": measuring.starts.sentence(),
        },
    }  # fmt: skip


def _exchange(times: ExchangeTimes) -> dict[str, Any]:
    return {"count": times.took.count, "failed": times.failed, **_times(times), "max_s": times.most_us / 1e6}


def _times(histogram: Histogram | ExchangeTimes) -> dict[str, float | None]:
    return {f"{name}_s": histogram.percentile_s(share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def _cause(state: FleetState, found: CauseFailures) -> dict[str, Any]:
    return {
        "exchange": found.cause.exchange,
        "answer": found.cause.answer,
        "times": found.times,
        "devices": len(found.devices),
        "worst": [
            {
                "device": serial, "times": one.times, "first_s": to_s(one.first_us - state.began_us),
                "last_s": to_s(one.last_us - state.began_us), "fails_still": state.rows[serial].fails_by(found.cause),
            }
            for serial, one in found.worst(MOST_NAMED)
        ],
    }  # fmt: skip
