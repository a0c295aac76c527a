"""How long a flash over a serial line will take, told before it begins. No I/O."""

from __future__ import annotations

from typing import Final

from fleetrig.hil.ports.pacing import BITS_PER_BYTE

BLOCK_BYTES: Final = 1024
FRAME_BYTES: Final = 5
"""What XMODEM-1K adds to each block: start, number twice, CRC."""
ANSWER_BYTES: Final = 1
LONG_S: Final = 300.0
"""Above this a board with a network is better flashed over it."""


def line_time_s(size_bytes: int, baud: int) -> float:
    """The least that XMODEM-1K takes on a line of that speed, each block answered by a byte."""
    blocks = -(-size_bytes // BLOCK_BYTES)
    return blocks * (BLOCK_BYTES + FRAME_BYTES + ANSWER_BYTES) * BITS_PER_BYTE / baud


def planned(size_bytes: int, baud: int) -> str:
    """`1.0 MiB at 115200 baud: at least 92 s`, and what would be faster where that is long."""
    time_s = line_time_s(size_bytes, baud)
    shown = f"{time_s:.0f} s" if time_s < LONG_S else f"{time_s / 60:.0f} min"
    size = f"{size_bytes / 1024**2:.1f} MiB" if size_bytes >= 1024**2 else f"{size_bytes / 1024:.1f} KiB"
    advice = "; a board with a network is flashed faster over it (`uboot_tftp`)" if time_s >= LONG_S else ""
    return f"{size} at {baud} baud: at least {shown}{advice}"
