"""A generator that was the limit says so, and a slow server is not its fault."""

from __future__ import annotations

from fleetrig.harness.load.health import GeneratorUse, why_generator_was_limit
from fleetrig.simulator.drivers.load.histogram import Histogram


def waking(*late_ms: int) -> Histogram:
    histogram = Histogram()
    for one in late_ms:
        histogram.add(one * 1000)
    return histogram


def test_a_generator_at_ease_says_nothing() -> None:
    assert why_generator_was_limit(GeneratorUse([("the generator", [0.7] * 60)], waking(*[1] * 99, 40))) == ""


def test_a_busy_second_is_no_limit_and_ten_are() -> None:
    calm = [0.2] * 20
    assert why_generator_was_limit(GeneratorUse([("worker 1", [*calm, 1.0, *calm])], waking(1))) == ""

    why = why_generator_was_limit(GeneratorUse([("worker 1", calm), ("worker 2", [*calm, *[0.9] * 10])], waking(1)))
    assert why.startswith("the generator was the limit: worker 2 used 90% of a core")
    assert "--workers" in why


def test_starts_that_come_late_for_no_other_reason_are_a_limit() -> None:
    why = why_generator_was_limit(GeneratorUse([("the generator", [0.1])], waking(*[1] * 50, *[80] * 50)))

    assert "one start in a hundred came 8" in why
    assert "say nothing about the server" in why


def test_without_any_second_there_is_no_limit() -> None:
    assert why_generator_was_limit(GeneratorUse([("the generator", [])], Histogram())) == ""
