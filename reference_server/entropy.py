"""Chance for a server: the system's in `serve`, a seed's in virtual time and tests."""

from __future__ import annotations

from hashlib import blake2b
from os import urandom
from random import SystemRandom
from typing import Final

_DRAW_BITS: Final = 53
"""As many as a float between 0 and 1 holds."""


class SystemEntropy:
    """Tokens that cannot be guessed."""

    def __init__(self) -> None:
        self._random = SystemRandom()

    def token_hex(self, n_bytes: int) -> str:
        return urandom(n_bytes).hex()

    def uniform(self, least: float, most: float) -> float:
        return self._random.uniform(least, most)


class SeededEntropy:
    """Draw n is a hash of the seed and n: the same seed gives the same run, on every machine and version of Python."""

    def __init__(self, seed: int) -> None:
        self._seed: Final = str(seed)
        self._drawn = 0

    def token_hex(self, n_bytes: int) -> str:
        blocks = [self._draw() for _ in range(0, n_bytes, 32)]
        return b"".join(blocks)[:n_bytes].hex()

    def uniform(self, least: float, most: float) -> float:
        """From `least` on, below `most`."""
        bits = int.from_bytes(self._draw()[:8], "big") >> (64 - _DRAW_BITS)
        return least + (most - least) * (bits / (1 << _DRAW_BITS))

    def _draw(self) -> bytes:
        self._drawn += 1
        return blake2b(f"{self._seed}/{self._drawn}".encode(), digest_size=32).digest()
