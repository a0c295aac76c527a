"""The folder of unit records: one file for each attempt, whole at every moment, and no serial or MAC given twice.

    records/SN-0001/1.json   attempt 1      claims/mac/52:54:00:12:34:56 -> SN-0001

A claim is made with O_EXCL, so that benches that share the folder cannot both have it. A record is there before the
board is touched: who dies under it leaves one that says `unfinished`.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fleetrig.hil.unit_record import UnitIdentity, UnitRecord, UnitVerdict
from fleetrig.hil.unit_record_json import record_from_json, record_to_json
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
"""What a serial number and a MAC may hold, since they name files."""


class UnitRefused(UsageError):
    """This unit must not be made (again); nothing was written to the board."""


class UnitRecords:
    """Safe for several boards, processes and benches at once, as long as the folder is on one file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def attempt(self, identity: UnitIdentity, *, again: bool = False) -> Iterator[int]:
        """Holds the unit and gives the number of this attempt. `again` allows one for a unit that has passed.

        Raises UnitRefused: its serial or MAC belongs to another, it has passed, or somebody is at it right now.
        """
        for what, value in (("serial number", identity.serial), ("MAC", identity.mac or "none")):
            if not NAME.fullmatch(value):
                raise UsageError(f"{value!r} is no {what}: expected letters, digits and ._:-, at most 100")
        try:
            with self._held(identity.serial):
                self._check_pair(identity)
                earlier = self.of(identity.serial)
                passed = next((one for one in earlier if one.verdict is UnitVerdict.PASSED), None)
                if passed is not None and not again:
                    raise UnitRefused(
                        f"{identity.serial} has passed already, as attempt {passed.attempt} on {passed.board} of "
                        f"{passed.station}: take the next unit, or say --again"
                    )
                yield max((one.attempt for one in earlier), default=0) + 1
        except OSError as error:
            raise BrokenBench(f"{self._folder}: {system_said(error)}") from None

    def of(self, serial: str) -> list[UnitRecord]:
        """All attempts of a unit, the first one first. Raises BrokenBench for a file that is no record."""
        return [self._read(path) for path in sorted(self._of(serial).glob("*.json"), key=lambda path: int(path.stem))]

    def write(self, record: UnitRecord) -> None:
        """Replaces the attempt's file; after it returns, the record survives a power cut of this machine."""
        path = self._of(record.identity.serial) / f"{record.attempt}.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".part")
            with draft.open("w", encoding="utf-8") as file:
                file.write(record_to_json(record))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise BrokenBench(f"{path}: {system_said(error)}") from None

    def _of(self, serial: str) -> Path:
        return self._folder / "records" / serial

    @contextmanager
    def _held(self, serial: str) -> Iterator[None]:
        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / serial).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UnitRefused(
                    f"{serial} is being made on another board right now: two boards show one serial number"
                ) from None
            yield

    def _check_pair(self, identity: UnitIdentity) -> None:
        self._claim("serial", identity.serial, identity.mac or "none", "MAC")
        if identity.mac:
            self._claim("mac", identity.mac, identity.serial, "serial number")

    def _claim(self, kind: str, key: str, value: str, value_is: str) -> None:
        """Whoever comes first writes down what belongs together; everybody else has to agree."""
        path = self._folder / "claims" / kind / key
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{key}.{os.getpid()}")
        draft.write_text(value, encoding="utf-8")
        try:
            os.link(draft, path)  # whole or not there, and only once
        except FileExistsError:
            known = path.read_text(encoding="utf-8")
            if known != value:
                shown = {"serial": "serial number", "mac": "MAC"}[kind]
                raise UnitRefused(f"{shown} {key} belongs to {value_is} {known}, this board has {value}") from None
        finally:
            draft.unlink()

    def _read(self, path: Path) -> UnitRecord:
        try:
            return record_from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BrokenBench(f"{path}: {error}: move that file away") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
