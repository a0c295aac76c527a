"""In the rooms that every platform shares, the name of a type stands for one thing, so that it can be grepped."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("simulator", "reference_server", "harness", "hil", "testing")
PLATFORMS = ("simulator/flows", "reference_server/platforms", "harness/platforms")
"""Rooms of single platforms: each speaks its own platform's words."""


def type_names(tree: ast.Module) -> Iterator[str]:
    """Classes, and aliases such as `Flow = Generator[…]`, wherever they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if not name.isupper() and name[:1].isupper() and not is_type_variable(node.value):
                yield name


def is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("TypeVar", "ParamSpec")


def names_of(root: Path) -> dict[str, list[str]]:
    """Name of a type -> the modules that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        relative = path.relative_to(root).as_posix()
        if not relative.startswith(tuple(f"{folder}/" for folder in PLATFORMS)):
            for name in type_names(ast.parse(path.read_text(encoding="utf-8"))):
                found[name].append(relative)
    return found


def test_no_type_name_stands_for_two_things() -> None:
    twice = {name: modules for name, modules in names_of(ROOT).items() if len(modules) > 1}

    assert not twice, "\n" + "\n".join(f"{name}: {', '.join(modules)}" for name, modules in sorted(twice.items()))


def test_a_name_for_two_things_is_found(tmp_path: Path) -> None:
    for path, source in {
        "simulator/a.py": "class Answer: ...",
        "harness/run/b.py": "Answer = str | None",
        "harness/platforms/hawkbit/c.py": "class Answer: ...",
        "hil/d.py": "T = TypeVar('T')\nANSWER = 1",
        "simulator/e.py": "T = TypeVar('T')\nANSWER = 2",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(source, encoding="utf-8")

    assert {name: modules for name, modules in names_of(tmp_path).items() if len(modules) > 1} == {
        "Answer": ["harness/run/b.py", "simulator/a.py"]
    }
