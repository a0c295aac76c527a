"""The ladder: each rung once, the first failure kept and repeated, phases told whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.units.bring_up import BringUp, Rung
from fleetrig.hil.units.unit_record import UnitVerdict
from fleetrig.simulator.contract.errors import BrokenBench


class Watch:
    """Each look takes a second."""

    at_us = 0

    def now_us(self) -> int:
        self.at_us += 1_000_000
        return self.at_us


class Steps:
    """Climbs that note when they are called; `errors` says which of them fail, and how."""

    def __init__(self, **errors: BaseException) -> None:
        self.called: list[str] = []
        self.phases: list[tuple[str, UnitVerdict, float, str]] = []
        climbs = {rung: self._climb(rung, errors.get(rung)) for rung in Rung}
        self.ladder = BringUp(
            climbs, Watch(), lambda phase: self.phases.append((phase.name, phase.verdict, phase.took_s, phase.reason))
        )

    def _climb(self, rung, error):
        async def climb() -> None:
            self.called.append(str(rung))
            if error is not None:
                raise error

        return climb


def test_each_rung_is_climbed_once_in_order():
    steps = Steps()
    asyncio.run(steps.ladder.reach(Rung.BOOTED))
    assert steps.called == ["off", "flashed", "booted"]
    asyncio.run(steps.ladder.reach(Rung.PROVISIONED))
    assert steps.called == ["off", "flashed", "booted", "provisioned"]
    assert steps.ladder.rung is Rung.PROVISIONED
    assert steps.phases == [(rung, UnitVerdict.PASSED, 1.0, "") for rung in steps.called]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(BoardFailed("its storage refuses"), UnitVerdict.FAILED), (BrokenBench("the relay is gone"), UnitVerdict.BROKEN)],
    ids=["the board's", "the bench's"],
)
def test_the_first_failure_is_kept_and_repeated(error, verdict):
    steps = Steps(flashed=error)
    for _ in range(3):
        with pytest.raises(type(error)) as raised:
            asyncio.run(steps.ladder.reach(Rung.PROVISIONED))
        assert raised.value is error
    assert steps.called == ["off", "flashed"]
    assert steps.ladder.rung is Rung.OFF
    assert steps.ladder.first_failure == (Rung.FLASHED, error)
    assert steps.phases[-1] == ("flashed", verdict, 1.0, str(error))


def test_a_stop_is_told_as_one_and_is_no_failure():
    steps = Steps(booted=asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(steps.ladder.reach(Rung.PROVISIONED))
    assert steps.phases[-1][:2] == ("booted", UnitVerdict.STOPPED)
    assert steps.ladder.first_failure is None


def test_rungs_that_nobody_climbs_are_passed_over():
    ladder = BringUp({}, Watch())
    asyncio.run(ladder.reach(Rung.BOOTED))
    assert ladder.rung is Rung.BOOTED
