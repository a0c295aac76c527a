"""A production list: one unit a line, read from CSV.

Columns `serial` and, where they are there, `token`, `type`, `certificate` and `key`; all others are attributes of the
unit under their own names. UTF-8, commas, a header line. `certificate` and `key` are PEM, or names of PEM files below
the folder of the list; where one file holds both, `key` can be left out.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.scenario_file.problems import WholeSentence
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.bounds import DEVICES, TEXT_CHARS, UNIT_COLUMNS, UNIT_LIST_BYTES
from fleetrig.simulator.contract.header_text import why_no_header_text
from fleetrig.simulator.fleet import check_serial

MAX_PEM_BYTES: Final = 256 * 1024
PEM_COLUMNS: Final = ("certificate", "key")
OWN_COLUMNS: Final = ("serial", "token", "type", *PEM_COLUMNS)
"""All others are attributes."""


class UnitListMistake(WholeSentence):
    """What is wrong with a list, and on which line: `file:line: sentence`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One device as its factory lists it."""

    serial: str
    token: str | None = field(default=None, repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)
    type: str | None = None
    """The name of its kind on the server, where a platform has kinds of devices."""
    gateway: str = ""
    """The serial of the gateway that it is or stands behind."""
    certificate_pem: bytes | None = field(default=None, repr=False)
    """Its client certificate, perhaps with authorities, and its key."""
    line: int = field(default=0, compare=False)
    """Where it stands in its list; 0 for a unit that is in none."""


def read_units(path: Path) -> tuple[Unit, ...]:
    """All units of a list, in its order; a file that has not changed is read once. Raises UnitListMistake."""
    try:
        if not path.is_file():
            return _read(path)
        about = path.stat()
        return _read_once(path.resolve(), path.name, about.st_mtime_ns, about.st_size, about.st_ino)
    except OSError as wrong:
        raise UnitListMistake(f"cannot read {path.name}: {why_unread(path, wrong)}") from None


@lru_cache(maxsize=4)
def _read_once(path: Path, name: str, *_: int) -> tuple[Unit, ...]:
    """`name` is only for messages; the numbers change when the file does."""
    return _read(path, name)


def _read(path: Path, name: str = "") -> tuple[Unit, ...]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    units: dict[str, Unit] = {}
    line = 1
    try:
        header = _header(next(reader, []))
        for line, row in _rows(reader):
            unit = _unit(header, row, path.parent)
            if unit.serial in units:
                raise ValueError(f"the serial {unit.serial!r} stood on an earlier line")
            units[unit.serial] = replace(unit, line=line)
            DEVICES.check(len(units))
        if not units:
            raise ValueError("expected at least one unit after the header")
    except csv.Error as wrong:
        why = "a quote is never closed" if str(wrong) == "unexpected end of data" else str(wrong)
        raise UnitListMistake(f"{name or path.name}:{max(1, reader.line_num)}: {why}") from None
    except ValueError as wrong:
        raise UnitListMistake(f"{name or path.name}:{line}: {wrong}") from None
    return tuple(units.values())


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line on which it begins: a value in quotes may hold line ends."""
    line = reader.line_num + 1
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + 1


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(UNIT_LIST_BYTES.most + 1)
    if len(content) > UNIT_LIST_BYTES.most:
        raise UnitListMistake(f"{path.name}:1: expected {UNIT_LIST_BYTES}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise UnitListMistake(f"{path.name}:{line}: not UTF-8 text (byte 0x{content[wrong.start]:02x})") from None


def _header(names: list[str]) -> list[str]:
    names = [name.strip() for name in names]
    if "serial" not in names:
        wrong_mark = next((f" (separated by commas, not {mark!r})" for mark in ";\t" if mark in "".join(names)), "")
        raise ValueError(f"expected a header line with the column serial{wrong_mark}")
    if len(set(names)) < len(names) or "" in names:
        raise ValueError("expected columns that have names and differ from each other")
    UNIT_COLUMNS.check(len(names))
    return names


def _unit(header: list[str], row: list[str], folder: Path) -> Unit:
    if len(row) != len(header):
        raise ValueError(f"expected {len(header)} values as in the header, got {len(row)}")
    values = dict(zip(header, row, strict=True))
    if why := why_no_header_text(values.get("token", "")):
        raise ValueError(f"the token {why}, so no device can send it")
    values = {name: value.strip() for name, value in values.items()}
    serial, token, kind = values.pop("serial"), values.pop("token", None), values.pop("type", None)
    for name, text in zip(header, row, strict=True):
        if name not in PEM_COLUMNS:
            TEXT_CHARS.check(len(text))
        if "\0" in text:
            raise ValueError("expected text without NUL characters")
    pems = [_pem(text, folder) for name in PEM_COLUMNS if (text := values.pop(name, ""))]
    certificate_pem = b"\n".join(pems) if pems else None
    return Unit(check_serial(serial), token or None, values, kind or None, certificate_pem=certificate_pem)


def _pem(text: str, folder: Path) -> bytes:
    """PEM that stands in the list, or in a file below its folder."""
    if text.startswith("-----BEGIN"):
        return text.encode()
    path = Path(os.path.realpath(folder / text))
    if not path.is_relative_to(os.path.realpath(folder)):
        raise ValueError(f"expected a file below the folder of the list, got {text!r}")
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        raise ValueError(f"cannot read {text}: {why_unread(folder / text, error)}") from None


def with_children(units: Iterable[Unit], children: int) -> Iterator[Unit]:
    """Each unit as a gateway, and behind it so many devices SERIAL-1, SERIAL-2 …; without children the units alone."""
    for unit in units:
        if not children:
            yield unit
            continue
        yield replace(unit, gateway=unit.serial)
        for number in range(1, children + 1):
            yield Unit(check_serial(f"{unit.serial}-{number}"), gateway=unit.serial)
