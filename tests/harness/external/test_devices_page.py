"""The commands of docs/devices.md do what the page says, typed as they stand there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from fleetrig.harness.platforms.thingsboard.program import behaviour_values
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.harness.command import PROJECT, fleetrig

PAGE = (PROJECT / "docs" / "devices.md").read_text(encoding="utf-8")
THINGSBOARD = PAGE[PAGE.index("## ThingsBoard") :]
COMMANDS = re.findall(r"(?m)^    fleetrig (.*)$", THINGSBOARD)
PROGRAM = Path(__file__).with_name("thingsboard_device.py")
TOO_LONG = "run external/thingsboard --device-command './my-device.sh'"
"""All rows over sockets, which test_thingsboard_rows does; here it stands for the command before."""


def test_these_are_the_commands() -> None:
    assert len(COMMANDS) == 4
    assert TOO_LONG in COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("command", [one for one in COMMANDS if one != TOO_LONG])
def test_a_command_works(command: str, tmp_path: Path) -> None:
    script = tmp_path / "my-device.sh"
    script.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(PROGRAM))}\n", encoding="utf-8")
    script.chmod(0o755)
    done = fleetrig(*shlex.split(command), "--scenarios", str(PROJECT / "scenarios"), cwd=tmp_path)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "skip" not in done.stdout


def test_every_value_that_a_program_is_told_stands_on_the_page() -> None:
    device = ThingsBoardDevice(ThingsBoardSettings("mqtt://h"), ProvisionKey("k", "s"))
    told = {*behaviour_values(device), "certificate", "certificate_key", "ca"}
    assert told == set(re.findall(r"`\{(\w+)\}`", THINGSBOARD))
