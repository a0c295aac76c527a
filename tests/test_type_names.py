"""In the rooms that belong to no platform, a type's name stands for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.test_architecture import ROOT

NEUTRAL = ("simulator", "reference_server")
"""Without the folders of platforms in them."""


def is_neutral(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not {"flows", "platforms"} & set(parts[:2])


def type_names(path: Path) -> list[str]:
    """Classes of a module and names that it gives to types (`Headers = tuple[…]`)."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) if name[0].isupper() and not name.isupper():
                names.append(name)
    return names


def test_no_type_name_stands_for_two_things() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for room in NEUTRAL:
        for path in filter(is_neutral, sorted((ROOT / room).rglob("*.py"))):
            for name in type_names(path):
                homes[name].append(str(path.relative_to(ROOT)))
    assert len(homes) > 150
    assert {name: found for name, found in homes.items() if len(found) > 1 and name not in ("T", "E")} == {}
