"""Options that name what a command writes: tried before anything is done, by one rule for all of them.

A file's folder must be there. Only folders that are fleetrig's own (`--results`, `--trace` of several runs) are made.
"""

from __future__ import annotations

from pathlib import Path

from fleetrig.harness.report.whole_file import check_folder, check_place
from fleetrig.simulator.contract.errors import UsageError


def check_file(option: str, path: Path) -> None:
    """Raises UsageError when the file could not be written."""
    try:
        check_place(option, path)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None


def check_own_folder(option: str, path: Path) -> None:
    """For a folder that is made when it is needed. Raises UsageError when that, or writing into it, would fail."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{option} {path} is a file; give the name of a folder")
    try:
        check_folder(option, path, path if path.is_dir() else path.resolve().parent)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
