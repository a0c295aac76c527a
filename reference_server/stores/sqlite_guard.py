"""Notices that the file under an open store was deleted, replaced or changed: SQLite would write on into nothing.

Only asks for what the folder says of the files: to open and close them here would drop SQLite's lock
(https://www.sqlite.org/howtocorrupt.html §2.2).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.errors import shown_path

KEPT_NOTHING: Final = "nothing of this request was kept"
UNTIL_THEN: Final = "until then nothing is kept"


class _Seen(NamedTuple):
    """A file as it was left: nobody but us writes it."""

    device: int
    number: int
    size_bytes: int
    modified_ns: int


class FileGuard:
    """Call `note` after each transaction and `check` before the next."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()  # the working folder may change
        self._log = Path(f"{self._path}-wal")
        self._names = str(self._path), str(self._log)
        self.note()

    def note(self) -> None:
        self._seen, self._seen_log = map(_seen, self._names)

    def check(self) -> None:
        """Raises StoreFailed. A file that was moved away and back is the same again."""
        self._compare(self._path, self._seen)
        if self._seen_log is not None:
            self._compare(self._log, self._seen_log)

    def _compare(self, path: Path, before: _Seen | None) -> None:
        now = _seen(str(path))
        if now is None or before is None:
            raise StoreFailed(
                f"the store's file {shown_path(path)} was deleted or moved away while it was in use: put it back, or"
                f" stop the server and begin anew; {UNTIL_THEN}"
            )
        if now != before:
            is_other = (now.device, now.number) != (before.device, before.number)
            how = "replaced by another" if is_other else "changed by another program"
            raise StoreFailed(
                f"the store's file {shown_path(path)} was {how} while it was in use: stop the server, put the right one"
                f" in its place and start again; {UNTIL_THEN}"
            )


def _seen(path: str) -> _Seen | None:
    try:
        status = os.stat(path)  # noqa: PTH116 (for each write: half of what it takes through pathlib)
    except OSError:
        return None
    return _Seen(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
