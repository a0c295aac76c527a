"""Takes in the body of a request, up to a limit and in a file when it is not small, or leaves it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from typing import Protocol

from fleetrig.reference_server.fronts.front import Limits
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.errors import system_said
from fleetrig.simulator.contract.http import Body, FileSlice


class Rejected(Exception):
    """A request that reaches no platform. `reason` is for the trace, never for the wire."""

    def __init__(self, status: int, reason: str, failed: StoreFailed | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.failed = failed
        """When it is not the request's fault."""


class BodyStopped(Exception):
    """Nothing more of a body came."""


class Gone(Exception):
    """The client left in the middle of its request."""


class BodySource(Protocol):
    """A body as it arrives (`RequestBody`)."""

    def is_eof(self) -> bool: ...

    def read_nowait(self) -> bytes: ...

    async def readany(self) -> bytes: ...


class Spool:
    """Collects one body. The file has no name, so that even `kill -9` leaves nothing behind."""

    def __init__(self, limits: Limits, at_most_bytes: int) -> None:
        self._limits = limits
        self._at_most_bytes = at_most_bytes
        self._length_bytes = 0
        self._blocks: list[bytes] = []
        self._file: FileIO | None = None

    def add(self, block: bytes) -> None:
        """Raises Rejected: 413 beyond the limit, 500 when the temporary folder takes no more."""
        self._length_bytes += len(block)
        if self._length_bytes > self._at_most_bytes:
            raise too_large(self._at_most_bytes)
        if self._file is None:
            self._blocks.append(block)
            if self._length_bytes <= self._limits.in_memory_bytes:
                return
            block = b"".join(self._blocks)
            self._blocks.clear()
        with _keeping():
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (closed by close)
            view = memoryview(block)
            while view:
                view = view[self._file.write(view) :]

    def body(self) -> Body:
        if self._file is None:
            return b"".join(self._blocks)
        return FileSlice(f"/proc/self/fd/{self._file.fileno()}", 0, self._length_bytes)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def _keeping() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        folder = f" in {tempfile.tempdir}" if tempfile.tempdir else ""
        said = f"cannot keep the body of a request{folder}: {system_said(problem)}, or set TMPDIR to another folder"
        raise Rejected(500, said, StoreFailed(said)) from problem


async def fill(spool: Spool, source: BodySource, idle_s: float) -> None:
    """Reads a body to its end. Raises BodyStopped when nothing comes for `idle_s`."""
    while not source.is_eof():
        try:
            async with asyncio.timeout(idle_s):
                spool.add(await source.readany())
        except TimeoutError:
            raise BodyStopped(f"the body stopped coming for {idle_s:g} s") from None
    spool.add(source.read_nowait())


def too_large(limit_bytes: int) -> Rejected:
    return Rejected(413, f"the body is larger than {limit_bytes} bytes, the most that this server takes")


async def swallow(source: BodySource, at_most_bytes: int, idle_s: float) -> bool:
    """Reads the rest of a body that nobody wants. False when it does not end in time, or is over the limit."""
    left_bytes = at_most_bytes
    while not source.is_eof():
        try:
            async with asyncio.timeout(idle_s):
                left_bytes -= len(await source.readany())
        except TimeoutError:
            return False
        if left_bytes < 0:
            return False
    return True
