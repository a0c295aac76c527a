"""Reads `bench.yaml`: boards by name, checked as a whole before anything runs; mistakes with line and caret."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from fleetrig.harness.bench.flasher_models import FlasherEntry
from fleetrig.harness.bench.part_models import ConsolePart, EmulatedEntry, PowerEntry, PowerPart
from fleetrig.harness.bench.port_names import checked_port
from fleetrig.harness.bench.provisioning_part import ProvisioningPart
from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source, not_known
from fleetrig.harness.scenario_file.reader import load_mapping, read_source
from fleetrig.harness.scenario_file.values import LooseText, Model, Text, Word, written_as
from fleetrig.harness.servers.secrets import from_environment, secret_from
from fleetrig.hil.board import BoardSpec, ConsoleSpec, MadeOf
from fleetrig.hil.emulated import uboot_board
from fleetrig.hil.fakes import fake_gateway
from fleetrig.simulator.contract.errors import UsageError

BoardName = Annotated[str, written_as(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "a name of letters, digits and _ . -")]
Port = Annotated[Text, AfterValidator(checked_port)]


class BoardEntry(Model):
    """A board on the desk."""

    type: Text
    """What it is, such as `acme-gw2`: several boards may be of one type."""
    port: Port | None = None
    """`/dev/serial/by-id/…`, `rfc2217://HOST:PORT` or `socket://HOST:PORT`; `fleetrig board scan` lists those here."""
    baud: Annotated[int, Strict(), Field(ge=50, le=12_000_000)] = 115_200
    """The speed of its port, at eight bits without parity."""
    serial: LooseText = ""
    """The unit's serial number, if it is known beforehand."""
    identity: Mapping[Text, Text] = {}
    """What the board must answer before it is written to: question (`ethaddr`) and answer. U-Boot: its variables."""
    power: PowerEntry | None = None
    flasher: FlasherEntry | None = None
    console: ConsolePart = ConsolePart()
    """How one talks to it."""
    emulated: EmulatedEntry | None = None
    offers: tuple[Word, ...] = ()
    """Words that scenarios may need, such as `wifi`."""
    provisioning: ProvisioningPart | None = None
    """How it takes its identity, over its console."""

    @model_validator(mode="after")
    def _has_a_line(self) -> Self:
        if self.emulated is None and self.port is None:
            raise ValueError("port is missing; `fleetrig board scan` lists the ports of this machine")
        if self.emulated is not None and (self.port, self.power) != (None, None):
            raise ValueError("an emulated board has a port and power of its own: remove port and power, or emulated")
        return self


class BenchFile(Model):
    """A `bench.yaml`."""

    boards: Annotated[Mapping[BoardName, BoardEntry], Field(min_length=1)]
    """The boards, by the names that people call them."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The boards of one bench. `title` is the file, or what stands for it, as sentences name it."""

    title: str
    entries: Mapping[str, BoardEntry]
    folder: Path = field(default_factory=Path)
    """What secrets in files are relative to."""

    def known(self, name: str) -> BoardEntry:
        """Raises UsageError for a name that is not there."""
        if name not in self.entries:
            raise UsageError(f"{self.title}: the board {not_known(name, tuple(self.entries))}")
        return self.entries[name]

    def board(self, name: str, environ: Mapping[str, str] = os.environ) -> BoardSpec:
        """Raises UsageError for a name that is not there, and for a secret that cannot be read."""
        return _spec(name, self.known(name), self.folder, environ)


def read_bench(path: Path) -> Desk:
    """Raises FileMistakes with every mistake, UsageError when the file cannot be read."""
    file, source = load_mapping(path, BenchFile), read_source(path)
    if problems := list(_problems(file, source)):
        raise FileMistakes(problems)
    return Desk(str(path), file.boards, path.parent)


USUAL_SERIALS: Final = {"uboot": uboot_board.SERIAL, "gateway": uboot_board.SERIAL, "fake": fake_gateway.SERIAL}
"""Of boards that are not there, where the file says none."""
ONE_TO_ONE: Final = ("port", "serial")
"""What two boards cannot share."""


def _problems(file: BenchFile, source: Source) -> Iterator[Problem]:
    """What is wrong between boards."""
    for key in ONE_TO_ONE:
        first: dict[str, str] = {}
        for name, entry in file.boards.items():
            value = getattr(entry, key)
            if value and value in first:
                mark = locate(source.tree, ["boards", name, key])[0]
                yield source.problem(mark, f"boards.{name}.{key}: {value!r} belongs to {first[value]} already")
            elif value:
                first[value] = name


def _spec(name: str, entry: BoardEntry, folder: Path, environ: Mapping[str, str]) -> BoardSpec:
    emulated = _emulated(entry)
    return BoardSpec(
        name,
        entry.type,
        entry.port or "",
        entry.baud,
        entry.serial or (str(emulated.settings["serial"]) if emulated else ""),
        dict(entry.identity),
        _power(entry.power, environ),
        entry.flasher.made_of if entry.flasher else None,
        _console(entry.console, f"{name}: password", folder, environ),
        emulated,
        frozenset(entry.offers),
        entry.provisioning.spec if entry.provisioning else None,
    )


def _emulated(entry: BoardEntry) -> MadeOf | None:
    """With the serial number that its environment gets."""
    if entry.emulated is None:
        return None
    made = entry.emulated.made_of
    serial = made.settings["serial"] or entry.serial or USUAL_SERIALS[made.kind]
    return MadeOf(made.kind, {**made.settings, "serial": serial})


def _power(part: PowerPart | None, environ: Mapping[str, str]) -> MadeOf | None:
    """URLs that `env:NAME` names are read."""
    if part is None:
        return None
    made = part.made_of
    read = {
        key: from_environment(value, environ) if isinstance(value, str) and value.startswith("env:") else value
        for key, value in made.settings.items()
    }
    return MadeOf(made.kind, read)


def _console(part: ConsolePart, what: str, folder: Path, environ: Mapping[str, str]) -> ConsoleSpec:
    return ConsoleSpec(
        part.kind,
        part.prompt,
        part.login,
        _secret(part.password, what, folder, environ),
        part.stop_keys,
        part.stop_every_s,
        part.chunk_bytes,
        part.pause_s,
    )


def _secret(reference: str | None, what: str, folder: Path, environ: Mapping[str, str]) -> str:
    match (reference or "").partition(":"):
        case "env", _, _:
            return from_environment(reference or "", environ)
        case "file", _, path:
            return secret_from(str(folder / path), what, environ)
        case _:
            return ""
