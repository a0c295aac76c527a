"""The JSON Schema that a new file names, for editors: it lies beside the files, so that colleagues have it too.

An installed package would be somewhere else on each machine, and an address somewhere else in the world.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from fleetrig.simulator.contract.errors import UsageError, system_said

FOLDER: Final = "scenarios"
MODELINE: Final = "# yaml-language-server: $schema="
"""What editors with the YAML language server look for in the first lines of a file."""


class SchemaKind(StrEnum):
    SCENARIO = "scenario"
    BENCH = "bench"
    STUDY = "study"

    @property
    def file_name(self) -> str:
        return f"{self}.schema.json"


def made_schema(kind: SchemaKind) -> Mapping[str, Any]:
    """Making it takes a while, and few verbs need it."""
    made: Callable[[], Mapping[str, Any]]
    match kind:
        case SchemaKind.BENCH:
            from fleetrig.harness.bench.bench_schema import bench_schema as made
        case SchemaKind.STUDY:
            from fleetrig.harness.studies.study_schema import study_schema as made
        case SchemaKind.SCENARIO:
            from fleetrig.harness.scenario_file.schema import scenario_schema as made
    return made()


def schema_place(file: Path, kind: SchemaKind, root: Path | None = None) -> Path:
    """In the folder of the scenarios: the one that was given, else the nearest `scenarios`, else beside the file."""
    above = [one for one in file.parents if one.name == FOLDER]
    return (root or next(iter(above), file.parent)) / kind.file_name


def write_schema(place: Path, kind: SchemaKind) -> bool:
    """True when it was not there yet, or another version had made it; what is no schema of ours stays as it is.

    Raises UsageError when it cannot be written.
    """
    schema = made_schema(kind)
    try:
        there = _read(place) if place.exists() else None
        if there == schema or (place.exists() and (there is None or there.get("title") != schema["title"])):
            return False
        place.write_text(json.dumps(schema, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as wrong:
        raise UsageError(f"cannot write {place}: {system_said(wrong)}") from None
    return True


def modeline(file: Path, place: Path) -> str:
    """The first line of a file whose schema lies there."""
    return f"{MODELINE}{Path(os.path.relpath(place, file.parent)).as_posix()}\n"


def _read(place: Path) -> Mapping[str, Any] | None:
    """None for what is no JSON, or no mapping."""
    try:
        there = json.loads(place.read_bytes())
    except ValueError:
        return None
    return there if isinstance(there, Mapping) else None
