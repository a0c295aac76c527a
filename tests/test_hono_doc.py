"""The commands of docs/hono.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.harness.served import Served

PAGE: Final = (Path(__file__).parents[1] / "docs/hono.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORTS: Final = {"registry": 28080, "http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coaps": 5684}
FAILED: Final = re.compile(r"\b[1-9]\d* failed")
WITHIN_S: Final = 120.0


def at_free_ports(text: str, ready: Mapping[str, str]) -> str:
    """The same for the server that runs."""
    for name, port in PORTS.items():
        text = re.sub(rf"127\.0\.0\.1:{port}\b", ready[name], text)
    return text


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    listeners = [part for name in (*PORTS, "coap") for part in (f"--{name}", "127.0.0.1:0")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / "scenarios").symlink_to(Path(__file__).parents[1] / "scenarios")
    with Served(tmp_path, "--platform", "hono", *listeners) as served:
        [file] = FILE.findall(PAGE)
        (tmp_path / "SERVER.yaml").write_text(f"{at_free_ports(file, served.ready)}ca: {served.ready['ca']}\n")
        for block in BLOCK.findall(PAGE):
            done = subprocess.run(
                ["bash", "-e", "-u", "-c", block], cwd=tmp_path, timeout=WITHIN_S,
                env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False,
            )  # fmt: skip
            assert (done.returncode, FAILED.search(done.stdout)) == (0, None), (block, done.stdout, done.stderr)


def test_the_keys_of_the_page_are_those_of_the_file() -> None:
    [file] = FILE.findall(PAGE)
    assert set(PORTS) == {line.partition(":")[0] for line in file.splitlines()} - {"platform"}
