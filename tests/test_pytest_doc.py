"""The project of docs/pytest.md is tried as it stands there: its tests, on two workers, and its types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import fleetrig.testing
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.running_server.platform_part import DeviceCredentials
from fleetrig.harness.running_server.server import RunningServer

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/pytest.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
LIMIT_S = 120
NOT_FOR_TESTS = {"behind", "clean_up", "for_test", "own_tenant", "skipped_s"}
"""Of a server: what only fleetrig's own fixtures need."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILE.findall(PAGE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_page_has_a_whole_project() -> None:
    names = [name for name, _ in FILE.findall(PAGE)]
    assert {"gateway.py", "pyproject.toml", ".github/workflows/tests.yml"} <= set(names)


@pytest.mark.slow
def test_its_tests_pass(project: Path) -> None:
    code, said = run(project, "pytest", "-W", "error", "-n", "2", "-p", "no:cacheprovider", "-p", "no:anyio")
    assert code == 0, said
    assert "8 passed" in said


@pytest.mark.slow
def test_it_works_without_pytest(project: Path) -> None:
    done = subprocess.run([sys.executable, "try_it.py"], cwd=project, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.stdout.startswith("4711@DEFAULT_TENANT http://127.0.0.1:"), done.stderr


def test_its_file_for_ci_can_be_read(project: Path) -> None:
    steps = YAML(typ="safe").load(project / ".github/workflows/tests.yml")["jobs"]["tests"]["steps"]
    assert [step["run"] for step in steps if "run" in step][-1].startswith("pytest -n auto")


@pytest.mark.slow
def test_its_types_are_right(project: Path) -> None:
    code, said = run(project, "mypy", "--strict", "gateway.py", "try_it.py", "tests")
    assert code == 0, said


WRONG = """
from fleetrig.testing import RunningServer

def wrong(server: RunningServer) -> None:
    server.faults.add("outrage")
    server.faults.add("overload", staus=429)
    server.wait_for("refusd")
    server.register(7)
    server.adresses
"""


@pytest.mark.slow
def test_a_type_checker_finds_mistakes_in_words(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    code, said = run(tmp_path, "mypy", "--strict", "wrong.py")
    assert code == 1
    assert {int(number) for number in re.findall(r"wrong.py:(\d+)", said)} == {5, 6, 7, 8, 9}


def test_what_is_public_is_on_the_page() -> None:
    members = {
        name for name in dir(RunningServer) if not name.startswith("_")
    } | RunningServer.__dataclass_fields__.keys()
    shown = {name for name in members if not name.startswith("_")} - NOT_FOR_TESTS
    assert [name for name in sorted(shown) if not re.search(rf"`{name}\b", PAGE)] == []
    assert [name for name in (*DeviceCredentials.__dataclass_fields__, "environ") if f"`{name}`" not in PAGE] == ["id"]
    assert [name for name in PLATFORMS if f"`{name}" not in PAGE] == []


def test_what_is_public_is_there() -> None:
    assert all(hasattr(fleetrig.testing, name) for name in fleetrig.testing.__all__)
    assert sorted(fleetrig.testing.__all__) == fleetrig.testing.__all__
