"""Options that name what a command writes: tried before anything is done, by one rule for all of them.

A file's folder must be there. Only folders that are fleetrig's own (`--results`, `--trace` of several runs) are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fleetrig.harness.report.whole_file import check_folder, check_link, check_place, followed
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said

RESULTS: Final = Path("fleetrig-results")
"""Where commands leave what they write when nobody says where."""


def check_file(option: str, path: Path) -> None:
    """Raises UsageError when the file could not be written."""
    with _told(option, path):
        check_place(option, path)


def check_own_folder(option: str, path: Path) -> None:
    """For a folder that is made when it is needed. Raises UsageError when that, or writing into it, would fail."""
    with _told(option, path):
        check_link(option, path)
        if path.exists() and not path.is_dir():
            raise ValueError(f"{option} {path} is a file; give the name of a folder")
        check_folder(option, path, path if path.is_dir() else followed(path).parent)


def check_file_or_folder(option: str, path: Path, *, is_many: bool) -> None:
    """For a file, or a folder when there are several runs. Raises UsageError."""
    with _told(option, path):
        if is_many and path.exists() and not path.is_dir():
            raise ValueError(f"{option} {path} is a file, and there are several runs: give the name of a folder")
        is_folder = is_many or path.is_dir()
    (check_own_folder if is_folder else check_file)(option, path)


@contextmanager
def _told(option: str, path: Path) -> Iterator[None]:
    """What is wrong with a place is the user's mistake; a name that is too long cannot even be asked for."""
    try:
        yield
    except OSError as wrong:
        raise UsageError(f"{option} {shown_path(path)}: {system_said(wrong)}") from None
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
