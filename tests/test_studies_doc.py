"""The commands and the file of docs/studies.md are run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.studies.case_figures import CaseFigures
from fleetrig.harness.studies.study_file import StudyLimit
from fleetrig.harness.studies.study_table import COLLAPSED, KEEPS

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
WITHIN_S: Final = 120.0
SIZE: Final = re.compile(r"devices=\d+")
SMALL: Final = "devices=500"


def run_block(block: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", block], cwd=folder, timeout=WITHIN_S,
        env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (block, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == 3
    said = [run_block(SIZE.sub(SMALL, block), tmp_path) for block in blocks]

    assert "needs" in said[0]
    assert "outage/recovery" in said[1]
    assert "wrote mine.study.yaml" in said[2]


@pytest.mark.slow
def test_the_file_of_the_page_runs(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    [file] = FILE.findall(PAGE)
    (tmp_path / "own.study.yaml").write_text(file, encoding="utf-8")

    assert "«planned»" in run_block("fleetrig study own.study.yaml --set devices=500 --seeds 2", tmp_path)


def test_the_words_of_the_page_are_those_of_files_and_tables() -> None:
    for word in StudyLimit.words():
        assert re.search(rf"^\| .*`{word}`", PAGE, re.MULTILINE), word
    assert {"quiet_s", "back_s", "peak_per_s", "needs_per_s"} <= set(CaseFigures.__dataclass_fields__)
    assert f"| `{KEEPS}` |" in PAGE
    assert f"| `{COLLAPSED}` |" in PAGE
