"""Reading an image before any board is touched: its size, its hashes, and whether it is what was announced."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Final

from fleetrig.hil.flasher import Image
from fleetrig.simulator.contract.errors import UsageError, system_said

READ_BYTES: Final = 1024 * 1024


def read_image(path: Path, sha256: str = "") -> Image:
    """Reads it once. Raises UsageError: it is missing, empty, or has another hash than the announced one (hex)."""
    found, crc32, size_bytes = hashlib.sha256(), 0, 0
    try:
        with path.open("rb") as file:
            while block := file.read(READ_BYTES):
                found.update(block)
                crc32 = zlib.crc32(block, crc32)
                size_bytes += len(block)
    except OSError as error:
        raise UsageError(f"{path}: {system_said(error)}") from None
    if not size_bytes:
        raise UsageError(f"{path}: the image is empty")
    if sha256 and found.hexdigest() != sha256.lower():
        raise UsageError(
            f"{path}: expected SHA-256 {sha256.lower()}, it is {found.hexdigest()}: "
            "fetch the image again, or correct the hash"
        )
    return Image(path, size_bytes, found.hexdigest(), crc32)
