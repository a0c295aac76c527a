"""The commands of docs/thingsboard.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from tests.doc_page import at_free_ports, blocks, page, ran_without_failures
from tests.harness.served import Served

PAGE: Final = page("thingsboard")
PORTS: Final = {"http": 8080, "mqtt": 1883, "mqtts": 8883, "coap": 5683}


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    listeners = [part for name in (*PORTS, "coaps") for part in (f"--{name}", "127.0.0.1:0")]
    with Served(tmp_path, "--platform", "thingsboard", *listeners) as served:
        [file] = blocks(PAGE, "yaml")
        (tmp_path / "SERVER.yaml").write_text(at_free_ports(file, PORTS, served.ready))
        for block in blocks(PAGE):
            ran_without_failures(at_free_ports(block, PORTS, served.ready), tmp_path)
    assert (tmp_path / "conform.xml").exists()


def test_the_rows_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"S\d{2,3}", PAGE))
    assert named
    assert named <= {row.number for row in ROWS}
