"""What can go wrong on a serial line, as a pure function of the bytes: the same seed gives the same bytes.

Where a fault bites is counted in bytes of one direction since the line began, never in reads, so it does not depend on
how the stream was cut on its way. `faulty_line.py` performs it between a port and its users.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fleetrig.hil.port import Way
from fleetrig.simulator.contract.errors import UsageError


class LineFaultKind(StrEnum):
    BIT_ERROR = "bit_error"
    """One bit of each of `length_bytes` bytes is another."""
    DROP = "drop"
    """`length_bytes` bytes do not arrive."""
    DUPLICATE = "duplicate"
    """`length_bytes` bytes come twice."""
    GARBAGE = "garbage"
    """`length_bytes` bytes come that nobody sent."""
    WRONG_BAUD = "wrong_baud"
    """`length_bytes` bytes as a receiver at another speed sees them."""
    CUT = "cut"
    """What was sent in one piece arrives in two, `for_s` apart."""
    STALL = "stall"
    """Nothing goes in this direction for `for_s`; then it goes on."""
    UNPLUG = "unplug"
    """The port vanishes for `for_s` and comes back as another device; what is said meanwhile is lost."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """One fault in one direction: at the bytes `at` (the first byte is 0), or about every `every_bytes`, drawn."""

    kind: LineFaultKind
    way: Way
    at: tuple[int, ...] = ()
    every_bytes: float = 0.0
    most: int = 0
    """How often at most; 0 for no limit."""
    length_bytes: int = 1
    for_s: float = 0.0

    def __post_init__(self) -> None:
        if bool(self.at) == bool(self.every_bytes) or self.every_bytes < 0 or any(at < 0 for at in self.at):
            raise UsageError(f"line fault {self.kind}: say either `at` which bytes, or `every_bytes`")
        if self.length_bytes < 1 or self.for_s < 0 or self.most < 0:
            raise UsageError(f"line fault {self.kind}: length_bytes is at least 1, for_s and most at least 0")


class LineBytes(NamedTuple):
    """Goes on to the other side."""

    data: bytes


class LineGap(NamedTuple):
    """Nothing goes for so long."""

    for_s: float


class LineAway(NamedTuple):
    """The port is away for so long."""

    for_s: float


class FaultFired(NamedTuple):
    """The proof: `said` tells what became of which byte."""

    fault: LineFault
    at_byte: int
    said: str


LineStep = LineBytes | LineGap | LineAway | FaultFired


class _Armed:
    """A fault with its own chance, and where it bites next."""

    def __init__(self, fault: LineFault, chance: random.Random) -> None:
        self.fault = fault
        self.chance = chance
        self.fired = 0
        self._places = self._draw(0)
        self.next_at = next(self._places, math.inf)

    def _draw(self, begin: int) -> Iterator[float]:
        if self.fault.at:
            yield from sorted(self.fault.at)
            return
        at = begin
        while True:
            at += 1 + int(self.chance.expovariate(1 / self.fault.every_bytes))
            yield at

    def count(self) -> None:
        self.fired += 1
        self.next_at = next(self._places, math.inf)
        if self.fault.most and self.fired >= self.fault.most:
            self.next_at = math.inf


class FaultStream:
    """One direction of a line. Faults never overlap: one that is due during another comes right after it."""

    def __init__(self, way: Way, faults: Sequence[LineFault], seed: int) -> None:
        self._armed = [
            _Armed(fault, random.Random(f"{seed} {index} {fault.kind} {way}"))
            for index, fault in enumerate(faults)
            if fault.way is way
        ]
        self._at = 0
        self._biting: _Armed | None = None
        self._left_bytes = self._began_at = 0
        self._again = b""
        """What a duplicate repeats, so far."""

    def fired(self) -> list[tuple[LineFault, int]]:
        """How often each fault fired: one that never did has tested nothing."""
        return [(armed.fault, armed.fired) for armed in self._armed]

    def feed(self, data: bytes) -> list[LineStep]:
        """What becomes of the next bytes of this direction."""
        steps: list[LineStep] = []
        while data:
            due = min(self._armed, key=lambda armed: armed.next_at, default=None)
            if self._biting is not None:
                size = min(self._left_bytes, len(data))
                steps += self._bite(self._biting, data[:size])
            elif due is not None and due.next_at <= self._at:
                size = 0
                steps += self._begin(due)
            else:
                size = len(data) if due is None else int(min(len(data), due.next_at - self._at))
                steps.append(LineBytes(data[:size]))
            self._at += size
            data = data[size:]
        return steps

    def _begin(self, armed: _Armed) -> list[LineStep]:
        fault = armed.fault
        self._began_at = self._at
        match fault.kind:
            case LineFaultKind.GARBAGE:
                data = armed.chance.randbytes(fault.length_bytes)
                steps: list[LineStep] = [LineBytes(data), self._proof(armed, f"{data[:8].hex(' ')} came of nothing")]
            case LineFaultKind.CUT:
                steps = [self._proof(armed, f"a gap of {fault.for_s:g} s"), LineGap(fault.for_s)]
            case LineFaultKind.STALL:
                steps = [self._proof(armed, f"nothing goes for {fault.for_s:g} s"), LineGap(fault.for_s)]
            case LineFaultKind.UNPLUG:
                steps = [self._proof(armed, f"away for {fault.for_s:g} s"), LineAway(fault.for_s)]
            case _:
                self._biting, self._left_bytes, self._again = armed, fault.length_bytes, b""
                return []
        armed.count()
        return steps

    def _bite(self, armed: _Armed, data: bytes) -> list[LineStep]:
        fault = armed.fault
        is_first = self._left_bytes == fault.length_bytes
        self._left_bytes -= len(data)
        is_last = self._left_bytes == 0
        steps: list[LineStep] = []
        if fault.kind is LineFaultKind.DUPLICATE:
            self._again += data
            steps.append(LineBytes(data))
            if is_last:
                steps += [LineBytes(self._again), self._proof(armed, f"{self._again[:8].hex(' ')} came twice")]
        else:
            spoilt = _spoilt(fault.kind, data, armed.chance)
            steps.append(LineBytes(spoilt))
            if is_first:
                became = f"{spoilt[0]:02x}" if spoilt else "nothing"
                steps.append(self._proof(armed, f"{data[0]:02x} became {became}"))
        if is_last:
            self._biting = None
            armed.count()
        return steps

    def _proof(self, armed: _Armed, said: str) -> FaultFired:
        return FaultFired(armed.fault, self._began_at, said)


def _spoilt(kind: LineFaultKind, data: bytes, chance: random.Random) -> bytes:
    match kind:
        case LineFaultKind.DROP:
            return b""
        case LineFaultKind.BIT_ERROR:
            return bytes(byte ^ (1 << chance.randrange(8)) for byte in data)
        case _:
            # At another speed the start bit lands in the data and the last bit reads as a one: hardly any text is left.
            return bytes(0x80 | (byte >> 1) for byte in data)
