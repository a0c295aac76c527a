"""Files and folders for their owner only, whatever the umask: traces and results tell of devices and credentials."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

FOR_OWNER: Final = 0o600
FOLDER_FOR_OWNER: Final = 0o700


def open_private(path: Path) -> TextIO:
    """Opens a file to be written anew. One that was there loses the rights of others; pipes and devices keep theirs.

    Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FOR_OWNER)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) and stat.S_IMODE(mode) != FOR_OWNER:
        with suppress(PermissionError):  # somebody else's file, who has let us write
            os.fchmod(descriptor, FOR_OWNER)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def make_private_folder(path: Path) -> None:
    """Makes a folder and those above it, where there is none. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER_FOR_OWNER)
