"""The two container formats of the emulated gateway's boot: cpio for the kernel, and U-Boot's own header. Bytes only.

Sources: the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`, U-Boot's `include/image.h`.
"""

from __future__ import annotations

import gzip
import stat
import struct
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

UBOOT_MAGIC: Final = 0x2705_1956
OS_LINUX, ARCH_ARM64, NO_COMPRESSION = 5, 22, 0
MULTI: Final = 4
SCRIPT: Final = 6
TYPES: Final = (MULTI, SCRIPT)


class ArchiveEntry(NamedTuple):
    """A file, a link (`data` is where it leads) or a folder in an archive."""

    data: bytes = b""
    mode: int = stat.S_IFREG | 0o644


FOLDER: Final = ArchiveEntry(mode=stat.S_IFDIR | 0o755)


def program(data: bytes) -> ArchiveEntry:
    return ArchiveEntry(data, stat.S_IFREG | 0o755)


def cpio(entries: Mapping[str, ArchiveEntry]) -> bytes:
    """An archive in the format `newc`, all of root, without times: the same entries give the same bytes."""
    parts = [_cpio_entry(number, name, entry) for number, (name, entry) in enumerate(entries.items(), 1)]
    return b"".join([*parts, _cpio_entry(0, "TRAILER!!!", ArchiveEntry(mode=0))])


def _cpio_entry(number: int, name: str, entry: ArchiveEntry) -> bytes:
    named = name.encode() + b"\0"
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(named), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields)
    return _padded(head + named, 4) + _padded(entry.data, 4)


def _padded(data: bytes, to_bytes: int) -> bytes:
    return data + bytes(-len(data) % to_bytes)


def compressed(archive: bytes) -> bytes:
    return gzip.compress(archive, 9, mtime=0)


def uboot_image(kind: int, name: str, data: bytes) -> bytes:
    """One part behind a header with sizes and CRCs, which U-Boot checks before it uses it: MULTI or SCRIPT."""
    body = struct.pack(">II", len(data), 0) + data
    numbers = (0, len(body), 0, 0, zlib.crc32(body), OS_LINUX, ARCH_ARM64, kind, NO_COMPRESSION)
    titled = name.encode()[:32].ljust(32, b"\0")
    blank = struct.pack(">7I4B", UBOOT_MAGIC, 0, *numbers) + titled
    return struct.pack(">7I4B", UBOOT_MAGIC, zlib.crc32(blank), *numbers) + titled + body
