"""The examples of docs/control.md are run one after another, and say what stands there; … stands for anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fleetrig.reference_server.control.control import TRACE_PARAMETERS
from fleetrig.reference_server.control.northbound_view import COMMAND_WORDS, NORTHBOUND_PARAMETERS
from fleetrig.simulator.contract.fault_json import WORDS
from fleetrig.simulator.contract.faults import FaultKind
from tests.harness.served import LIMIT_S, Served

PAGE = (Path(__file__).parents[1] / "docs/control.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def examples() -> list[tuple[str, str]]:
    """Commands, and what they print."""
    return [(command, said) for block in BLOCK.findall(PAGE) for command, said in EXAMPLE.findall(block)]


def test_the_page_has_examples() -> None:
    assert len(examples()) >= 10


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")
def test_every_example_says_what_the_page_says(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Served(tmp_path) as served:
        places = {"127.0.0.1:8081": served.ready["control"], "127.0.0.1:8080": served.ready["http"]}
        [file] = FILE.findall(PAGE)
        (tmp_path / "SERVER.yaml").write_text(file.replace("127.0.0.1:8081", served.ready["control"]))
        for command, expected in examples():
            for written, real in places.items():
                command, expected = command.replace(written, real), expected.replace(written, real)
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True,
                timeout=LIMIT_S, check=False,
            )  # fmt: skip
            pattern = ".*?".join(map(re.escape, expected.split("…")))
            assert re.fullmatch(pattern, done.stdout, re.DOTALL), f"{command}\nsaid\n{done.stdout}{done.stderr}"


def test_every_word_is_on_the_page() -> None:
    words = [*WORDS, *FaultKind]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    assert [name for name in (*TRACE_PARAMETERS, *NORTHBOUND_PARAMETERS) if f"`{name}=" not in PAGE] == []
    assert [word for word in COMMAND_WORDS if f"`{word}`" not in PAGE] == []
