"""The errors fleetrig raises itself, by whose mistake it is. What a peer does wrong is a Finding, never an exception.

FleetrigError
  UsageError    our caller's: a wrong option, file or value           exit 4
  NoSuchId      an id, prefix or tag that selects nothing             exit 5, as when nothing was judged
  BrokenBench   the bench's: unreachable, port in use, credentials    exit 3
  ModelError    ours: a bug                                           exit 70, with the request to report it
"""

from __future__ import annotations

import errno
import os
from typing import Final


class FleetrigError(Exception):
    """`str()` is one sentence a user can act on; no traceback is shown without --debug."""

    exit_code = 70


class UsageError(FleetrigError):
    exit_code = 4


class NoSuchId(UsageError):
    exit_code = 5


class BrokenBench(FleetrigError):
    exit_code = 3


class ModelError(FleetrigError):
    exit_code = 70


ADVICE: Final = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "the quota is used up: make room, or have it raised",
    errno.EFBIG: "the size of files is limited: see `ulimit -f`",
    errno.EMFILE: "this process may open no more files: see `ulimit -n`",
    errno.ENFILE: "this machine may open no more files: close programs, or raise fs.file-max",
    errno.EROFS: "that file system is read-only: give another place",
    errno.EACCES: "check the rights of file and folder",
    errno.EPERM: "check the rights of file and folder",
    errno.EIO: "the disk fails: check it, and give another place",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ENOENT: "check the path; folders must be there",
    errno.ENOTDIR: "check the path: a part of it is a file, not a folder",
    errno.EISDIR: "give the name of a file",
    errno.EEXIST: "choose another name",
    errno.ELOOP: "its links lead in a circle",
    errno.ECONNREFUSED: "nobody listens there",
    errno.ECONNRESET: "the other side broke it off",
    errno.EHOSTUNREACH: "is the address right, and the network up?",
    errno.ENETUNREACH: "is the address right, and the network up?",
    errno.ETIMEDOUT: "nobody answers there",
    errno.EADDRINUSE: "another program listens there; stop it, or choose another port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}
"""What to do about what the operating system said."""

MOST_SHOWN_CHARS: Final = 200


def system_said(error: OSError) -> str:
    """`No space left on device: make room on that disk`: what went wrong around us, and what to do about it."""
    if said := tls_said(error):
        return said
    advice = ADVICE.get(error.errno or 0, "")
    said = error.strerror or str(error) or type(error).__name__
    return f"{said}: {advice}" if advice else said


def tls_said(error: OSError) -> str:
    """What TLS has against the other side, without the name and line of a source file; empty for other errors."""
    if why := getattr(error, "verify_message", ""):
        return f"the certificate is not trusted: {why}"
    reason = getattr(error, "reason", None)
    return f"TLS: {reason.replace('_', ' ').lower()}" if isinstance(reason, str) else ""


def broken_environment(error: OSError) -> BrokenBench:
    """For an error of the system that nobody has foreseen where it came up: it is no bug of ours either."""
    name = error.filename
    where = f"{shown_path(name)}: " if isinstance(name, str | bytes | os.PathLike) else ""
    return BrokenBench(where + system_said(error))


def shown_path(path: str | bytes | os.PathLike[str]) -> str:
    """A path as a sentence may hold it: names of thousands of characters are cut in the middle."""
    text = os.fsdecode(path)
    half = MOST_SHOWN_CHARS // 2
    return text if len(text) <= MOST_SHOWN_CHARS else f"{text[:half]}…{text[-half:]}"
