"""For the commands about boards: a line, a desk of their own, and a short folder for what boards leave."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.commands.board.board_line import BoardLine


@pytest.fixture
def line(tmp_path: Path) -> Iterator[BoardLine]:
    line = BoardLine(tmp_path)
    yield line
    line.close()


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sockets have short names, which the folders of pytest do not."""
    with tempfile.TemporaryDirectory(prefix="fr") as folder:
        monkeypatch.setenv("XDG_STATE_HOME", folder)
        yield Path(folder)
