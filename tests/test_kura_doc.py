"""The commands of docs/kura.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms.kura.serve import KNOWN
from tests.harness.served import Served

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs/kura.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
PORTS: Final = {"http": 8081, "mqtt": 1883, "mqtts": 8883}
FAILED: Final = re.compile(r"\b[1-9]\d* failed")
WITHIN_S: Final = 120.0


def at_free_ports(text: str, ready: Mapping[str, str]) -> str:
    """The same for the server that runs."""
    for name, port in PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", ready[name])
    return text


def run_block(block: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-u", "-c", block], cwd=folder, timeout=WITHIN_S,
        env={**os.environ, "PATH": path}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, FAILED.search(done.stdout)) == (0, None), (block, done.stdout, done.stderr)


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    accounts, *others = BLOCK.findall(PAGE)
    run_block(accounts, tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    listeners = [part for name in PORTS for part in (f"--{name}", "127.0.0.1:0")]
    with Served(tmp_path, "--platform", "kura", "--accounts", str(tmp_path / "accounts.yaml"), *listeners) as served:
        [file] = FILE.findall(PAGE)
        (tmp_path / "SERVER.yaml").write_text(f"{at_free_ports(file, served.ready)}ca: {served.ready['ca']}\n")
        for block in others:
            run_block(at_free_ports(block, served.ready), tmp_path)


def test_the_keys_of_the_page_are_those_of_the_file() -> None:
    [file] = FILE.findall(PAGE)
    assert set(PORTS) == {line.partition(":")[0] for line in file.splitlines()} - {"platform", "user", "password"}


def test_the_properties_of_the_page_are_there() -> None:
    named = set(re.findall(r"`(kura\.[a-z-]+)`", PAGE)) - {"kura.provisioning"}
    assert named
    assert named <= set(KNOWN)


def test_both_profiles_are_called_inventions_and_no_vendors_format() -> None:
    for name in ("PROV-SIM1", "SIG-SIM1"):
        assert re.search(rf"^\| \*\*`{name}`\*\*.*\*\*invented here\*\*", PAGE, re.MULTILINE), name
    assert "Kura namespace, open profile" in PAGE
    assert "ESF" not in PAGE, "nothing is claimed of it"
