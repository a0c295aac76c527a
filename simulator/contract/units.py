"""Times and sizes as people write them, with their unit: in scenario files and on the control interface alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.simulator.contract.bounds import SIZE_BYTES, SPAN_S

DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)", re.ASCII)
SECONDS_PER: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZE: Final = re.compile(r"(\d{1,12})(B|KiB|MiB|GiB)", re.ASCII)
BYTES_PER: Final[Mapping[str, int]] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def duration_s(value: Any) -> float:
    """`500ms`, `30s`, `1.5m`, `1h` to seconds. Raises ValueError, also beyond `SPAN_S`."""
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a time with its unit, such as 500ms, 30s, 5m or 1h")
    seconds = float(found[1]) * SECONDS_PER[found[2]]
    SPAN_S.check(seconds)
    return seconds


def duration_text(seconds: float) -> str:
    """Seconds as a scenario file writes them: `500ms`, `1.5s`."""
    if 0 < seconds < 1 and (milliseconds := round(seconds * 1000, 3)).is_integer():
        return f"{milliseconds:.0f}ms"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def size_bytes(value: Any) -> int:
    """`512B`, `4KiB`, `1MiB` to bytes. Raises ValueError, also beyond `SIZE_BYTES`."""
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a size with its unit, such as 512B, 4KiB or 1MiB")
    size = int(found[1]) * BYTES_PER[found[2]]
    SIZE_BYTES.check(size)
    return size


def size_text(size: int) -> str:
    """Bytes as a scenario file writes them, in the largest unit of which they are a whole number."""
    unit = next((unit for unit, factor in reversed(list(BYTES_PER.items())) if size and size % factor == 0), "B")
    return f"{size // BYTES_PER[unit]}{unit}"
