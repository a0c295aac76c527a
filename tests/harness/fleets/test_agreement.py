"""The array engine comes to what the exact engine comes to: the same verdicts, and the same curves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.fleets.engine_choice import EngineName
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.arrivals_shape import Shape
from tests.harness.runs import expanded

# 4.7 a second: with a round number many devices would ask in one microsecond, and who is then the first, and who is
# turned away, each engine decides by an order of its own.
HEAD = """
    scenario: Nothing is left to chance
    devices: {flow: hawkbit, count: 60, serial: "HB-{n}", credential: gateway_token, timeout: 4s, interval: 10s,
              backoff: {policy: POLICY, base: 3s, cap: 20s, retry_after_spread: 0s}}
    server:
      settings: {pollingTime: "00:00:10"}
      capacity: {requests_per_s: 4.7, waiting: 3s, retry_after: 7s, hits: "* */controller/*"}
"""
PHASES = """
    phases:
      - name: the fleet starts
        do: {power_on: {spread: 2s}}
        for: 40s
        expect:
          - rate: {at_most: 1000, curve: true}
          - answered_within: {p99: 4s}
          - errors: {at_most: 99.9%}
          - attempts: {at_most: 100}
      - name: the server is gone
        faults: [FAULT]
        for: 30s
        expect:
          - rate: {at_most: 1000, curve: true}
          - errors: {at_most: 99.9%}
          - reaches: {stage: backing_off}
      - name: it is back
        for: 100s
        expect:
          - rate: {at_most: 1000, curve: true}
          - errors: {at_most: 99.9%}
          - time_to_online: {p50: 100s}
          - spread: {peak_at_most: 100}
"""
FAULTS = {
    "refused": "{fault: outage, for: 25s}",
    "silent": "{fault: outage, shows_as: silence, for: 25s}",
    "overload": "{fault: overload, retry_after: 11s, for: 25s}",
    "late": "{fault: latency, delay: 4s, for: 25s}",
}


def on(engine: EngineName, run_of: Expanded) -> Report:
    return asyncio.run(run(run_of, RunOptions(engine=engine)))


def said(report: Report) -> list[object]:
    """What was judged and measured."""
    return [
        (
            phase.name,
            phase.took_s,
            phase.curves,
            [(check.title, check.verdict, check.measured) for check in phase.checks],
        )
        for phase in report.phases
    ]


def both(folder: Path, phases: str, head: str) -> tuple[Report, Report]:
    """The same file by the exact engine, and by the array engine. What both say has been judged."""
    one = expanded(folder, phases, head=head)
    exact, cohort = on("exact", one), on("cohort", one)
    assert exact.verdict is Verdict.PASSED, (exact.reason, said(exact))
    assert (exact.engine, cohort.engine) == ("exact: as --engine says", "cohort: as --engine says")
    return exact, cohort


def failed_at_first(report: Report) -> bool:
    """The server has turned somebody away in the first phase."""
    return any(
        check.title.startswith("errors") and not check.measured.startswith("0 ") for check in report.phases[0].checks
    )


@pytest.mark.parametrize("policy", ["none", "fixed", "exponential"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_left_to_no_chance_is_the_same_to_the_microsecond(tmp_path: Path, policy: str, fault: str) -> None:
    exact, cohort = both(tmp_path, PHASES.replace("FAULT", FAULTS[fault]), HEAD.replace("POLICY", policy))

    assert failed_at_first(cohort)
    assert said(cohort) == said(exact)


def test_a_server_that_sheds_does_so_on_both(tmp_path: Path) -> None:
    head = HEAD.replace("POLICY", "exponential").replace("waiting: 3s, retry_after: 7s", "sheds_after: 2s")
    exact, cohort = both(tmp_path, PHASES.replace("FAULT", FAULTS["refused"]), head)

    assert failed_at_first(cohort)
    assert said(cohort) == said(exact)


@pytest.mark.parametrize(
    "more",
    ["budget: {share: 20%, burst: 2}", "breaker: {after: 2, open: 9s}", "first: [6s, 6s]"],
    ids=lambda more: more[:7],
)
def test_so_is_what_a_device_adds_to_its_policy(tmp_path: Path, more: str) -> None:
    head = HEAD.replace("POLICY", f"fixed, {more}")
    exact, cohort = both(tmp_path, PHASES.replace("FAULT", FAULTS["refused"]), head)

    assert said(cohort) == said(exact)


@pytest.mark.parametrize(
    "shape", [f"{shape}, spread: 20s" for shape in Shape if shape is not Shape.AT_ONCE] + ["at_once"]
)
def test_so_is_each_shape_of_arrivals(tmp_path: Path, shape: str) -> None:
    phases = PHASES.replace("FAULT", FAULTS["refused"]).replace("spread: 2s", f"shape: {shape}")
    exact, cohort = both(tmp_path, phases, HEAD.replace("POLICY", "fixed"))

    assert said(cohort) == said(exact)


def test_so_are_several_makes_in_one_fleet(tmp_path: Path) -> None:
    """Each is switched on over the whole spread, and has a policy and a time-out of its own."""
    old = "{name: old, share: 70%, timeout: 2s, backoff: {policy: fixed, base: 5s, retry_after_spread: 0s}}"
    more = f"retry_after_spread: 0s}}, cohorts: [{old}, {{name: new, share: 30%}}]}}"
    head = HEAD.replace("POLICY", "exponential").replace("retry_after_spread: 0s}}", more)
    exact, cohort = both(tmp_path, PHASES.replace("FAULT", FAULTS["silent"]), head)

    assert said(cohort) == said(exact)


POWER = """
    phases:
      - name: on
        do: {power_on: {spread: 4s}}
        within: 40s
        expect:
          - reaches: {stage: online}
          - time_to_online: {at_most: 30s}
          - rate: {at_most: 1000, curve: true}
      - name: the power fails
        do: [power_cut, {wait: 7s}, power_on]
        within: 60s
        expect:
          - time_to_online: {at_most: 60s}
          - rate: {at_most: 1000, curve: true}
      - name: and again
        do: {power_cycle: {off: 3s}}
        within: 60s
        expect: [{time_to_online: {p99: 60s}}, {errors: {at_most: 90%}}]
      - name: rest
        for: 30s
        expect: [{rate: {at_most: 1000, curve: true}}, {answered_within: {p99: 4s}}]
"""


def test_so_is_the_moment_in_which_all_of_a_phase_holds(tmp_path: Path) -> None:
    exact, cohort = both(tmp_path, POWER, HEAD.replace("POLICY", "fixed"))

    assert said(cohort) == said(exact)


def test_an_outage_counts_though_answers_are_late_anyhow(tmp_path: Path) -> None:
    head = HEAD.replace("POLICY", "fixed").rstrip() + "\n    faults: [{fault: latency, delay: 500ms}]\n"
    exact, cohort = both(tmp_path, PHASES.replace("FAULT", FAULTS["refused"]), head)

    assert said(cohort) == said(exact)
