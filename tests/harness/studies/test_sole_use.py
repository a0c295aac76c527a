"""A folder of results belongs to one study at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.studies.sole_use import sole_use
from fleetrig.simulator.contract.errors import UsageError


def test_another_study_waits_its_turn(tmp_path: Path) -> None:
    with sole_use(tmp_path):
        with (
            pytest.raises(UsageError, match=r"another `fleetrig study` is at work in .*: wait for it"),
            sole_use(tmp_path),
        ):
            pass
        with pytest.raises(UsageError, match="another"), sole_use(tmp_path):
            pass
    with sole_use(tmp_path):
        pass


def test_studies_in_other_folders_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    with sole_use(tmp_path / "one"), sole_use(tmp_path / "other"):
        pass
