"""Tests are spread over workers of pytest-xdist: a real run of a few, with our scheduler."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.harness.command import environment
from tests.spread import TOGETHER

ALONE: Final = 40
CONFTEST: Final = """
import os
from pathlib import Path

from tests.conftest import pytest_collection, pytest_testnodedown, pytest_xdist_make_scheduler


def pytest_runtest_call(item):
    with Path("ran.txt").open("a") as ran:
        ran.write(f"{os.environ['PYTEST_XDIST_WORKER']} {item.nodeid}\\n")
"""
TESTS: Final = f"""
import pytest


@pytest.mark.parametrize("number", range({ALONE}))
def test_one(number):
    pass
"""


DIES: Final = """
import os
from pathlib import Path


def test_worker_dies_the_first_time():
    if not Path("died.txt").exists():
        Path("died.txt").touch()
        os._exit(1)
"""


ALWAYS_DIES: Final = """
import os


def test_worker_dies():
    os._exit(1)
"""


def run(folder: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_alone.py").write_text(TESTS)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "3", "-q", "--import-mode=importlib", "--rootdir", str(folder), *paths],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def spread(folder: Path, code: int = 0) -> list[tuple[str, str]]:
    """(worker, test) of each test that ran, in a run that ends with `code`."""
    for path in TOGETHER[1:3]:
        (folder / path).mkdir(parents=True)
        (folder / path / "test_group.py").write_text(TESTS)
    done = run(folder, ".")
    assert done.returncode == code, done.stdout
    lines = (folder / "ran.txt").read_text().splitlines()
    return [(worker, nodeid) for worker, _, nodeid in (line.partition(" ") for line in lines)]


@pytest.mark.slow
def test_each_runs_once_and_those_that_belong_together_in_one_worker(tmp_path: Path) -> None:
    ran = spread(tmp_path)

    assert set(Counter(nodeid for _, nodeid in ran).values()) == {1}
    assert len(ran) == 3 * ALONE
    for path in TOGETHER[1:3]:
        assert len({worker for worker, nodeid in ran if nodeid.startswith(path)}) == 1
    assert len({worker for worker, _ in ran}) > 1


@pytest.mark.slow
def test_what_a_worker_that_dies_has_not_done_is_done_by_another(tmp_path: Path) -> None:
    (tmp_path / "test_dies.py").write_text(DIES)
    ran = spread(tmp_path, code=pytest.ExitCode.TESTS_FAILED)

    assert len({nodeid for _, nodeid in ran if "test_one" in nodeid}) == 3 * ALONE


@pytest.mark.slow
def test_a_test_at_which_workers_die_is_tried_once(tmp_path: Path) -> None:
    (tmp_path / "test_dies.py").write_text(ALWAYS_DIES)
    done = run(tmp_path, ".")

    assert done.stdout.splitlines()[-1].startswith(f"1 failed, {ALONE} passed"), done.stdout
    crashed = re.findall(r"worker '(gw\d+)' crashed while running 'test_dies.py::test_worker_dies'", done.stdout)
    assert len(set(crashed)) == 1, done.stdout  # said twice where lines are not cut to a terminal's width


@pytest.mark.slow
@pytest.mark.parametrize(
    "paths", [("nothing_here",), ("test_alone.py", "nothing_here"), ("test_alone.py::test_nothing",)]
)
def test_what_is_not_there_is_told_and_nothing_runs(paths: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tmp_path, *paths)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert "not found: " in done.stderr
    assert paths[-1] in done.stderr
    assert not (tmp_path / "ran.txt").exists()


@pytest.mark.slow
def test_what_cannot_be_collected_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text("def (:\n")
    done = run(tmp_path, ".")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "ERROR test_wrong.py" in done.stdout
