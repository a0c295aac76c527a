"""A production list: one unit a line, read from CSV.

Columns `serial` and, where they are there, `token`, `type`, `certificate` and `key`; all others are attributes of the
unit under their own names. UTF-8, commas, a header line. `certificate` and `key` are PEM, or names of PEM files below
the folder of the list; where one file holds both, `key` can be left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_PEM_BYTES: Final = 256 * 1024


class UnitListMistake(ValueError):
    """What is wrong with a list, and on which line: `file:line: sentence`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One device as its factory lists it."""

    serial: str
    token: str | None = field(default=None, repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)
    type: str | None = None
    """The name of its kind on the server, where a platform has kinds of devices."""
    certificate_pem: bytes | None = field(default=None, repr=False)
    """Its client certificate, perhaps with authorities, and its key."""


def read_units(path: Path) -> tuple[Unit, ...]:
    """All units of a list, in its order. Raises UnitListMistake."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    units: dict[str, Unit] = {}
    try:
        header = _header(next(reader, []))
        for row in filter(None, reader):
            unit = _unit(header, row, path.parent)
            if unit.serial in units:
                raise ValueError(f"the serial {unit.serial!r} stood on an earlier line")
            units[unit.serial] = unit
        if not units:
            raise ValueError("expected at least one unit after the header")
    except (csv.Error, ValueError) as wrong:
        raise UnitListMistake(f"{path.name}:{max(1, reader.line_num)}: {wrong}") from None
    return tuple(units.values())


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise UnitListMistake(f"{path.name}:1: more than {MAX_BYTES >> 20} MiB")
    content = path.read_bytes()
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
    return names


def _unit(header: list[str], row: list[str], folder: Path) -> Unit:
    if len(row) != len(header):
        raise ValueError(f"expected {len(header)} values as in the header, got {len(row)}")
    values = {name: value.strip() for name, value in zip(header, row, strict=True)}
    serial, token, kind = values.pop("serial"), values.pop("token", None), values.pop("type", None)
    if not serial or any(char.isspace() for char in serial):
        raise ValueError("expected a serial without blanks")
    pems = [_pem(text, folder) for name in ("certificate", "key") if (text := values.pop(name, ""))]
    return Unit(serial, token or None, values, kind or None, b"\n".join(pems) if pems else None)


def _pem(text: str, folder: Path) -> bytes:
    """PEM that stands in the list, or in a file below its folder."""
    if text.startswith("-----BEGIN"):
        return text.encode()
    path = (folder / text).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"expected a file below the folder of the list, got {text!r}")
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        raise ValueError(f"cannot read {text}: {error.strerror or error}") from None
