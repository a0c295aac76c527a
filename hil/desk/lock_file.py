"""A file that one holder has at a time, and that says who. The kernel takes it from a holder that dies in whatever way.

An OFD lock rather than flock: it can be asked about without being taken, so that looking never makes a taker fail.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench, shown_path, system_said

FLOCK: Final = "hhqqi4x"
"""`struct flock`: type, whence, start, length, pid."""
CONTENT_LIMIT_BYTES: Final = 4_096
SHARED_MODE: Final = 0o666
"""Several users share a desk, whatever their umask says."""


def _flock(kind: int) -> bytes:
    return struct.pack(FLOCK, kind, os.SEEK_SET, 0, 0, 0)


def shared_folder(folder: Path) -> None:
    """Makes it, for all users of this machine. Raises BrokenBench."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
    except OSError as error:
        raise BrokenBench(f"{shown_path(folder)}: {system_said(error)}") from None


def open_shared(path: Path, flags: int) -> int:
    """A descriptor of a file that all users may write; no link is followed, since anyone may write into the folder.

    Raises BrokenBench.
    """
    try:
        with suppress(FileNotFoundError):
            return os.open(path, flags | os.O_NOFOLLOW)
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CREAT, SHARED_MODE)
        with suppress(PermissionError):  # another user made it in this moment
            os.fchmod(descriptor, SHARED_MODE)
        return descriptor
    except OSError as error:
        raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None


class LockFile:
    """Held from `take` to `release`. Its content outlives a holder that was killed: the next one can tell."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> LockFile | None:
        """None when somebody else has it, in this process or another. Raises BrokenBench."""
        descriptor = open_shared(path, os.O_RDWR)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None
        return cls(path, descriptor)

    def read(self) -> bytes:
        return os.pread(self._descriptor, CONTENT_LIMIT_BYTES, 0)

    def write(self, content: bytes) -> None:
        """Replaces the content. Raises BrokenBench."""
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, content, 0)
        except OSError as error:
            raise BrokenBench(f"{shown_path(self.path)}: {system_said(error)}") from None

    def release(self) -> None:
        """The content goes first, so that nobody is named who has let go. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def held_content(path: Path) -> bytes | None:
    """What the holder wrote, perhaps nothing yet; None when nobody has it. Does not take it. Raises BrokenBench."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _flock(fcntl.F_RDLCK))
        if struct.unpack(FLOCK, answer)[0] == fcntl.F_UNLCK:
            return None
        return os.pread(descriptor, CONTENT_LIMIT_BYTES, 0)
    finally:
        os.close(descriptor)
