"""Reading bodies block by block. The one module of the contract that opens files: both ends of a wire stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.http import Body, FileSlice

BLOCK_BYTES: Final = 64 * 1024


def body_blocks(body: Body) -> Iterator[bytes]:
    """The bytes of a body in order, in blocks of at most `BLOCK_BYTES` where it lies in a file."""
    for part in body if isinstance(body, tuple) else (body,):
        if isinstance(part, FileSlice):
            yield from _file_blocks(part)
        elif part:
            yield part


def body_bytes(body: Body) -> bytes:
    """The whole body in memory: only for bodies known to be small."""
    return body if isinstance(body, bytes) else b"".join(body_blocks(body))


def _file_blocks(part: FileSlice) -> Iterator[bytes]:
    """Ends early if the file is shorter than the slice promises."""
    with Path(part.path).open("rb") as file:
        file.seek(part.offset_bytes)
        left = part.length_bytes
        while left > 0 and (block := file.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block
