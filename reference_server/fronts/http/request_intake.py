"""Takes in a request: its body, up to a limit and in a file when it is not small, and the origin of its links."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import FileIO
from typing import Final, Protocol

from fleetrig.reference_server.fronts.front import Limits
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.errors import system_said
from fleetrig.simulator.contract.http import Body, FileSlice, split_url

MAX_LINE_BYTES: Final = 8190
"""Of the request line's target, and of a header with its name."""
MAX_HEADERS: Final = 100

HOST: Final = re.compile(r"(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""`Host` as RFC 9110 §7.2 has it: a name or an address, and perhaps a port."""


class Rejected(Exception):
    """A request that reaches no platform. `reason` is for the trace, never for the wire."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Gone(Exception):
    """The client left in the middle of its request."""


class BodySource(Protocol):
    """A body as it arrives (aiohttp's StreamReader)."""

    def is_eof(self) -> bool: ...

    def read_nowait(self, n: int = -1) -> bytes: ...

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
        """Raises Rejected(413) beyond the limit, StoreFailed when the temporary folder takes no more."""
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
        raise StoreFailed(said) from problem


async def fill(spool: Spool, source: BodySource, idle_s: float) -> None:
    """Reads a body to its end. Raises Rejected(408) when nothing comes for `idle_s`."""
    while not source.is_eof():
        try:
            async with asyncio.timeout(idle_s):
                spool.add(await source.readany())
        except TimeoutError:
            raise Rejected(408, f"the body stopped coming for {idle_s:g} s") from None
    spool.add(source.read_nowait())


def too_large(limit_bytes: int) -> Rejected:
    return Rejected(413, f"the body is larger than {limit_bytes} bytes, the most that this server takes")


@lru_cache(maxsize=256)
def origin_of(scheme: str, host: str, port: int) -> str:
    """Scheme and authority that links are made from; without a `Host` (HTTP/1.0) it is ours. Raises Rejected(400)."""
    if not host:
        return f"{scheme}://localhost:{port}"
    if not HOST.fullmatch(host):
        raise Rejected(400, f"the Host header {host[:100]!r} is no host")
    return f"{scheme}://{host}"


def absolute(target: str) -> tuple[str, str]:
    """Origin and target of a request line with a whole URL in it (RFC 9112 §3.2.2). Raises Rejected(400)."""
    try:
        return split_url(target)
    except ValueError as error:
        raise Rejected(400, str(error)) from error
