"""A device's download area: how much of each file it has, and the hashes so far. The bytes themselves are not kept.

A simulated device installs nothing, so a thousand devices may download the same image without a thousand copies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

NAMES: Final = ("sha1", "md5", "sha256")


@dataclass(slots=True)
class StoredFile:
    """One file being downloaded; `take` appends."""

    stored_bytes: int = 0
    _hashes: list[hashlib._Hash] = field(default_factory=lambda: [hashlib.new(name) for name in NAMES])

    def take(self, block: bytes) -> None:
        self.stored_bytes += len(block)
        for running in self._hashes:
            running.update(block)

    def hashes(self) -> Mapping[str, str]:
        """Of everything stored so far, lower-case hex by name."""
        return {name: running.hexdigest() for name, running in zip(NAMES, self._hashes, strict=True)}


class Storage:
    """The files of one bench, by device and name."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], StoredFile] = {}

    def open(self, serial: str, name: str, from_byte: int, status: int) -> StoredFile:
        """The file to append to: the old one for a 206 that goes on exactly where it ends, else a new one (V17)."""
        known = self._files.get((serial, name))
        if status == 206 and known is not None and known.stored_bytes == from_byte:
            return known
        fresh = self._files[serial, name] = StoredFile()
        return fresh
