"""The count of `make reach`: statements in functions, and the reasons for modules that little of is executed."""

from __future__ import annotations

import re

import pytest

from tests.reach import BELOW, ROOT, ModuleReach, complaints, folder_of, lines_shown, reach_of

SOURCE = '''"""A module."""
import os

NAME = "x"

def one(flag):
    """What it does."""
    if flag:
        return (
            NAME
        )
    return None

class Thing:
    part: int = 3

    def two(self):
        def inner():
            return 1
        return inner()
'''


def test_only_statements_inside_functions_count() -> None:
    reach = reach_of("m.py", SOURCE, frozenset({1, 2, 4, 6, 8, 9, 14, 15, 17, 18, 20}))
    assert (reach.statements, reach.missing, reach.percent) == (5, (12, 19), 60)


def test_a_module_without_functions_is_reached() -> None:
    assert reach_of("m.py", "NAME = 1\n", frozenset()).percent == 100


@pytest.mark.parametrize(
    ("percent", "below", "said"),
    [
        (79, {}, "m.py: 79 % executed, 80 % wanted; lines 1-21: add a row"),
        (79, {"m.py": "why"}, None),
        (80, {}, None),
        (80, {"m.py": "why"}, "m.py: 80 % executed, so BELOW needs no reason for it any more"),
        (100, {"gone.py": "why"}, "gone.py: BELOW has a reason for it, but there is no such module"),
    ],
)
def test_too_little_needs_a_reason(percent: int, below: dict[str, str], said: str | None) -> None:
    found = complaints([ModuleReach("m.py", 100, tuple(range(1, 101 - percent)))], below)
    assert len(found) == (said is not None)
    assert said is None or found[0].startswith(said)


@pytest.mark.parametrize(("lines", "shown"), [((), ""), ((3,), "3"), ((3, 4, 5, 9, 11, 12), "3-5, 9, 11-12")])
def test_lines_are_shown_in_runs(lines: tuple[int, ...], shown: str) -> None:
    assert lines_shown(lines) == shown


@pytest.mark.parametrize(
    ("platform", "name"), [(platform, name) for platform, names in BELOW.items() for name in names]
)
def test_every_reason_is_about_a_module(platform: str, name: str) -> None:
    assert (folder_of(platform) / name).is_file()


@pytest.mark.parametrize("platform", BELOW)
def test_reasons_name_tests_that_there_are(platform: str) -> None:
    there = {path.name for path in (ROOT / "tests").rglob(f"{platform}/**/test_*.py")}
    named = {name for reason in BELOW[platform].values() for name in re.findall(r"test_\w+\.py", reason)}
    assert named <= there
