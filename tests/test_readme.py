"""The README's commands are run as they stand there, chapter by chapter, in a folder of their own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.servers.serve_process import ServeProcess

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVE = "fleetrig serve\n"
WITHIN_S = 120.0


def commands() -> list[str]:
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """What a user has: the scenarios, and nothing else of the project."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    return tmp_path


@pytest.fixture
def server(desk: Path) -> Iterator[str]:
    """The server that the README starts in another terminal, on a free port instead of 8080."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with ServeProcess(desk, "--http", address):
        yield address


def test_every_command_works(desk: Path, server: str) -> None:
    blocks = commands()
    assert SERVE in blocks, "the README starts the server in a block of its own"
    copied = desk / "scenarios"
    copied.unlink()
    subprocess.run(["cp", "-r", str(ROOT / "scenarios"), str(copied)], check=True)
    for block in blocks:
        if block != SERVE:
            run(block.replace("127.0.0.1:8080", server), desk)


def run(block: str, desk: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", block], cwd=desk, env={**os.environ, "PATH": path}, timeout=WITHIN_S, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\nended with {done.returncode}:\n{done.stdout}\n{done.stderr}"


def test_the_demo_output_is_of_this_scenario() -> None:
    """The sample in the README names the phases that the demo really has."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    phases = re.findall(r"- name: (.*)", (ROOT / "scenarios/hawkbit/demo.yaml").read_text(encoding="utf-8"))
    assert phases
    assert all(f"  ok {phase}  " in readme for phase in phases)
