"""A platform has one home: nobody outside its folders says its name, but the table."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = re.compile(r"hawkbit|thingsboard|hono(?!u)|kura", re.IGNORECASE)
HOMES = re.compile(r"(harness|reference_server)/platforms/\w+/|simulator/flows/\w+/")

EXCEPTIONS = {
    "harness/platforms/__init__.py": "the table: names each platform once, and where it lives",
    "simulator/client_policies.py": "real clients, which are called after the platform that they speak to",
}
"""Files that may name a platform, each with its reason."""


def said(path: Path) -> Iterator[tuple[int, str]]:
    """Names and strings of a module; docstrings and comments are left out, which may say whose rule something is."""
    source = path.read_text(encoding="utf-8")
    if not NAMES.search(source):
        return
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    }  # fmt: skip
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type != tokenize.COMMENT and token.start[0] not in docstrings and NAMES.search(token.string):
            yield token.start[0], token.line.strip()


def mentions(root: Path) -> dict[str, list[tuple[int, str]]]:
    """File -> lines outside the homes of platforms that name one."""
    found = {}
    for folder in ("harness", "simulator", "reference_server", "testing"):
        for path in sorted((root / folder).rglob("*.py")):
            inner = path.relative_to(root).as_posix()
            if not HOMES.match(inner) and (lines := list(said(path))):
                found[inner] = lines
    return found


def test_nobody_names_a_platform_but_the_table() -> None:
    strangers = {file: lines for file, lines in mentions(ROOT).items() if file not in EXCEPTIONS}
    assert not strangers, "\n".join(
        f"{file}:{line}: {text}" for file, lines in strangers.items() for line, text in lines
    )


def test_every_exception_is_needed() -> None:
    assert EXCEPTIONS.keys() <= mentions(ROOT).keys()


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ('x = "hawkbit.fast_polling"\n', True),
        ("from a import HawkbitAdmin\n", True),
        ("ThingsBoard = 1\n", True),
        ('"""As hawkBit does."""\n', False),
        ("x = 1  # as hawkBit does\n", False),
        ("honoured = 1\n", False),
    ],
)
def test_a_planted_name_is_found(tmp_path: Path, source: str, is_found: bool) -> None:
    file = tmp_path / "harness" / "run" / "new.py"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    assert ("harness/run/new.py" in mentions(tmp_path)) is is_found
