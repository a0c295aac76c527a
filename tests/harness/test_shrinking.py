"""The smallest case is found, also where failing is not monotone; a budget and an interruption keep the best so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from fleetrig.harness.run.shrinking import Shrinking, ShrunkCase
from fleetrig.harness.scenario_file.reducible import Reduced, Reducible

Fails = Callable[[int, int, int], bool]
DEVICES = Reducible("devices", Reduced.DEVICES, ("devices", "count"), 10_000, least=1)
OUTAGE = Reducible("outage", Reduced.SPAN, ("params", "outage"), 1_200_000)
WHOLE = ShrunkCase((10_000, 1_200_000), 17)
MANY = 1_000


def shrunk(fails: Fails, tries: int = MANY) -> Shrinking:
    """What comes of a failure that depends on devices, the outage in milliseconds and the seed."""
    shrinking = Shrinking(WHOLE)

    async def judge(case: ShrunkCase) -> bool:
        assert all(size >= part.least for size, part in zip(case.sizes, (DEVICES, OUTAGE), strict=True))
        devices, outage_ms = case.sizes
        return fails(devices, outage_ms, case.seed)

    assert fails(DEVICES.whole, OUTAGE.whole, WHOLE.seed), "only what fails can be shrunk"
    asyncio.run(shrinking.work((DEVICES, OUTAGE), judge, tries))
    return shrinking


@pytest.mark.parametrize(
    ("fails", "smallest"),
    [
        (lambda devices, outage, seed: True, ShrunkCase((1, 0), 1)),
        (lambda devices, outage, seed: devices >= 7 and outage >= 12_000, ShrunkCase((7, 12_000), 1)),
        (lambda devices, outage, seed: devices >= 7 and outage >= 11_400, ShrunkCase((7, 12_000), 1)),
        (lambda devices, outage, seed: devices * outage >= 8_000_000 and seed == 17, ShrunkCase((7, 1_143_000), 17)),
        (lambda devices, outage, seed: devices == 10_000 and outage == 1_200_000, ShrunkCase(WHOLE.sizes, 1)),
    ],
    ids=["always", "both", "off the steps", "together", "nothing less"],
)
def test_the_smallest_case_is_found(fails: Fails, smallest: ShrunkCase) -> None:
    found = shrunk(fails)
    assert found.is_done
    assert found.best == smallest


def test_what_fails_with_few_and_with_many_but_not_between_is_found() -> None:
    found = shrunk(lambda devices, outage, seed: devices == 2 or devices > 100)
    assert found.best.sizes[0] == 2
    island = shrunk(lambda devices, outage, seed: devices in (88, 89) or devices > 100)
    assert island.best.sizes[0] == 88, "a bisection alone ends at 101"


def test_it_is_never_less_than_the_least() -> None:
    part = replace(DEVICES, least=300)
    shrinking = Shrinking(ShrunkCase((10_000,), 17))

    async def judge(case: ShrunkCase) -> bool:
        assert case.sizes[0] >= 300
        return True

    asyncio.run(shrinking.work((part,), judge, MANY))
    assert shrinking.best == ShrunkCase((300,), 1)


def test_another_seed_may_need_less() -> None:
    found = shrunk(lambda devices, outage, seed: devices >= (20 if seed == 4 else 40))
    assert (found.best.sizes[0], found.best.seed) == (20, 4)


def test_the_smallest_of_the_seeds_with_which_it_fails() -> None:
    assert shrunk(lambda devices, outage, seed: devices >= 5 and seed in (17, 9, 12)).best.seed == 9


def test_a_case_is_tried_once() -> None:
    asked: list[tuple[int, int, int]] = []

    def fails(devices: int, outage_ms: int, seed: int) -> bool:
        if (devices, outage_ms, seed) != (*WHOLE.sizes, WHOLE.seed):
            asked.append((devices, outage_ms, seed))
        return devices >= 33 and outage_ms >= 2_000

    found = shrunk(fails)
    assert len(asked) == len(set(asked)) == len(found.known)
    assert len(asked) < 100, "a few dozen tries for ten thousand devices and twenty minutes"


def test_no_more_tries_than_allowed_and_the_best_so_far() -> None:
    found = shrunk(lambda devices, outage, seed: devices >= 7 and outage >= 12_000, tries=5)
    assert len(found.known) == 5
    assert not found.is_done
    assert found.best.sizes[0] in (5_001, 2_501, 1_251, 5_000, 2_500, 1_250)


def test_an_interruption_keeps_the_best_so_far() -> None:
    shrinking = Shrinking(WHOLE)

    async def judge(case: ShrunkCase) -> bool:
        if case.sizes[0] == 5_000:
            return True
        if len(shrinking.known) > 5:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(shrinking.work((DEVICES, OUTAGE), judge, MANY))
    assert shrinking.best == ShrunkCase((5_000, 1_200_000), 17)
    assert not shrinking.is_done
