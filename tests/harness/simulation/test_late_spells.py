"""Whose fault a time-out is: what the beats of this machine tell about the time before it."""

from __future__ import annotations

import asyncio
import time

import pytest

from fleetrig.harness.simulation.late_spells import BEAT_S, LateSpells, beat
from fleetrig.simulator.contract.clock import US_PER_S, to_us

S = US_PER_S


def spells(*late: tuple[float, float]) -> LateSpells:
    """Beats that were due at the first second of a pair and came at the other."""
    found = LateSpells()
    for due_s, came_s in late:
        found.expect(to_us(due_s))
        found.came(to_us(came_s))
    return found


def test_a_beat_in_time_is_no_late_spell():
    assert spells((1.0, 1.05), (2.0, 2.0)).late_us(0, 10 * S) == 0


def test_only_what_lies_between_the_moments_counts():
    assert spells((1.0, 3.0), (5.0, 6.0)).late_us(2 * S, to_us(5.5)) == to_us(1.5)


def test_a_beat_that_is_overdue_at_the_end_counts():
    """The time-outs of a spell come before the beat that would tell of it."""
    found = spells((1.0, 2.0))
    found.expect(to_us(2.05))
    assert found.late_us(0, to_us(4.05)) == 3 * S


@pytest.mark.parametrize(("late_s", "is_own"), [(0.06, False), (0.9, False), (1.0, True), (9.0, True)])
def test_a_hiccup_is_no_excuse_for_ten_seconds_without_an_answer(late_s, is_own):
    assert spells((100.0, 100.0 + late_s)).were_within(95 * S, 105 * S) is is_own


def test_a_blocked_event_loop_is_noticed():
    now_us = lambda: time.monotonic_ns() // 1_000  # noqa: E731

    async def blocked() -> tuple[LateSpells, int, int]:
        found = LateSpells()
        beating = asyncio.create_task(beat(found, now_us))
        await asyncio.sleep(0)
        began_us = now_us()
        while now_us() - began_us < 4 * to_us(BEAT_S):  # as a fleet that is too large does
            pass
        ended_us = now_us()
        await asyncio.sleep(0)
        beating.cancel()
        return found, began_us, ended_us

    found, began_us, ended_us = asyncio.run(blocked())
    assert found.were_within(began_us, ended_us)
