"""An open model: intended starts do not wait for answers, and those that never happen are counted."""

from __future__ import annotations

from fleetrig.simulator.drivers.schedule import Schedule


def test_a_slow_answer_does_not_put_off_the_next_start() -> None:
    schedule = Schedule(100.0)
    assert schedule.begins(100.0) == 100.0

    assert schedule.after(10.0, now_s=103.0) == []
    assert schedule.intended_s == 110.0


def test_a_start_that_is_late_says_when_it_was_meant() -> None:
    schedule = Schedule(100.0)
    schedule.begins(100.0)
    schedule.after(10.0, now_s=112.0)

    assert schedule.begins(112.0) == 110.0


def test_only_the_first_request_after_a_pause_can_be_late() -> None:
    schedule = Schedule(100.0)
    schedule.begins(101.0)

    assert schedule.begins(105.0) == 105.0


def test_starts_later_than_a_whole_interval_are_dropped() -> None:
    schedule = Schedule(100.0)
    schedule.begins(100.0)

    assert schedule.after(1.0, now_s=103.5) == [101.0, 102.0]
    assert schedule.intended_s == 103.0


def test_a_backoff_begins_when_it_begins() -> None:
    schedule = Schedule(100.0)
    schedule.begins(100.0)
    schedule.resumes(160.0)

    assert schedule.begins(160.0) == 160.0
    assert schedule.after(10.0, now_s=161.0) == []
    assert schedule.intended_s == 170.0


def test_a_closed_model_drops_nothing_and_is_never_late() -> None:
    schedule = Schedule(100.0, is_open=False)
    schedule.begins(100.0)

    assert schedule.after(1.0, now_s=109.0) == []
    assert schedule.begins(110.0) == 110.0


def test_nothing_is_intended_later_than_it_happens() -> None:
    assert Schedule(100.0).begins(99.0) == 99.0


def test_a_round_in_parts_drops_whole_rounds_and_not_its_parts() -> None:
    """Slices of 20 s of a round of 60 s; the server hangs in the ping behind the first."""
    schedule = Schedule(100.0)
    schedule.begins(100.0)
    assert schedule.after(20.0, 100.0, left_s=40.0) == []
    assert schedule.intended_s == 120.0

    assert schedule.after(20.0, 230.0, left_s=20.0) == []
    assert schedule.after(20.0, 230.0) == [160.0]

    assert schedule.intended_s == 220.0
    assert schedule.begins(230.0) == 220.0


def test_a_round_in_parts_that_is_late_by_less_than_itself_drops_nothing() -> None:
    schedule = Schedule(100.0)
    schedule.begins(100.0)
    schedule.after(20.0, 100.0, left_s=40.0)
    assert schedule.after(20.0, 195.0, left_s=20.0) == []
    assert schedule.after(20.0, 195.0) == []
    assert schedule.begins(195.0) == 160.0


def test_a_round_begins_anew_behind_a_backoff() -> None:
    schedule = Schedule(100.0)
    schedule.after(20.0, 100.0, left_s=40.0)
    schedule.resumes(200.0)

    assert schedule.after(10.0, 235.0) == [210.0, 220.0], "the part before counts no more"


def test_what_comes_in_mid_wait_does_not_put_off_the_next_start() -> None:
    schedule = Schedule(100.0)
    schedule.after(20.0, 100.0)
    schedule.cut_short(5.0)
    assert schedule.begins(106.0) == 105.0, "the reply to it"

    assert schedule.after(15.0, 106.0) == []
    assert schedule.intended_s == 120.0


def test_a_wait_that_was_cut_short_counts_in_its_round() -> None:
    schedule = Schedule(100.0)
    schedule.after(20.0, 100.0)
    schedule.cut_short(5.0)

    assert schedule.after(15.0, 155.0) == [120.0], "the next was meant for 140, a round of 20 s later"
