"""Faults of a serial line: the same seed gives the same bytes however they were cut, and each proves that it fired."""

from __future__ import annotations

import random

import pytest

from fleetrig.hil.port import Way
from fleetrig.hil.ports.line_faults import (
    FaultFired,
    FaultStream,
    LineAway,
    LineBytes,
    LineFault,
    LineFaultKind,
    LineGap,
)
from fleetrig.simulator.contract.errors import UsageError

DATA = bytes(range(256)) * 40
TO, FROM = Way.TO_BOARD, Way.FROM_BOARD
DAMAGING = (
    LineFaultKind.BIT_ERROR,
    LineFaultKind.DROP,
    LineFaultKind.DUPLICATE,
    LineFaultKind.GARBAGE,
    LineFaultKind.WRONG_BAUD,
)


def passed(stream: FaultStream, pieces: list[bytes]) -> tuple[bytes, list[FaultFired]]:
    steps = [step for piece in pieces for step in stream.feed(piece)]
    return b"".join(step.data for step in steps if isinstance(step, LineBytes)), [
        step for step in steps if isinstance(step, FaultFired)
    ]


def cut(data: bytes, seed: int) -> list[bytes]:
    chance, pieces = random.Random(seed), []
    while data:
        size = chance.randint(1, 300)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.parametrize("kind", DAMAGING, ids=str)
def test_the_same_seed_gives_the_same_bytes_however_they_are_cut(kind: LineFaultKind) -> None:
    faults = [LineFault(kind, TO, every_bytes=500, length_bytes=7), LineFault(LineFaultKind.DROP, TO, every_bytes=900)]
    whole = passed(FaultStream(TO, faults, seed=3), [DATA])
    assert whole[0] != DATA
    assert len(whole[1]) > 10
    for cutting in range(5):
        assert passed(FaultStream(TO, faults, seed=3), cut(DATA, cutting)) == whole
    assert passed(FaultStream(TO, faults, seed=4), [DATA]) != whole
    assert passed(FaultStream(FROM, faults, seed=3), [DATA]) == (DATA, [])


@pytest.mark.parametrize(
    ("kind", "length", "became", "said"),
    [
        (LineFaultKind.DROP, 2, b"abef", "63 became nothing"),
        (LineFaultKind.DUPLICATE, 2, b"abcdcdef", "63 64 came twice"),
        (LineFaultKind.WRONG_BAUD, 3, b"ab\xb1\xb2\xb2f", "63 became b1"),
    ],
    ids=str,
)
def test_a_fault_at_a_byte_does_what_its_name_says(kind: LineFaultKind, length: int, became: bytes, said: str) -> None:
    fault = LineFault(kind, TO, at=(2,), length_bytes=length)
    data, (fired,) = passed(FaultStream(TO, [fault], seed=0), [b"ab", b"c", b"def"])
    assert data == became
    assert (fired.fault, fired.said) == (fault, said)


def test_a_bit_error_is_one_bit_and_garbage_comes_in_between() -> None:
    data, (fired,) = passed(FaultStream(TO, [LineFault(LineFaultKind.BIT_ERROR, TO, at=(2,))], seed=1), [b"abcdef"])
    assert (data[:2], data[3:]) == (b"ab", b"def")
    assert (data[2] ^ ord("c")).bit_count() == 1
    assert fired.said == f"63 became {data[2]:02x}"
    garbage = LineFault(LineFaultKind.GARBAGE, TO, at=(2,), length_bytes=4)
    data, (fired,) = passed(FaultStream(TO, [garbage], seed=1), [b"abcdef"])
    assert (data[:2], data[6:], len(data)) == (b"ab", b"cdef", 10)
    assert fired.at_byte == 2


@pytest.mark.parametrize(
    ("kind", "step"),
    [(LineFaultKind.CUT, LineGap(0.5)), (LineFaultKind.STALL, LineGap(0.5)), (LineFaultKind.UNPLUG, LineAway(0.5))],
    ids=str,
)
def test_faults_of_time_come_between_two_bytes(kind: LineFaultKind, step: LineGap | LineAway) -> None:
    before, fired, happened, after = FaultStream(TO, [LineFault(kind, TO, at=(3,), for_s=0.5)], seed=0).feed(b"abcdef")
    assert (before, happened, after) == (LineBytes(b"abc"), step, LineBytes(b"def"))
    assert isinstance(fired, FaultFired)


def test_a_fault_fires_no_more_often_than_it_may_and_one_that_never_did_is_known() -> None:
    often = LineFault(LineFaultKind.DROP, TO, every_bytes=10, most=3)
    never = LineFault(LineFaultKind.DROP, TO, at=(len(DATA),))
    stream = FaultStream(TO, [often, never], seed=0)
    data, fired = passed(stream, [DATA])
    assert (len(DATA) - len(data), len(fired)) == (3, 3)
    assert stream.fired() == [(often, 3), (never, 0)]


def test_faults_at_the_same_byte_come_one_after_another() -> None:
    faults = [LineFault(LineFaultKind.DROP, TO, at=(0,)), LineFault(LineFaultKind.DUPLICATE, TO, at=(0,))]
    assert passed(FaultStream(TO, faults, seed=0), [b"abc"])[0] == b"bbc"


@pytest.mark.parametrize(
    "options",
    [{}, {"at": (1,), "every_bytes": 5}, {"every_bytes": -1}, {"at": (-1,)}, {"at": (1,), "length_bytes": 0}],
    ids=["nowhere", "both", "negative", "before", "no length"],
)
def test_a_fault_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="line fault drop"):
        LineFault(LineFaultKind.DROP, TO, **options)  # type: ignore[arg-type]
