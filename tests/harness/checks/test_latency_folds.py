"""How long devices wait for answers: the fold holds for a fast server and tells a slow one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fleetrig.harness.checks.evaluators import FleetSnapshot, fold_of
from fleetrig.harness.checks.fold import Fold, Status
from fleetrig.harness.checks.latency_folds import SpanCounts
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MS, S = 1_000, 1_000_000


def watching(took_us: Sequence[int], name: str = "poll", **limits: str) -> Fold:
    fold = fold_of(FleetSnapshot("", {"HB-1": ""}), AnsweredWithin.model_validate({"of": "poll", **limits}))
    for number, took in enumerate(took_us):
        event = TraceEvent(number * 100 * MS, number + 1, "HB-1", Lane.DEVICE, "received",
                           envelope=HttpResponse(200), name=name, took_us=took)  # fmt: skip
        fold.step(event)
    return fold


def test_it_says_what_it_has_measured() -> None:
    fold = watching([*[10 * MS] * 98, 50 * MS, 90 * MS], p50="20ms", p99="100ms")
    assert fold.status() is Status.MET
    assert fold.measured() == "100 answers: p50 0.01 s, p99 0.09 s, 0.09 s at most; 10 in the fullest second"


@pytest.mark.parametrize(
    ("took_us", "limits"),
    [
        ([10 * MS] * 49 + [2 * S] * 51, {"p50": "1s"}),
        ([10 * MS] * 98 + [2 * S] * 2, {"p99": "1s"}),
        ([10 * MS] * 98 + [2 * S] * 2, {"p50": "1s", "p99": "1s"}),
    ],
)
def test_a_slow_server_is_told(took_us: list[int], limits: dict[str, str]) -> None:
    fold = watching(took_us, **limits)
    assert fold.status() is Status.OPEN
    assert "100 answers" in fold.finding().got
    assert fold.finding().evidence


@pytest.mark.parametrize("late", [0, 1])
def test_one_of_a_hundred_may_be_late_for_p99(late: int) -> None:
    assert watching([10 * MS] * (100 - late) + [2 * S] * late, p99="1s").status() is Status.MET


def test_other_answers_are_nothing_to_measure() -> None:
    assert watching([10 * MS], name="download", p99="1s").status() is Status.OPEN


def test_a_check_without_a_bound_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="expected p50, p99 or both"):
        AnsweredWithin.model_validate({"of": "poll"})


@pytest.mark.parametrize(("share", "value"), [(0.5, 3), (0.99, 4), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    spans = SpanCounts()
    for span_us in (4, 1, 3, 2):
        spans.add(span_us)
    assert spans.percentile_us(share) == value


def test_three_digits_are_kept_and_the_longest_as_it_is() -> None:
    spans = SpanCounts()
    for span_us in range(1_000_000, 1_001_000):
        spans.add(span_us)
    assert (spans.count, spans.percentile_us(0.99), spans.most_us) == (1000, 1_000_000, 1_000_999)
