"""An authority in a folder, and OpenSSL's opinion on files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.command import Done, fleetrig

Command = Callable[..., Done]
Openssl = Callable[..., str]


@pytest.fixture
def ca(tmp_path: Path) -> Command:
    """`fleetrig ca …` from the test's folder."""
    return lambda *words: fleetrig("ca", *words, cwd=tmp_path)


@pytest.fixture
def plant(ca: Command, tmp_path: Path) -> Path:
    """The folder of an authority."""
    done = ca("new", "plant", "--name", "Plant CA")
    assert done.returncode == 0, done.stderr
    return tmp_path / "plant"


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    """What the program says, on either channel."""

    def run(*words: str) -> str:
        done = subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return run


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
