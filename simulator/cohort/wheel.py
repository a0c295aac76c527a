"""When which device is next: keys `moment << bits | device` in coarse buckets, unsorted until their time comes.

One number holds moment and device, so that plain integers are sorted, several times faster than pairs, and ties are in
the order of the devices. A bucket is sorted once, when it becomes the current one; what still comes for it is kept
apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort.chance import Ints

BUCKET_BITS: Final = 26
"""A bucket holds 2²⁶ µs, 67 s: with polls every few minutes a window's successors fall into two or three."""
BUCKET_US: Final = 1 << BUCKET_BITS
SLOT_BITS: Final = 20
FEW: Final = 6
"""Among fewer places keys are distributed by comparing, among more by sorting."""
NO_KEYS: Final[Ints] = np.zeros(0, np.int64)


class Wheel:
    """At most one key for each device."""

    def __init__(self, device_bits: int) -> None:
        self._device_bits = device_bits
        self._buckets: dict[int, list[Ints]] = {}
        self._number = -1
        """Of the current bucket."""
        self._current: Ints = NO_KEYS
        self._slots: dict[int, list[Ints]] = {}
        """What comes for the current bucket, or for one before it, when that is sorted already."""

    def put(self, keys: Ints) -> None:
        """In any order."""
        for number, chunk in _split(keys, self._device_bits + BUCKET_BITS):
            if number > self._number:
                self._buckets.setdefault(number, []).append(chunk)
            else:
                for slot, part in _split(chunk, self._device_bits + SLOT_BITS):
                    self._slots.setdefault(slot, []).append(part)

    def take(self, before: int) -> Ints:
        """Takes all keys below `before` out, sorted."""
        shift = self._device_bits + BUCKET_BITS
        taken = [self._cut(before)]
        while self._buckets and (number := min(self._buckets)) << shift < before:
            self._number = number
            self._current = np.sort(np.concatenate(self._buckets.pop(number)))
            taken.append(self._cut(before))
        late = list(self._take_slots(before))
        if late:
            return np.sort(np.concatenate((*taken, *late)))
        return taken[0] if len(taken) == 1 else np.concatenate(taken)

    def devices(self) -> Ints:
        """Those that wait for something, in any order."""
        mask = (1 << self._device_bits) - 1
        chunks = [chunk for chunks in (*self._slots.values(), *self._buckets.values()) for chunk in chunks]
        return np.concatenate((self._current, *chunks)) & mask

    def remove(self, is_gone: NDArray[np.bool_]) -> None:
        """`is_gone`: for each device."""
        mask = (1 << self._device_bits) - 1
        for chunks in (*self._slots.values(), *self._buckets.values()):
            chunks[:] = [chunk[~is_gone[chunk & mask]] for chunk in chunks]
        self._current = self._current[~is_gone[self._current & mask]]

    def _cut(self, before: int) -> Ints:
        count = int(np.searchsorted(self._current, before))
        due, self._current = self._current[:count], self._current[count:]
        return due

    def _take_slots(self, before: int) -> Iterator[Ints]:
        shift = self._device_bits + SLOT_BITS
        for slot in [slot for slot in self._slots if slot << shift < before]:
            keys = np.concatenate(self._slots.pop(slot))
            if (slot + 1) << shift > before:
                is_due = keys < before
                if not is_due.all():
                    self._slots[slot] = [keys[~is_due]]
                keys = keys[is_due]
            yield keys


def _split(keys: Ints, shift: int) -> Iterator[tuple[int, Ints]]:
    """Keys by `key >> shift`."""
    if not keys.size:
        return
    first, last = int(keys.min()) >> shift, int(keys.max()) >> shift
    if first == last:
        yield first, keys
    elif last - first < FEW:
        numbers = keys >> shift
        for number in range(first, last + 1):
            chunk = keys[numbers == number]
            if chunk.size:
                yield number, chunk
    else:
        keys = np.sort(keys)
        numbers = keys >> shift
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for number, chunk in zip(numbers[starts].tolist(), np.split(keys, starts[1:]), strict=True):
            yield number, chunk.copy()
