"""Files that come together: all of them are there in the end, or none; and no file is ever overwritten.

Each is written into a folder beside its place and moved at the end, which a stop signal waits for. Private keys are for
their owner only from the first byte on. Paths are texts: for 20,000 files `Path` costs as much as signatures.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from fleetrig.harness.run.interrupts import finishing_first
from fleetrig.harness.run.private_files import FOR_OWNER, make_private_folder
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said

FOR_ALL: Final = 0o666
"""As far as the umask allows."""


class NewFiles:
    """New files of one folder, which is made, for its owner only, where there is none.

    with NewFiles(folder, names, "choose another folder with --out") as files:
        files.write("GW-1.pem", content)
        files.write("GW-1-key.pem", key, is_private=True)
        with files.put_in_place():
            ...   # what must not happen without them; if it fails, they are taken back
    """

    def __init__(self, folder: Path, names: Iterable[str], advice: str) -> None:
        """Raises UsageError, with the advice, for one that is there, and for a folder that cannot be one."""
        self._folder = folder
        self._names: dict[str, None] = {}
        self._made: list[Path] = []
        for name in names:
            if name in self._names:
                raise UsageError(f"two of the names want the same file {name}: choose other names")
            self._names[name] = None
            if os.path.lexists(f"{folder}/{name}"):
                raise UsageError(f"{shown_path(folder / name)} exists already, nothing was written; {advice}")

    def __enter__(self) -> Self:
        try:
            self._made = [one for one in (self._folder, *self._folder.parents) if not one.exists()]
            make_private_folder(self._folder)
            self._draft = tempfile.mkdtemp(prefix=".fleetrig-ca-", dir=self._folder)
        except OSError as wrong:
            self._remove_folders()
            if isinstance(wrong, FileExistsError):
                raise UsageError(f"{shown_path(wrong.filename)} is a file, and a folder is expected") from None
            raise UsageError(f"nothing can be written to {shown_path(self._folder)}: {system_said(wrong)}") from None
        return self

    def write(self, name: str, content: bytes, *, is_private: bool = False) -> None:
        """Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(f"{self._draft}/{name}", flags, FOR_OWNER if is_private else FOR_ALL), "wb") as file:
            file.write(content)

    @contextmanager
    def put_in_place(self) -> Iterator[None]:
        """Moves all files; a stop waits for the end of the block. Raises OSError, and then none of them is there."""
        moved: list[str] = []
        with finishing_first():
            try:
                for name in self._names:
                    goal = f"{self._folder}/{name}"
                    os.rename(f"{self._draft}/{name}", goal)  # noqa: PTH104
                    moved.append(goal)
                yield
            except BaseException:
                for path in moved:
                    Path(path).unlink(missing_ok=True)
                raise
        self._made = []

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)
        if kind is not None:
            self._remove_folders()

    def _remove_folders(self) -> None:
        """Those that were made here, as far as nobody else has put anything there."""
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()
