"""The commands and the file of docs/studies.md are run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.studies.case_figures import CaseFigures
from fleetrig.harness.studies.study_file import StudyLimit
from fleetrig.harness.studies.study_table import COLLAPSED, KEEPS
from tests.doc_page import ROOT, blocks, page, ran

PAGE: Final = page("studies")
SIZE: Final = re.compile(r"devices=\d+")
SMALL: Final = "devices=500"


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    commands = blocks(PAGE)
    assert len(commands) == 3
    said = [ran(SIZE.sub(SMALL, block), tmp_path) for block in commands]

    assert "needs" in said[0]
    assert "outage/recovery" in said[1]
    assert "wrote mine.study.yaml" in said[2]


@pytest.mark.slow
def test_the_file_of_the_page_runs(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    [file] = blocks(PAGE, "yaml")
    (tmp_path / "own.study.yaml").write_text(file, encoding="utf-8")

    assert "«planned»" in ran("fleetrig study own.study.yaml --set devices=500 --seeds 2", tmp_path)


def test_the_words_of_the_page_are_those_of_files_and_tables() -> None:
    for word in StudyLimit.words():
        assert re.search(rf"^\| .*`{word}`", PAGE, re.MULTILINE), word
    assert {"quiet_s", "back_s", "peak_per_s", "needs_per_s"} <= set(CaseFigures.__dataclass_fields__)
    assert f"| `{KEEPS}` |" in PAGE
    assert f"| `{COLLAPSED}` |" in PAGE
