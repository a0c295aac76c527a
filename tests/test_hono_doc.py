"""The commands of docs/hono.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.doc_page import ROOT, at_free_ports, blocks, page, ran_without_failures
from tests.harness.served import Served

PAGE: Final = page("hono")
PORTS: Final = {"registry": 28080, "http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coaps": 5684}


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    listeners = [part for name in (*PORTS, "coap") for part in (f"--{name}", "127.0.0.1:0")]
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    with Served(tmp_path, "--platform", "hono", *listeners) as served:
        [file] = blocks(PAGE, "yaml")
        (tmp_path / "SERVER.yaml").write_text(f"{at_free_ports(file, PORTS, served.ready)}ca: {served.ready['ca']}\n")
        for block in blocks(PAGE):
            ran_without_failures(block, tmp_path)


def test_the_keys_of_the_page_are_those_of_the_file() -> None:
    [file] = blocks(PAGE, "yaml")
    assert set(PORTS) == {line.partition(":")[0] for line in file.splitlines()} - {"platform"}
