"""Figures side by side, and what happens to a fleet as a list of steps that every engine can be led through."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures

S = 1_000_000


def assert_same(figures: FleetFigures, expected: FleetFigures) -> None:
    """Bit by bit; says where they part."""
    for number, (cohort, other) in enumerate(zip(figures.cohorts, expected.cohorts, strict=True)):
        for each in fields(CohortFigures):
            same_counts(f"cohort {number}: {each.name}", getattr(cohort, each.name), getattr(other, each.name))
    same_counts("slowest_us", figures.slowest_us, expected.slowest_us)
    assert figures.took == expected.took
    assert figures.time_to_online == expected.time_to_online


def same_counts(what: str, counts: np.ndarray, expected: np.ndarray) -> None:
    assert counts.size == expected.size, what
    assert counts.dtype == expected.dtype == np.int64, what
    differing = np.flatnonzero(counts != expected)
    assert not differing.size, f"{what}: second {differing[0]} has {counts[differing[0]]}, not {expected[differing[0]]}"
