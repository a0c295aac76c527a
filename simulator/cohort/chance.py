"""Chance by counting, for arrays: the n-th number of a device depends on seed, device and n alone.

So it does not matter in which order, or in how large pieces, a fleet is worked off. A weighted sum of the three is
mixed as SplitMix64 mixes its counter (Steele, Lea, Flood: «Fast splittable pseudorandom number generators», 2014); a
word's two halves serve as two numbers of 32 bits. `drivers.draw` does the same for the exact engine by a slower hash.
"""

from __future__ import annotations

from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
ChanceWords = NDArray[np.uint64]
Flags = NDArray[np.bool_]

SEED_STEP: Final = 0x9E3779B97F4A7C15
DEVICE_STEP: Final = 0xBF58476D1CE4E5B9
DRAW_STEP: Final = 0x94D049BB133111EB
MASK_64: Final = (1 << 64) - 1
SHORT_SPAN: Final = 1 << 31
"""A span below this, times 32 bits of chance, fits into an int64."""


def word(seed: int, device: int, n: int) -> int:
    """64 bits of chance."""
    mixed = (seed * SEED_STEP + device * DEVICE_STEP + n * DRAW_STEP) & MASK_64
    mixed = (mixed ^ (mixed >> 30)) * DEVICE_STEP & MASK_64
    mixed = (mixed ^ (mixed >> 27)) * DRAW_STEP & MASK_64
    return mixed ^ (mixed >> 31)


def words(seed: int, devices: Ints, n: NDArray[np.uint32]) -> ChanceWords:
    """`word` for many devices."""
    mixed = devices.astype(np.uint64)
    mixed *= np.uint64(DEVICE_STEP)
    mixed += n * np.uint64(DRAW_STEP)
    mixed += np.uint64(seed * SEED_STEP & MASK_64)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(DEVICE_STEP)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(DRAW_STEP)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def draw(seed: int, device: int, n: int) -> int:
    """The upper half of the word: how long a device waits is drawn with it."""
    return word(seed, device, n) >> 32


def second_draw(seed: int, device: int, n: int) -> int:
    """The lower half: whether a disruption that affects a share of the requests affects this one."""
    return word(seed, device, n) & 0xFFFF_FFFF


def draws(drawn: ChanceWords) -> Ints:
    """The upper halves."""
    return (drawn >> np.uint64(32)).view(np.int64)


def second_draws(drawn: ChanceWords) -> Ints:
    """The lower halves."""
    return (drawn & np.uint64(0xFFFF_FFFF)).view(np.int64)


@overload
def part_of(span: int, drawn: int) -> int: ...
@overload
def part_of(span: int | Ints, drawn: Ints) -> Ints: ...
def part_of(span: int | Ints, drawn: int | Ints) -> int | Ints:
    """`span · drawn / 2³²`, rounded down: evenly distributed below `span`, which is below 2⁴⁷."""
    if isinstance(span, int) and (isinstance(drawn, int) or span < SHORT_SPAN):
        return span * drawn >> 32
    # The product may exceed an int64: by its 16-bit halves it is the same number.
    return ((span >> 16) * drawn + ((span & 0xFFFF) * drawn >> 16)) >> 16
