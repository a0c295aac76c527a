"""Where U-Boot writes an image to, as the commands that are typed for it. No I/O.

Numbers are hexadecimal, as U-Boot takes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

BLOCK_BYTES: Final = 512
SECTOR_BYTES: Final = 128 * 1024
"""Of most NOR flash, parallel or at SPI, it is this or a part of it."""
CAPACITY: Final = re.compile(r"\((\d+) x (\d+)\)")
"""`Capacity: 64.0 MB = 0.0 GB (131072 x 512)`, as `virtio info` says."""

SF_PROBE: Final = ("sf probe",)


class ReadBack(NamedTuple):
    """What to type so that what was written can be read in memory, and where it lies then."""

    commands: tuple[str, ...]
    address: int


class UbootStorage(Protocol):
    """`at` and `size_bytes` count from the place where the image begins."""

    @property
    def title(self) -> str: ...

    @property
    def unit_bytes(self) -> int:
        """Pieces begin at multiples of it."""

    @property
    def prepare(self) -> tuple[str, ...]:
        """What has to be typed before anything else, each time the board has started."""

    @property
    def asks_capacity(self) -> str:
        """A command whose answer may say it; empty where there is none."""

    def room_bytes(self, answer: str) -> int | None:
        """How much fits from the image's place on, as the answer to `asks_capacity` says; None when it does not."""

    def write(self, ram: int, at: int, size_bytes: int) -> tuple[str, ...]: ...

    def read(self, ram: int, at: int, size_bytes: int) -> ReadBack: ...


@dataclass(frozen=True, slots=True)
class BlockStorage:
    """U-Boot's command for it (`virtio`, `mmc`), what has to be typed before, and the image's first block."""

    command: str = "virtio"
    prepare: tuple[str, ...] = ("virtio scan",)
    first_block: int = 0x800

    unit_bytes = BLOCK_BYTES

    @property
    def title(self) -> str:
        return self.command

    @property
    def asks_capacity(self) -> str:
        return f"{self.command} info"

    def room_bytes(self, answer: str) -> int | None:
        found = CAPACITY.search(answer)
        return int(found[1]) * int(found[2]) - self.first_block * BLOCK_BYTES if found else None

    def write(self, ram: int, at: int, size_bytes: int) -> tuple[str, ...]:
        return (f"{self.command} write {ram:x} {self._blocks(at, size_bytes)}",)

    def read(self, ram: int, at: int, size_bytes: int) -> ReadBack:
        return ReadBack((f"{self.command} read {ram:x} {self._blocks(at, size_bytes)}",), ram)

    def _blocks(self, at: int, size_bytes: int) -> str:
        return f"{self.first_block + at // BLOCK_BYTES:x} {-(-size_bytes // BLOCK_BYTES):x}"


VIRTIO: Final = BlockStorage()


@dataclass(frozen=True, slots=True)
class NorStorage:
    """Parallel NOR flash, read where it lies. `room` is how much may be erased from `address` on."""

    address: int
    room: int
    prepare: tuple[str, ...] = ()
    unit_bytes: int = SECTOR_BYTES
    """A sector: the least that can be erased."""

    title = "NOR flash"
    asks_capacity = ""

    def room_bytes(self, answer: str) -> int | None:
        del answer
        return self.room

    def write(self, ram: int, at: int, size_bytes: int) -> tuple[str, ...]:
        """Whole sectors are erased. Erasing protected ones only warns; what is written then fails."""
        place = self.address + at
        return f"erase {place:x} +{size_bytes:x}", f"cp.b {ram:x} {place:x} {size_bytes:x}"

    def read(self, ram: int, at: int, size_bytes: int) -> ReadBack:
        del ram, size_bytes
        return ReadBack((), self.address + at)


@dataclass(frozen=True, slots=True)
class SpiNorStorage:
    """NOR flash behind SPI, by U-Boot's `sf`. `room` is how much may be erased from `offset` on."""

    offset: int
    room: int
    prepare: tuple[str, ...] = SF_PROBE
    unit_bytes: int = SECTOR_BYTES

    title = "SPI NOR flash"
    asks_capacity = ""

    def room_bytes(self, answer: str) -> int | None:
        del answer
        return self.room

    def write(self, ram: int, at: int, size_bytes: int) -> tuple[str, ...]:
        """`+` has U-Boot round up to whole sectors."""
        place = self.offset + at
        return f"sf erase {place:x} +{size_bytes:x}", f"sf write {ram:x} {place:x} {size_bytes:x}"

    def read(self, ram: int, at: int, size_bytes: int) -> ReadBack:
        return ReadBack((f"sf read {ram:x} {self.offset + at:x} {size_bytes:x}",), ram)
