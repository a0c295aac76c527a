"""`simulate --policy-from TRACE`: devices without a scenario back off as those of a stored trace did."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.commands.policy_option import backoff_from
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.backoff import Backoff, Policy

GOLDEN: Final = Path(__file__).parents[2] / "golden/retries"


def test_without_a_trace_devices_do_what_they_do_by_themselves():
    assert backoff_from(None) == Backoff()


def test_the_policy_of_the_trace_is_told_and_taken(capsys):
    backoff = backoff_from(GOLDEN / "thingsboard_sdk.trace.jsonl")
    assert (backoff.policy, backoff.base_s, backoff.cap_s) == (Policy.EXPONENTIAL, 1.0, 120.0)
    assert capsys.readouterr().err.startswith("--policy-from: ")


@pytest.mark.parametrize(
    "words",
    [
        "hawkbit",
        "thingsboard --provision-key env:K --provision-secret env:K",
        "hono --tenant T --credentials password --secret env:K",
    ],
    ids=lambda words: words.partition(" ")[0],
)
def test_platforms_whose_devices_have_a_policy_take_it(words, free_port, monkeypatch, capsys):
    monkeypatch.setenv("K", "of-this-test")
    given = [*words.split(), "--against", f"http://127.0.0.1:{free_port}"]
    trace = str(GOLDEN / "swupdate.trace.jsonl")
    assert main(["simulate", *given, "--count", "1", "--policy-from", trace]) == Exit.BROKEN
    said = capsys.readouterr().err
    assert said.startswith("--policy-from: 15 pauses between failed tries (poll) of 1 device: none, it waits")
    assert "(connection refused)" in said


def test_a_trace_that_is_none_is_told_before_anything_starts(tmp_path, capsys):
    trace = tmp_path / "t.jsonl"
    trace.write_text("no trace\n")
    words = ["simulate", "hawkbit", "--against", "http://127.0.0.1:9", "--policy-from", str(trace)]
    assert main(words) == Exit.WRONG_USAGE
    assert "is no trace of fleetrig" in capsys.readouterr().err
