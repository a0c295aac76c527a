"""Sending as fast as a line is, on the whole: a sleep that takes too long is made up for by the next one."""

from __future__ import annotations

import pytest

from fleetrig.hil.ports.pacing import PIECE_BYTES, Pace, pieces


class Sleeper:
    """Time that passes by sleeping, and each time a millisecond too long."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def sleep(self, for_s: float) -> None:
        assert for_s > 0
        self.now_s += for_s + 0.001


def test_sleeps_that_take_too_long_do_not_add_up() -> None:
    sleeper = Sleeper()
    pace = Pace(115_200, lambda: sleeper.now_s, sleeper.sleep)
    data = bytes(11_520)
    assert b"".join(pieces(data, pace)) == data
    pace.wait_for(0)
    assert sleeper.now_s - 100.0 == pytest.approx(1.0, abs=0.002)


def test_without_a_pace_all_goes_at_once() -> None:
    assert list(pieces(b"x" * 1_000, None)) == [b"x" * 1_000]


def test_an_idle_line_saves_no_time_for_later() -> None:
    sleeper = Sleeper()
    pace = Pace(9_600, lambda: sleeper.now_s, sleeper.sleep)
    sleeper.now_s += 3_600
    began_s = sleeper.now_s
    list(pieces(bytes(PIECE_BYTES * 60), pace))
    pace.wait_for(0)
    assert sleeper.now_s - began_s == pytest.approx(1.0, abs=0.002)
