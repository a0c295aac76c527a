"""Where boards leave what outlives a command: disks of emulated ones, and what went over their lines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fleetrig.harness.run.private_files import make_private_folder


def board_folder(board: str, environ: Mapping[str, str] = os.environ) -> Path:
    """This user's folder for a board, made if it is not there: below `$XDG_STATE_HOME`, or `~/.local/state`."""
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", "/")) / ".local" / "state"
    folder = Path(base) / "fleetrig" / "boards" / board
    make_private_folder(folder)
    return folder
