"""The commands of docs/thingsboard.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from tests.harness.served import Served

PAGE: Final = (Path(__file__).parents[1] / "docs/thingsboard.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORTS: Final = {"http": 8080, "mqtt": 1883, "mqtts": 8883, "coap": 5683}
FAILED: Final = re.compile(r"\b[1-9]\d* failed")
WITHIN_S: Final = 120.0


def at_free_ports(text: str, ready: Mapping[str, str]) -> str:
    """The same for the server that runs."""
    for name, port in PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", ready[name])
    return text


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    listeners = [part for name in (*PORTS, "coaps") for part in (f"--{name}", "127.0.0.1:0")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Served(tmp_path, "--platform", "thingsboard", *listeners) as served:
        [file] = FILE.findall(PAGE)
        (tmp_path / "SERVER.yaml").write_text(at_free_ports(file, served.ready))
        for block in BLOCK.findall(PAGE):
            done = subprocess.run(
                ["bash", "-e", "-u", "-c", at_free_ports(block, served.ready)], cwd=tmp_path, timeout=WITHIN_S,
                env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False,
            )  # fmt: skip
            assert (done.returncode, FAILED.search(done.stdout)) == (0, None), (block, done.stdout, done.stderr)
    assert (tmp_path / "conform.xml").exists()


def test_the_rows_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"S\d{2,3}", PAGE))
    assert named
    assert named <= {row.number for row in ROWS}
