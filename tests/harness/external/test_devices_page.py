"""The commands of docs/devices.md do what the page says, typed as they stand there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hono.vocabulary import PROGRAM_VALUES
from fleetrig.harness.platforms.kura.vocabulary import PROGRAM_VALUES as VALUES_OF_KURA
from fleetrig.harness.platforms.thingsboard.program import behaviour_values
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.harness.command import PROJECT, fleetrig

PAGE = (PROJECT / "docs" / "devices.md").read_text(encoding="utf-8")
THINGSBOARD = PAGE[PAGE.index("## ThingsBoard") : PAGE.index("## Hono")]
HONO = PAGE[PAGE.index("## Hono") : PAGE.index("## Kura")]
KURA = PAGE[PAGE.index("## Kura") :]
COMMANDS = {
    name: re.findall(r"(?m)^    fleetrig (.*)$", part)
    for name, part in (("thingsboard", THINGSBOARD), ("hono", HONO), ("kura", KURA))
}
TOO_LONG = "run external/{0} --device-command './my-device.sh'"
"""All rows over sockets, which the tests of the rows do; here it stands for the command before."""


@pytest.mark.parametrize("platform", COMMANDS)
def test_these_are_the_commands(platform: str) -> None:
    assert len(COMMANDS[platform]) == 4
    assert TOO_LONG.format(platform) in COMMANDS[platform]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "command"),
    [(name, one) for name, listed in COMMANDS.items() for one in listed if one != TOO_LONG.format(name)],
)
def test_a_command_works(platform: str, command: str, tmp_path: Path) -> None:
    script, program = tmp_path / "my-device.sh", Path(__file__).with_name(f"{platform}_device.py")
    script.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))}\n", encoding="utf-8")
    script.chmod(0o755)
    done = fleetrig(*shlex.split(command), "--scenarios", str(PROJECT / "scenarios"), cwd=tmp_path)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "skip" not in done.stdout


def test_every_value_that_a_program_is_told_stands_on_the_page() -> None:
    device = ThingsBoardDevice(ThingsBoardSettings("mqtt://h"), ProvisionKey("k", "s"))
    told = {*behaviour_values(device), "certificate", "certificate_key", "ca"}
    assert told == set(re.findall(r"`\{(\w+)\}`", THINGSBOARD))


def test_every_value_that_the_program_of_a_hono_device_is_told_stands_on_the_page() -> None:
    told = {*PROGRAM_VALUES, "certificate", "certificate_key", "ca"}
    assert told == set(re.findall(r"`\{(\w+)\}`", HONO))


def test_every_value_that_the_program_of_a_gateway_is_told_stands_on_the_page() -> None:
    told = {*VALUES_OF_KURA, "certificate", "certificate_key", "ca"}
    assert told == set(re.findall(r"`\{(\w+)\}`", KURA))
