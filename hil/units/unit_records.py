"""The folder of unit records: one file for each attempt, whole at every moment, and no serial or MAC given twice.

    records/SN-0001/1.json   attempt 1      claims/mac/52:54:00:12:34:56 -> SN-0001

Serial number and MAC are locked while a unit is made, so that benches that share the folder cannot both have them. A
record is there before the board is touched: who dies under it leaves one that says `unfinished`.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from fleetrig.hil.units.unit_record import UnitIdentity, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_record_json import record_from_json, record_to_json
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
"""What a serial number and a MAC may hold, since they name files."""


KINDS: Final = {"serial": "serial number", "mac": "MAC"}


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
            with self._held("serial", identity.serial), self._held("mac", identity.mac):
                self._check_pair(identity)
                earlier = self.of(identity.serial)
                passed = next((one for one in earlier if one.verdict is UnitVerdict.PASSED), None)
                if passed is not None and not again:
                    raise UnitRefused(
                        f"{identity.serial} has passed already, as attempt {passed.attempt} on {passed.board} of "
                        f"{passed.station}: take the next unit, or say --again"
                    )
                self._claim_pair(identity)
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
            _write_whole(path, record_to_json(record))
        except OSError as error:
            raise BrokenBench(f"{path}: {system_said(error)}") from None

    def _of(self, serial: str) -> Path:
        return self._folder / "records" / serial

    @contextmanager
    def _held(self, kind: str, key: str) -> Iterator[None]:
        """Nobody else makes a unit of this serial number, or MAC, meanwhile."""
        if not key:
            yield
            return
        path = self._folder / "locks" / kind / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UnitRefused(
                    f"the {KINDS[kind]} {key} is being given to a unit right now: two boards show the same one"
                ) from None
            yield

    def _check_pair(self, identity: UnitIdentity) -> None:
        """Both before either is claimed, so that a refusal leaves nothing behind."""
        for kind, key, value, value_is in _pair(identity):
            with suppress(FileNotFoundError):
                known = self._claim_of(kind, key).read_text(encoding="utf-8")
                if known != value:
                    raise UnitRefused(f"the {KINDS[kind]} {key} belongs to {value_is} {known}, this unit has {value}")

    def _claim_pair(self, identity: UnitIdentity) -> None:
        """Both keys are locked: nobody comes in between."""
        for kind, key, value, _ in _pair(identity):
            path = self._claim_of(kind, key)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(path, value)

    def _claim_of(self, kind: str, key: str) -> Path:
        return self._folder / "claims" / kind / key

    def all(self) -> list[UnitRecord]:
        """Every attempt of every unit, by serial number. Raises BrokenBench for a file that is no record."""
        folder = self._folder / "records"
        serials = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        return [record for serial in serials for record in self.of(serial)]

    def _read(self, path: Path) -> UnitRecord:
        try:
            return record_from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BrokenBench(f"{path}: {error}: move that file away") from None


def _pair(identity: UnitIdentity) -> Iterator[tuple[str, str, str, str]]:
    """(kind, key, what belongs to it, what that is called)"""
    yield "serial", identity.serial, identity.mac or "none", KINDS["mac"]
    if identity.mac:
        yield "mac", identity.mac, identity.serial, KINDS["serial"]


def _write_whole(path: Path, text: str) -> None:
    """Survives a power cut of this machine once it returns; until then the file is as it was."""
    draft = path.with_name(f".{path.name}.part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
