"""The commands of docs/kura.md are run as they stand there, against our own server in the place of theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms.kura.serve import KNOWN
from tests.doc_page import ROOT, at_free_ports, blocks, page, ran, ran_without_failures
from tests.harness.served import Served

PAGE: Final = page("kura")
PORTS: Final = {"http": 8081, "mqtt": 1883, "mqtts": 8883}


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    accounts, *others = blocks(PAGE)
    ran(accounts, tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    listeners = [part for name in PORTS for part in (f"--{name}", "127.0.0.1:0")]
    with Served(tmp_path, "--platform", "kura", "--accounts", str(tmp_path / "accounts.yaml"), *listeners) as served:
        [file] = blocks(PAGE, "yaml")
        (tmp_path / "SERVER.yaml").write_text(f"{at_free_ports(file, PORTS, served.ready)}ca: {served.ready['ca']}\n")
        for block in others:
            ran_without_failures(at_free_ports(block, PORTS, served.ready), tmp_path)


def test_the_keys_of_the_page_are_those_of_the_file() -> None:
    [file] = blocks(PAGE, "yaml")
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
