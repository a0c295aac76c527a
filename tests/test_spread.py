"""Tests are spread over workers of pytest-xdist: a real run of a few, with our scheduler."""

from __future__ import annotations

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


def pytest_xdist_make_scheduler(config, log):
    from tests.spread import OneByOne

    return OneByOne(config, log)


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


def spread(folder: Path, code: int = 0) -> list[tuple[str, str]]:
    """(worker, test) of each test that ran, in a run that ends with `code`."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_alone.py").write_text(TESTS)
    for path in TOGETHER[1:3]:
        (folder / path).mkdir(parents=True)
        (folder / path / "test_group.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "3", "-q", "--import-mode=importlib", "--rootdir", str(folder), "."],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
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
