"""Python's garbage collector is as it was when a server has ended."""

from __future__ import annotations

import gc

import pytest

from fleetrig.harness.run.collector import NEW_OBJECTS, spared_collector


def test_the_collector_is_as_before_afterwards_also_after_a_failure() -> None:
    before = gc.get_threshold()
    seen: list[tuple[int, bool]] = []

    def serve() -> None:
        with spared_collector():
            seen.append((gc.get_threshold()[0], gc.get_freeze_count() > 0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        serve()
    assert seen == [(NEW_OBJECTS, True)]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
