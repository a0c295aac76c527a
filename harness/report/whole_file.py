"""Files that are whole or as they were: written beside their place and put there at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from fleetrig.simulator.contract.errors import shown_path, system_said

DRAFT: Final = ".part"
AS_USUAL: Final = 0o666


def new_file(path: Path, mode: int) -> TextIO:
    """Opens a file that nobody else has: what lies there goes first, and a link put there meanwhile is not followed.

    Raises OSError.
    """
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    if mode != AS_USUAL:
        os.fchmod(descriptor, mode)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


@contextmanager
def whole_file(path: Path, mode: int = AS_USUAL) -> Iterator[TextIO]:
    """What is written inside the block replaces the file at its end; nothing is left of it if anything goes wrong.

    A link keeps leading where it did, and what is no file, such as `/dev/stdout`, is written as it is. `mode` is what
    the file gets; the usual one is narrowed by the umask. Raises OSError.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    goal = followed(path)
    draft = goal.with_name(goal.name + DRAFT)
    try:
        with new_file(draft, mode) as file:
            yield file
        draft.replace(goal)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def followed(path: Path) -> Path:
    """Where a path leads. `Path.resolve` fails on links that lead in a circle; here one of them comes back."""
    return Path(os.path.realpath(path))


def check_place(option: str, path: Path) -> None:
    """For a file that is written later. Raises ValueError with a sentence when that would fail.

    The folder is not made: a mistyped path would be taken for a wish. Tried by writing a little there, since rights
    alone do not tell whether a file system is full or can be written to at all.
    """
    if path.is_dir():
        raise ValueError(f"{option} {path} is a folder; give the name of a file")
    check_link(option, path)
    if path.exists() and not path.is_file():
        return
    if len(os.fsencode(path.name)) + len(DRAFT) > LONGEST_NAME_BYTES:
        raise ValueError(f"{option} {shown_path(path)}: File name too long")
    check_folder(option, path, followed(path).parent)


def check_link(option: str, path: Path) -> None:
    """Raises ValueError for a link that leads in a circle."""
    if followed(path).is_symlink():
        raise ValueError(f"{option} {path} is a link that leads in a circle; give another place")


def check_folder(option: str, path: Path, folder: Path) -> None:
    """The same for a folder in which files are made later; `path` is what the option said."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there: make that folder first"
        raise ValueError(f"{option} {path}: {folder} {what}")
    trial = folder / f".{path.name[:TRIAL_CHARACTERS]}{DRAFT}"
    try:
        try:
            with new_file(trial, AS_USUAL) as file:
                file.write("\0" * TRIAL_BYTES)
        finally:
            with suppress(OSError):
                trial.unlink()
    except OSError as wrong:
        raise ValueError(f"{option} {path}: nothing can be written to {folder} ({system_said(wrong)})") from None


TRIAL_CHARACTERS: Final = 100
LONGEST_NAME_BYTES: Final = 255
TRIAL_BYTES: Final = 4096
