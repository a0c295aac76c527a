"""Whole numbers in a path or query, as Java reads them."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid

WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
LONG_MAX: Final = 2**63 - 1


def java_int(text: str) -> int:
    """Raises 400 for what is none, or is too large."""
    if WHOLE.fullmatch(text) and is_long(int(text)):
        return int(text)
    raise invalid(f'For input string: "{text[:50]}"')


def is_long(number: int) -> bool:
    """Whether it has 64 bits with its sign."""
    return -LONG_MAX - 1 <= number <= LONG_MAX
