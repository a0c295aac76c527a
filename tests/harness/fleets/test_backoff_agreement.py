"""Budget, breaker, first delay and linear growth come to the same in both engines, to the last poll."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.fleets.test_agreement import FAULTS, HEAD, PHASES, both, said

WORDS = {
    "budget": "policy: fixed, base: 3s, budget: {share: 25%, burst: 2}",
    "breaker": "policy: fixed, base: 3s, breaker: {after: 2, open: 13s, spread: 0s}",
    "both": "policy: exponential, base: 2s, cap: 20s, budget: {share: 50%, burst: 1}, breaker: {after: 4, open: 9s}",
    "first": "policy: fixed, base: 6s, first: [2s, 2s]",
    "linear": "policy: linear, base: 2s, cap: 9s",
    "client": "client: paho_python",
}
OWN = "backoff: {policy: POLICY, base: 3s, cap: 20s, retry_after_spread: 0s}"


@pytest.mark.slow
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("fault", ["refused", "overload"])
def test_both_engines_say_the_same(word: str, fault: str, tmp_path: Path) -> None:
    spread = "" if "client" in WORDS[word] else ", retry_after_spread: 0s"
    head = HEAD.replace(OWN, f"backoff: {{{WORDS[word]}{spread}}}")
    assert head != HEAD
    exact, array = both(tmp_path, PHASES.replace("FAULT", FAULTS[fault]), head)
    assert said(array) == said(exact)
