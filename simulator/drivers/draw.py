"""Chance by counting: the n-th number of a device depends on seed, serial and n alone.

No generator object per device (`random.Random` costs over 2 KiB each), no shared stream whose order would matter, and
the same seed gives the same run in every driver.
"""

from __future__ import annotations

from hashlib import blake2b


def draw(seed: int, serial: str, n: int) -> float:
    """Uniform in [0, 1)."""
    digest = blake2b(f"{seed}/{n}/{serial}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds; more would round up to 1.0.
    return (int.from_bytes(digest) >> 11) / 2.0**53


def draw_between(seed: int, serial: str, n: int, least: float, most: float) -> float:
    """Uniform in [least, most]; `least` itself when the range is a point."""
    return least if most <= least else least + (most - least) * draw(seed, serial, n)
