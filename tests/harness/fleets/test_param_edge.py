"""`fleetrig edge`: ranges as people write them, and the edge of a fleet that is known to collapse."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.fleets.param_edge import ParamRange, param_range
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import Done, fleetrig

FRAGILE = """
scenario: A server works longer on a request than anybody waits for it
params: {outage: 4m, capacity: 10}
matrix: {policy: [fixed, full_jitter]}
devices: {flow: hawkbit, count: 800, serial: "GW-{n}", credential: gateway_token, poll_jitter: 0.1, timeout: 5s,
          backoff: {policy: "${policy}", base: 20s, cap: 10m, honours_retry_after: false}}
server: {settings: {pollingTime: "00:02:40"}, capacity: {requests_per_s: "${capacity}", waiting: 20s}}
phases:
  - name: at rest
    do: {power_on: {spread: 160s}}
    for: 6m
  - name: outage
    faults: [{fault: outage, for: "${outage}"}]
    for: "${outage}"
    expect: [{reaches: {stage: backing_off}}]
  - name: after
    for: 16m
    expect: [{errors: {at_most: 50%}}]
"""


def edge(folder: Path, *words: str, run: str = "hawkbit/fragile[policy=fixed]") -> Done:
    file = folder / "scenarios" / "hawkbit" / "fragile.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(FRAGILE, encoding="utf-8")
    return fleetrig("edge", run, *words, cwd=folder)


@pytest.mark.parametrize(
    ("text", "span", "middle"),
    [
        ("outage=30s..20m", ParamRange("outage", 30.0, 1200.0, "s"), "615s"),
        ("pause=500ms..2s", ParamRange("pause", 0.5, 2.0, "s"), "1.25s"),
        ("capacity=0.5%..2%", ParamRange("capacity", 0.5, 2.0, "%"), "1.25%"),
        ("devices=1..100", ParamRange("devices", 1.0, 100.0), "50"),
        ("rate=0.5..100", ParamRange("rate", 0.5, 100.0), "50.25"),
    ],
)
def test_ranges_and_what_lies_between(text: str, span: ParamRange, middle: str) -> None:
    assert param_range(text) == span
    assert span.text((span.least + span.most) / 2) == middle


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("outage", "expected NAME=FROM..TO, such as outage=30s..20m"),
        ("outage=30s", "expected NAME=FROM..TO"),
        ("outage=soon..late", "expected NAME=FROM..TO"),
        ("outage=30..20m", "its two ends are of different kinds"),
        ("outage=20m..30s", "the first must be the smaller of the two"),
    ],
)
def test_ranges_that_are_none(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        param_range(text)


@pytest.mark.slow
def test_how_long_an_outage_may_last(tmp_path: Path) -> None:
    done = edge(tmp_path, "--vary", "outage=10s..8m")
    *tries, found = done.stdout.splitlines()
    assert done.returncode == 0
    assert [line.split() for line in tries[:2]] == [
        ["outage", "10s", "not:", "collapses"], ["outage", "480s", "collapses"],
    ]  # fmt: skip
    assert found.startswith("the fleet collapses from outage ")
    assert found.endswith(f" ({len(tries)} runs)")


@pytest.mark.slow
def test_how_small_the_capacity_may_be(tmp_path: Path) -> None:
    done = edge(tmp_path, "--vary", "capacity=6..50", "--until", "survives", "--set", "outage=8m")
    assert done.stdout.splitlines()[-1].startswith("the fleet survives from capacity ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vary", "outage=1s..3s"), "at no outage up to 3s the fleet collapses (2 runs)\n"),
        (("--vary", "outage=7m..8m"), "even at outage 420s the fleet collapses: begin lower (1 run)\n"),
    ],
)
def test_an_edge_outside_of_the_range_is_said(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert edge(tmp_path, *words).stdout.endswith(said)


def test_a_run_that_fails_is_told_with_the_check_that_did_not_hold(tmp_path: Path) -> None:
    done = edge(tmp_path, "--vary", "outage=1s..3s", "--until", "passes")
    assert done.stdout.splitlines() == [
        "  outage 1s         not: passes (reaches {stage: backing_off}, in «outage»)",
        "  outage 3s         not: passes (reaches {stage: backing_off}, in «outage»)",
        "at no outage up to 3s the fleet passes (2 runs)",
    ]


@pytest.mark.parametrize(
    ("run", "words", "sentence"),
    [
        ("hawkbit/fragile", ("--vary", "outage=1s..3s"), "hawkbit/fragile is 2 runs: name one of them, such as "),
        (
            "hawkbit/fragile[policy=fixed]",
            ("--vary", "outag=1s..3s"),
            "--vary 'outag' is not known here; did you",
        ),
        ("hawkbit/fragile[policy=fixed]", ("--vary", "outage=1s..3s", "--set", "outage=1s"), "leave --set outage away"),
        ("hawkbit/fragile[policy=fixed]", ("--vary", "capacity=0..3"), "above 0"),
        ("hawkbit/fragile[policy=fixed]", ("--vary", "capacity=3..9000000"), "at most 1,000,000 requests a second"),
    ],
)
def test_what_cannot_be_tried_is_a_sentence(run: str, words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = edge(tmp_path, *words, run=run)
    assert (done.returncode, done.stdout) == (4, "")
    assert sentence in done.stderr
