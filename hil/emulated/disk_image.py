"""Raw disk images with a partition table and ext4 or ext2 file systems, made by `mke2fs` without being root."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.simulator.contract.errors import BrokenBench

BLOCK_BYTES: Final = 512
MIB: Final = 1024 * 1024
LINUX_PARTITION: Final = 0x83
BOOTABLE: Final = 0x80
BUILT_AT_S: Final = "1700000000"
"""What the file systems say of when they were made: a constant, so that the same parts give the same bytes."""


class Partition(NamedTuple):
    """Where it lies; it gets a file system with `label` if that is not empty, holding what is in `content`."""

    begin_bytes: int
    size_bytes: int
    label: str = ""
    content: Path | None = None
    is_bootable: bool = False
    kind: str = "ext4"


def make_disk(path: Path, size_bytes: int, partitions: Sequence[Partition]) -> None:
    """Writes the image, sparse. Raises BrokenBench without e2fsprogs."""
    with path.open("wb") as disk:
        disk.truncate(size_bytes)
        disk.write(partition_table(partitions))
    for partition in partitions:
        if partition.label:
            _make_file_system(path, partition)


def partition_table(partitions: Sequence[Partition]) -> bytes:
    """A master boot record with up to four primary partitions."""
    entries = b"".join(
        struct.pack("<B3xB3xII", BOOTABLE * one.is_bootable, LINUX_PARTITION, *_blocks(one)) for one in partitions
    )
    return bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"


def _blocks(partition: Partition) -> tuple[int, int]:
    return partition.begin_bytes // BLOCK_BYTES, partition.size_bytes // BLOCK_BYTES


def _make_file_system(path: Path, partition: Partition) -> None:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    program = shutil.which("mke2fs", path=places)
    if program is None:
        raise BrokenBench("mke2fs is not there: apt-get install e2fsprogs")
    unique = f"00000000-0000-4000-8000-{partition.begin_bytes // BLOCK_BYTES:012x}"
    options = f"offset={partition.begin_bytes},hash_seed={unique},root_owner=0:0,lazy_itable_init=1"
    command = [program, "-q", "-F", "-t", partition.kind, "-L", partition.label, "-U", unique, "-E", options]
    if partition.content is not None:
        command += ["-d", str(partition.content)]
    command += [str(path), f"{partition.size_bytes // 1024}k"]
    ended = subprocess.run(
        command, env={**os.environ, "E2FSPROGS_FAKE_TIME": BUILT_AT_S}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise BrokenBench(f"mke2fs ended with {ended.returncode}: {ended.stderr.strip()}")
