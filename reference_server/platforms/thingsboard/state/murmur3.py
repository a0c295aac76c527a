"""MurmurHash3 (32 bits, and 128 bits for x64), seed 0, as Guava writes it: a checksum of packages (3.6)."""

from __future__ import annotations

import struct
from typing import Final

MASK_32: Final = 0xFFFFFFFF
MASK_64: Final = 0xFFFFFFFFFFFFFFFF
C1_32: Final = 0xCC9E2D51
C2_32: Final = 0x1B873593
C1_64: Final = 0x87C37B91114253D5
C2_64: Final = 0x4CF5AD432745937F


def murmur3_32(data: bytes) -> str:
    """Eight hex digits, the lowest byte first."""
    hashed, whole = 0, len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        hashed = (_rotated_32(hashed ^ _mixed_32(word), 13) * 5 + 0xE6546B64) & MASK_32
    if rest := data[whole:]:
        hashed ^= _mixed_32(int.from_bytes(rest, "little"))
    hashed ^= len(data) & MASK_32
    hashed = ((hashed ^ hashed >> 16) * 0x85EBCA6B) & MASK_32
    hashed = ((hashed ^ hashed >> 13) * 0xC2B2AE35) & MASK_32
    return (hashed ^ hashed >> 16).to_bytes(4, "little").hex()


def murmur3_128(data: bytes) -> str:
    """32 hex digits: two halves, the lowest byte of each first."""
    one = two = 0
    whole = len(data) // 16 * 16
    for first, second in struct.iter_unpack("<QQ", data[:whole]):
        one = (_rotated_64(one ^ _mixed_first(first), 27) + two) & MASK_64
        one = (one * 5 + 0x52DCE729) & MASK_64
        two = (_rotated_64(two ^ _mixed_second(second), 31) + one) & MASK_64
        two = (two * 5 + 0x38495AB5) & MASK_64
    rest = data[whole:]
    two ^= _mixed_second(int.from_bytes(rest[8:], "little"))
    one ^= _mixed_first(int.from_bytes(rest[:8], "little"))
    one, two = one ^ len(data), two ^ len(data)
    one = (one + two) & MASK_64
    two = (two + one) & MASK_64
    one, two = _final_64(one), _final_64(two)
    one = (one + two) & MASK_64
    two = (two + one) & MASK_64
    return struct.pack("<QQ", one, two).hex()


def _mixed_32(word: int) -> int:
    return (_rotated_32((word * C1_32) & MASK_32, 15) * C2_32) & MASK_32


def _mixed_first(word: int) -> int:
    return (_rotated_64((word * C1_64) & MASK_64, 31) * C2_64) & MASK_64


def _mixed_second(word: int) -> int:
    return (_rotated_64((word * C2_64) & MASK_64, 33) * C1_64) & MASK_64


def _final_64(half: int) -> int:
    half = ((half ^ half >> 33) * 0xFF51AFD7ED558CCD) & MASK_64
    half = ((half ^ half >> 33) * 0xC4CEB9FE1A85EC53) & MASK_64
    return half ^ half >> 33


def _rotated_32(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & MASK_32


def _rotated_64(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & MASK_64
