"""The examples of docs/traces.md are run one after another, and say what stands there; … stands for anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.commands.trace import trace_command
from fleetrig.harness.traces.event_words import WORDS
from fleetrig.simulator.contract.trace import TraceEvent
from tests.harness.served import LIMIT_S, Served

PAGE: Final = (Path(__file__).parents[1] / "docs/traces.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE: Final = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
FILE: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LANE: Final = re.compile(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", re.MULTILINE)
TOLD_ELSEWHERE: Final = {"where", "follow", "since", "clock", "verbose", "raw", "results", "context"}
"""Parameters without a row of their own."""


def examples() -> list[tuple[str, str]]:
    return [(command, said) for block in BLOCK.findall(PAGE) for command, said in EXAMPLE.findall(block)]


def test_the_page_has_examples() -> None:
    assert len(examples()) >= 7


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="one of the examples is for curl")
def test_every_example_says_what_the_page_says(tmp_path: Path) -> None:
    [scenario] = FILE.findall(PAGE)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/quiet.yaml").write_text(scenario, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Served(tmp_path) as served:
        places = {"127.0.0.1:8081": served.ready["control"], "127.0.0.1:8080": served.ready["http"]}
        for command, expected in examples():
            for written, real in places.items():
                command, expected = command.replace(written, real), expected.replace(written, real)
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True,
                timeout=LIMIT_S, check=False,
            )  # fmt: skip
            pattern = ".*?".join(map(re.escape, expected.split("…")))
            assert re.fullmatch(pattern, done.stdout, re.DOTALL), f"{command}\nsaid\n{done.stdout}{done.stderr}"


def test_every_lane_and_kind_is_on_the_page() -> None:
    listed = {lane: set(re.findall(r"`(\w+)`", kinds)) for lane, kinds in LANE.findall(PAGE)}
    assert {(lane, kind) for lane, kinds in listed.items() for kind in kinds} == {
        (str(lane), kind) for lane, kind in WORDS
    }


def test_every_field_and_option_is_on_the_page() -> None:
    assert [field for field in TraceEvent._fields if f"`{field}`" not in PAGE] == []
    names = {"begins": "from", "ends": "to"}
    options = trace_command.__annotations__.keys() - {"return", *TOLD_ELSEWHERE}
    assert [name for name in options if f"`--{names.get(name, name)}" not in PAGE] == []
    assert all(f"`--{name}" in PAGE or f"`-{name[0]}`" in PAGE for name in TOLD_ELSEWHERE - {"where"})
