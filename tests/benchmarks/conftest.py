"""What benchmarks print goes on the page, too, where `BENCH_PAGE` names one."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import pytest

from tests.benchmarks.page import PLACE, SECTIONS, write_page

PRINTED: Final[pytest.StashKey[dict[str, str]]] = pytest.StashKey()


class Both(io.StringIO):
    """What is written here is shown there, too."""

    def __init__(self, shown: TextIO) -> None:
        super().__init__()
        self._shown = shown

    def write(self, text: str) -> int:
        self._shown.write(text)
        return super().write(text)

    def flush(self) -> None:
        self._shown.flush()


@pytest.fixture(autouse=True)
def _printed(request: pytest.FixtureRequest) -> Iterator[None]:
    module = request.module.__name__.rpartition(".")[2]
    if PLACE not in os.environ or module not in SECTIONS:
        yield
        return
    both = Both(sys.stdout)
    with contextlib.redirect_stdout(both):
        yield
    printed = request.config.stash.setdefault(PRINTED, defaultdict(str))
    printed[module] += both.getvalue()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if printed := session.config.stash.get(PRINTED, None):
        write_page(Path(os.environ[PLACE]), printed)
