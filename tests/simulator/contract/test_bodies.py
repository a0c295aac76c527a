"""Bodies that are made as they are read: what they hold, and that nobody needs the memory for it."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest

from fleetrig.simulator.contract.bodies import BLOCK_BYTES, HASHES, Hashing, body_blocks, body_bytes, hashes_of
from fleetrig.simulator.contract.http import Body, BodyPart, FileSlice, Repeated, body_slice

BLOCKS = (b"x", b"abc", bytes(range(256)), b"y" * (BLOCK_BYTES + 1))


def written_out(part: Repeated) -> bytes:
    turns = (part.offset_bytes + part.length_bytes) // len(part.block) + 1
    return (part.block * turns)[part.offset_bytes : part.offset_bytes + part.length_bytes]


@pytest.mark.parametrize("block", BLOCKS, ids=len)
@pytest.mark.parametrize("offset_bytes", [0, 1, 7, BLOCK_BYTES])
@pytest.mark.parametrize("length_bytes", [0, 1, 300, 2 * BLOCK_BYTES + 3])
def test_one_block_over_and_over(block: bytes, offset_bytes: int, length_bytes: int) -> None:
    part = Repeated(block, offset_bytes, length_bytes)
    assert body_bytes(part) == written_out(part)
    assert all(0 < len(one) <= max(BLOCK_BYTES, len(block)) for one in body_blocks(part))
    assert hashes_of(part) == {name: hashlib.new(name, written_out(part)).hexdigest() for name in HASHES}


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"abc"],
        [Repeated(b"ab", 0, 5), Repeated(b"ab", 5, 6)],
        [Repeated(b"ab", 0, 5), Repeated(b"ab", 4, 6)],
        [Repeated(b"ab", 0, 5), Repeated(b"cd", 5, 6)],
        [Repeated(b"ab", 3, 5), b"--", Repeated(b"ab", 8, 6)],
        [b"head", Repeated(b"ab", 0, 5), b"tail"],
    ],
    ids=range(7),
)
def test_hashes_are_those_of_the_bytes_however_they_come(parts: list[BodyPart]) -> None:
    hashing = Hashing()
    for part in parts:
        hashing.add(part)
    whole = body_bytes(tuple(parts))
    assert hashing.hexdigests() == {name: hashlib.new(name, whole).hexdigest() for name in HASHES}


DIGITS = (b"0123456789", Repeated(b"0123456789", 0, 10), (b"012", Repeated(b"345", 0, 3), b"6789"))


@pytest.mark.parametrize("body", DIGITS, ids=["bytes", "repeated", "in parts"])
@pytest.mark.parametrize("offset_bytes", [0, 2, 3, 5, 9, 10, 11])
@pytest.mark.parametrize("length_bytes", [0, 1, 4, 99])
def test_a_slice_of_any_body(body: Body, offset_bytes: int, length_bytes: int) -> None:
    assert body_bytes(body_slice(body, offset_bytes, length_bytes)) == b"0123456789"[offset_bytes:][:length_bytes]


def test_a_slice_of_a_file_reads_nothing() -> None:
    assert body_slice(FileSlice("/no/such/file", 5, 10), 3, 4) == FileSlice("/no/such/file", 8, 4)


def test_a_terabyte_takes_no_memory_until_it_is_read() -> None:
    tracemalloc.start()
    image = Repeated(b"x", 0, 2**40)
    blocks = body_blocks(body_slice((b"head", image, b"tail"), 2, 2**40))
    assert sum(len(next(blocks)) for _ in range(100)) > 99 * BLOCK_BYTES // 2
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 20 * BLOCK_BYTES
