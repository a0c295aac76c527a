"""Why a file cannot be read, for whoever named it: what is there instead, and the nearest name."""

from __future__ import annotations

import errno
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import system_said
from fleetrig.simulator.contract.unreadable import why_no_text

LOOKED_AT: Final = 1_000
"""So many names of a folder are looked at for a near one."""


def why_unread(path: Path, error: OSError | ValueError) -> str:
    """`there is no such file; did you mean units.csv?`, to be put after `cannot read units.cvs: `."""
    match error:
        case OSError(errno=errno.ENOENT):
            return _nothing_there(path)
        case OSError(errno=errno.ENOTDIR):
            return "a part of the path is a file, not a folder"
        case OSError(errno=errno.EISDIR):
            return "it is a folder, and a file is expected"
        case OSError(errno=errno.ELOOP):
            return "its links lead in a circle"
        case OSError(errno=errno.EACCES | errno.EPERM):
            return "this user may not read it: check the rights of file and folder"
        case UnicodeDecodeError():
            return why_no_text(error)
        case OSError(errno=errno.EFBIG):
            return error.strerror or str(error)  # it has more bytes than a bound of ours allows
        case OSError():
            return system_said(error)
        case _:
            return str(error)


def _nothing_there(path: Path) -> str:
    if path.is_symlink():
        return "it is a link to a file that is not there"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    near = _near(path)
    return "there is no such file" + (f"; did you mean {near}?" if near else "")


def _near(path: Path) -> str:
    try:
        names = [one.name for one in islice(path.parent.iterdir(), LOOKED_AT)]
    except OSError:
        return ""
    found = get_close_matches(path.name, names, n=1, cutoff=0.7)
    return str(path.parent / found[0]) if found else ""
