"""Scenario files for the tests of the harness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working folder of the test and gives its path relative to there."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str | bytes, name: str = "x.yaml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode())
        return path

    return write_file


@pytest.fixture
def read(write: Write) -> Callable[[str], ScenarioFile]:
    """Reads a scenario from text."""
    return lambda text: read_scenario(write(text), "some/topic")
