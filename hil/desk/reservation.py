"""Who may use a board: one lock per board's name, shared by all users and processes of a machine.

    gw-1.lock            held while the board is used; says by whom
    gw-1.history.jsonl   every use, its beginning and its end
    gw-1.out-of-service  a sentence for the next one

A holder that dies, by `kill -9` too, holds nothing any more. Nothing here ever waits.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.hil.desk.board_use import (
    Owner,
    Use,
    shown_time,
    this_process,
    use_from_json,
    use_to_json,
    without_secrets,
)
from fleetrig.hil.desk.lock_file import LockFile, held_content, open_shared, shared_folder
from fleetrig.hil.port import PortBusy
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, shown_path, system_said

DESK_FOLDER: Final = Path("/var/tmp/fleetrig-desk")
"""`/run/lock` is empty after a restart of the machine: a board that is out of service would be in service again."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Board names, since they name files here."""
HISTORY_LIMIT_BYTES: Final = 256 * 1024
"""More than a thousand uses; then the older half is forgotten."""


class OutOfService(BrokenBench):
    """Somebody took the board out of service; the sentence says who, when and why."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Why nobody may use a board, who says so, and since when (microseconds since 1970)."""

    sentence: str
    user: str
    since_us: int


class Reservations:
    """The boards of one desk. `folder` is the same for everybody who shares it."""

    def __init__(self, folder: Path, clock: Clock, whoami: Callable[[], Owner] = this_process) -> None:
        self._folder = folder
        self._clock = clock
        self._whoami = whoami

    @contextmanager
    def held(self, board: str, command: str, until_us: int = 0) -> Iterator[Use]:
        """Has the board to itself meanwhile. `command` says what for (`board flash`), `until_us` when it should end.

        Raises PortBusy at once when somebody has it, OutOfService, UsageError (no board's name), BrokenBench.
        """
        lock = LockFile.take(self._path(board, "lock"))
        if lock is None:
            raise PortBusy(self._busy(board))
        try:
            if (outage := self.out_of_service(board)) is not None:
                raise OutOfService(_why_not(board, outage))
            use = Use(board, self._whoami(), without_secrets(command), self._clock.now_us(), until_us)
            lock.write(use_to_json(use).encode())
            self._append(board, use)
            try:
                yield use
            finally:
                self._append(board, use.at(self._clock.now_us()))
        finally:
            lock.release()

    def who(self, board: str) -> Use | None:
        """Who has it now; None when it is free. Raises UsageError, BrokenBench."""
        content = held_content(self._path(board, "lock"))
        if content is None:
            return None
        return use_from_json(content) or Use(board, Owner("somebody", "this machine", 0), "just taken", 0)

    def history(self, board: str) -> list[Use]:
        """Every use that is remembered, the oldest first. One without an end is still going on, or was killed."""
        uses: dict[tuple[Owner, int], Use] = {}
        for line in self._history(board).splitlines():
            if (use := use_from_json(line)) is not None:
                uses[use.owner, use.since_us] = use
        return list(uses.values())

    def put_out_of_service(self, board: str, sentence: str) -> None:
        """From now on nobody gets it; who has it keeps it. Raises UsageError without a sentence, BrokenBench."""
        said = without_secrets(sentence)
        if not said:
            raise UsageError(f"say why {board} is out of service, for the next one who wants it")
        outage = {"sentence": said, "user": self._whoami().user, "since_us": self._clock.now_us()}
        self._replace(self._path(board, "out-of-service"), json.dumps(outage, ensure_ascii=False).encode())

    def put_in_service(self, board: str) -> None:
        """Raises UsageError when it is in service already, so that a misspelt name is noticed."""
        try:
            self._path(board, "out-of-service").unlink()
        except FileNotFoundError:
            raise UsageError(f"{board} is not out of service") from None
        except OSError as error:
            raise BrokenBench(f"{shown_path(self._folder)}: {system_said(error)}") from None

    def out_of_service(self, board: str) -> Outage | None:
        path = self._path(board, "out-of-service")
        try:
            return Outage(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None
        except (ValueError, TypeError):
            return Outage(f"{path.name} cannot be read: somebody wrote it by hand", "somebody", 0)

    def _busy(self, board: str) -> str:
        use = self.who(board)
        if use is None:  # it has just become free
            return f"{board} was busy a moment ago: try again"
        return f"{board} is busy: {use}"

    def _path(self, board: str, what: str) -> Path:
        if not NAME.fullmatch(board):
            raise UsageError(f"{board!r} is no board's name: expected letters, digits and ._-, at most 100")
        shared_folder(self._folder)
        return self._folder / f"{board}.{what}"

    def _history(self, board: str) -> bytes:
        path = self._path(board, "history.jsonl")
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None

    def _append(self, board: str, use: Use) -> None:
        """Only the board's holder writes its history."""
        path = self._path(board, "history.jsonl")
        earlier = self._history(board)
        if len(earlier) > HISTORY_LIMIT_BYTES:
            kept = earlier[-HISTORY_LIMIT_BYTES // 2 :].partition(b"\n")[2]
            self._replace(path, kept)
            earlier = kept
        # A line that was torn by a power cut must not take the next one with it.
        line = b"" if earlier.endswith(b"\n") or not earlier else b"\n"
        self._write(path, line + use_to_json(use).encode() + b"\n", os.O_WRONLY | os.O_APPEND)

    def _replace(self, path: Path, content: bytes) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            draft.unlink()
        self._write(draft, content, os.O_WRONLY)
        try:
            draft.replace(path)
        except OSError as error:
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None

    def _write(self, path: Path, content: bytes, flags: int) -> None:
        descriptor = open_shared(path, flags)
        try:
            os.write(descriptor, content)
        except OSError as error:
            raise BrokenBench(f"{shown_path(path)}: {system_said(error)}") from None
        finally:
            os.close(descriptor)


def _why_not(board: str, outage: Outage) -> str:
    return (
        f"{board} is out of service since {shown_time(outage.since_us)}: {outage.sentence} (says {outage.user}); "
        f"`fleetrig board in-service {board}`, with the same --bench and --desk, when that is repaired"
    )
