"""The commands of docs/simulate.md are run as they stand there, beside a server; its words are those of the program."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.load.curves import COLUMNS
from fleetrig.harness.report.fleet_failures import OWN_TIMEOUT
from fleetrig.harness.simulation.starts import FEWER
from tests.doc_page import blocks, page
from tests.harness.served import Served
from tests.test_readme import SERVE, SERVED_AT, run

PAGE: Final = page("simulate")


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        for block in blocks(PAGE):
            assert block == SERVE or run(block.replace(SERVED_AT, served.ready["http"]), tmp_path)


def test_the_columns_and_words_of_the_page_are_those_of_the_program() -> None:
    columns = PAGE[PAGE.index("`at_s`") : PAGE.index("These are the columns")]
    assert re.findall(r"`(\w+)`", columns) == list(COLUMNS)
    assert f"`{OWN_TIMEOUT}`" in PAGE
    assert FEWER in " ".join(PAGE.split())
