"""Chance by counting: the same for one device and for many, whole numbers only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.cohort.chance import draw, draws, part_of, second_draw, second_draws, word, words

SEEDS = st.integers(-(2**70), 2**70)
DEVICES = st.integers(0, 2**24 - 1)
NUMBERS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.lists(st.tuples(DEVICES, NUMBERS), min_size=1))
def test_many_words_are_those_of_each(seed: int, asked: list[tuple[int, int]]) -> None:
    devices, numbers = (np.array(column) for column in zip(*asked, strict=True))
    drawn = words(seed, devices.astype(np.int64), numbers.astype(np.uint32))
    assert drawn.tolist() == [word(seed, device, number) for device, number in asked]
    assert draws(drawn).tolist() == [draw(seed, device, number) for device, number in asked]
    assert second_draws(drawn).tolist() == [second_draw(seed, device, number) for device, number in asked]


def test_words_are_mixed_as_splitmix64_mixes_its_counter() -> None:
    """Its generator, begun with 0, gives this first: the counter is then one step."""
    assert word(1, 0, 0) == 0xE220A8397B1DCDAF


@given(st.integers(0, 2**47 - 1), st.integers(0, 2**32 - 1))
def test_a_part_is_exact_however_long_the_span(span: int, drawn: int) -> None:
    expected = span * drawn // 2**32
    chance = np.array([drawn], np.int64)
    assert part_of(span, drawn) == expected
    assert part_of(span, chance).tolist() == [expected]
    assert part_of(np.array([span], np.int64), chance).tolist() == [expected]


def test_neighbours_have_nothing_in_common() -> None:
    """Devices, draws and seeds that follow each other: no half of a word leans to one side, or on another."""
    count = 20_000
    along = np.arange(count)
    drawn = [
        words(1, along, np.zeros(count, np.uint32)),
        words(1, np.zeros(count, np.int64), along.astype(np.uint32)),
        np.array([word(seed, 0, 0) for seed in range(count)], np.uint64),
    ]
    for each in drawn:
        upper, lower = draws(each) / 2**32, second_draws(each) / 2**32
        for half in (upper, lower):
            assert abs(half.mean() - 0.5) < 4 * (1 / 12 / count) ** 0.5
            assert abs(np.corrcoef(half[1:], half[:-1])[0, 1]) < 4 / count**0.5
        assert abs(np.corrcoef(upper, lower)[0, 1]) < 4 / count**0.5
