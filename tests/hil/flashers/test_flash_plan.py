"""What is told of a flash before it begins."""

from __future__ import annotations

import pytest

from fleetrig.hil.flashers.flash_plan import planned

FASTER = "; a board with a network is flashed faster over it (`uboot_tftp`)"


@pytest.mark.parametrize(
    ("size_bytes", "baud", "said"),
    [
        (1024, 115_200, "1.0 KiB at 115200 baud: at least 0 s"),
        (1024**2, 115_200, "1.0 MiB at 115200 baud: at least 92 s"),
        (16 * 1024**2, 115_200, "16.0 MiB at 115200 baud: at least 24 min" + FASTER),
        (16 * 1024**2, 1_500_000, "16.0 MiB at 1500000 baud: at least 113 s"),
    ],
    ids=["small", "1-MiB", "16-MiB", "fast-line"],
)
def test_it_is_told_how_long_the_line_takes(size_bytes: int, baud: int, said: str) -> None:
    assert planned(size_bytes, baud) == said
