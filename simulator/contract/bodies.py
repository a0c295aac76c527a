"""Reading bodies block by block. The one module of the contract that opens files: both ends of a wire stream."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.http import Body, BodyPart, FileSlice, Repeated, parts_of

BLOCK_BYTES: Final = 64 * 1024
HASHES: Final = ("sha1", "md5", "sha256")
"""What update servers name of a file."""


def body_blocks(body: Body) -> Iterator[bytes]:
    """The bytes of a body in order, in blocks of at most `BLOCK_BYTES` where they do not lie in memory already."""
    for part in parts_of(body):
        match part:
            case FileSlice():
                yield from _file_blocks(part)
            case Repeated():
                yield from _repeated_blocks(part)
            case _ if part:
                yield part


def body_bytes(body: Body) -> bytes:
    """The whole body in memory: only for bodies known to be small."""
    return body if isinstance(body, bytes) else b"".join(body_blocks(body))


class Hashing:
    """The hashes of `HASHES` over bytes that come one after another; a `Repeated` by itself costs them once."""

    __slots__ = ("_made", "_running")

    def __init__(self) -> None:
        self._made: Repeated | None = None
        """All that has come, while that is one `Repeated`."""
        self._running: list[hashlib._Hash] = []

    def add(self, part: BodyPart) -> None:
        if isinstance(part, Repeated) and (joined := self._joined(part)) is not None:
            self._made = joined
            return
        if not self._running:
            self._running = [hashlib.new(name, usedforsecurity=False) for name in HASHES]
            made, self._made = self._made, None
            if made is not None:
                self._read(made)
        self._read(part)

    def hexdigests(self) -> Mapping[str, str]:
        """Lower-case hex by name, of everything so far."""
        if self._made is not None:
            return hashes_of(self._made)
        running = self._running or [hashlib.new(name, usedforsecurity=False) for name in HASHES]
        return {name: one.hexdigest() for name, one in zip(HASHES, running, strict=True)}

    def _joined(self, part: Repeated) -> Repeated | None:
        """What has come and `part` as one; None when they do not follow on each other."""
        made = self._made
        if self._running:
            return None
        if made is None:
            return part
        follows = made.block == part.block and made.offset_bytes + made.length_bytes == part.offset_bytes
        return Repeated(made.block, made.offset_bytes, made.length_bytes + part.length_bytes) if follows else None

    def _read(self, part: BodyPart) -> None:
        for block in body_blocks(part):
            for one in self._running:
                one.update(block)


@lru_cache(maxsize=64)
def hashes_of(part: Repeated) -> Mapping[str, str]:
    """Computed once for each, about 4 s for a GiB, however many devices download it."""
    running = [hashlib.new(name, usedforsecurity=False) for name in HASHES]
    for block in _repeated_blocks(part):
        for one in running:
            one.update(block)
    return {name: one.hexdigest() for name, one in zip(HASHES, running, strict=True)}


def _file_blocks(part: FileSlice) -> Iterator[bytes]:
    """Ends early if the file is shorter than the slice promises."""
    with Path(part.path).open("rb") as file:
        file.seek(part.offset_bytes)
        left = part.length_bytes
        while left > 0 and (block := file.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block


def _repeated_blocks(part: Repeated) -> Iterator[bytes]:
    """The same block again and again, but for the first and the last one."""
    whole = part.block * max(1, BLOCK_BYTES // len(part.block))
    at, left = part.offset_bytes % len(part.block), part.length_bytes
    while left > 0:
        block = whole[at : at + left] if at or left < len(whole) else whole
        left -= len(block)
        at = 0
        yield block
