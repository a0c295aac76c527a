"""The page about the bench: its commands are run as they stand there, its bench file is read, its tables are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fleetrig.harness.bench.bench_file import BoardEntry, read_bench
from fleetrig.harness.bench.flasher_models import FlasherPart
from fleetrig.harness.bench.part_models import PowerPart
from tests.peers.programs import need_program

PAGE = (Path(__file__).parents[1] / "docs/bench.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
WITHIN_S = 120.0


def written(folder: Path) -> Path:
    """The bench of the page; the part that follows later on it is the last key of its last board."""
    path = folder / "bench.yaml"
    path.write_text("".join(EXAMPLES), encoding="utf-8")
    return path


def test_the_example_is_a_bench_file(tmp_path):
    desk = read_bench(written(tmp_path))
    assert desk.board("left").power is not None
    right = desk.board("right", {"GW_PASSWORD": "geheim-genug"})
    assert right.console.login == "root"
    assert right.provisioning is not None
    assert right.provisioning.host == "10.0.2.2"


def test_every_key_and_kind_is_explained():
    table = PAGE[PAGE.index("| key of a board") :]
    missing = [name for model in (FlasherPart, PowerPart) for name in model.model_fields if f"`{name}`" not in table]
    explained = table.partition("## Who")[0] + " `type`"
    assert missing + [name for name in BoardEntry.model_fields if f"`{name}`" not in explained] == []


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("number", range(2))
def test_every_command_works(number, tmp_path):
    assert len(COMMANDS) == 2
    need_program("qemu-system-aarch64", "qemu-system-arm")
    written(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    desk = f'fleetrig() {{ command fleetrig "$@" $([ "$2" = records ] || echo --desk {tmp_path}/desk); }}\n'
    with tempfile.TemporaryDirectory(prefix="fr") as state:
        done = subprocess.run(
            ["bash", "-e", "-u", "-c", desk + COMMANDS[number]], cwd=tmp_path, timeout=WITHIN_S, text=True,
            env={**os.environ, "PATH": path, "XDG_STATE_HOME": state}, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
