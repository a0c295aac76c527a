"""What makes one emulated U-Boot another than the next: its environment, with MAC and serial number, in NOR flash.

Debian's U-Boot looks for it at the start of the second bank; what it is without one is read from its own image.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

ENVIRONMENT_BYTES: Final = 0x4_0000
ENVIRONMENT_AT: Final = 0x400_0000
"""Where the second bank begins."""
FIRST: Final = b"\0bootcmd="
"""The first variable of a default environment without boot arguments."""


def default_environment(uboot: bytes) -> dict[str, str]:
    """The variables that are built into an image of U-Boot. Raises BrokenBench when there are none."""
    begin = uboot.find(FIRST) + 1
    end = uboot.find(b"\0\0", begin)
    if not begin or end < 0:
        raise BrokenBench("this U-Boot has no environment of its own: fleetrig knows the one of Debian's u-boot-qemu")
    pairs = (pair.decode("ascii", "replace").partition("=") for pair in uboot[begin:end].split(b"\0"))
    return {name: value for name, is_pair, value in pairs if is_pair}


def environment_image(variables: Mapping[str, str]) -> bytes:
    """As it lies in flash: CRC-32, then the pairs, each ended by a zero byte."""
    text = b"".join(f"{name}={value}".encode() + b"\0" for name, value in variables.items())
    filled = text.ljust(ENVIRONMENT_BYTES - 4, b"\0")
    if len(filled) + 4 > ENVIRONMENT_BYTES:
        raise BrokenBench(f"U-Boot's environment holds {ENVIRONMENT_BYTES} bytes, these are {len(filled) + 4}")
    return zlib.crc32(filled).to_bytes(4, "little") + filled


def write_environment(path: Path, uboot: Path, own: Mapping[str, str]) -> None:
    """Makes the environment of a board that has `own` (`ethaddr`, `serial#`) above what is built in."""
    path.write_bytes(environment_image(default_environment(uboot.read_bytes()) | dict(own)))
