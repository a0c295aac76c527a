"""A run with boards that is stopped, or killed: it says how the boards are left, and no emulator outlives it."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.made_boards import missing_for
from fleetrig.harness.report.exits import Exit
from tests.harness.command import LIMIT_S, Running
from tests.harness.runs import write_scenario
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow

FAKE = """
    scenario: It is stopped
    boards: {gateway: {type: fake-board, offers: [power]}}
    devices: {flow: hawkbit, serial: "GW-{n:04d}"}
"""
EMULATED = FAKE.replace("fake-board", "qemu-arm64-uboot")
WATCHED = """
    phases:
      - name: it runs
        do: power_on
        within: 60s
        expect: [{prints: {line: "U-Boot 20"}}]
      - name: it is watched
        for: 10m
        expect: [{prints: {line: panic, times: 0}}]
"""
FLASHED = """
    phases:
      - name: it runs
        do: power_on
        within: 60s
        expect: [{prints: {line: "U-Boot 20"}}]
      - name: it is flashed
        do: {flash: {image: {size: 8MiB}}}
"""
TYPED = """
    phases:
      - name: it runs
        do: [flash: {image: {gateway: a}}, power_on]
        within: 60s
        expect: [{prints: {line: "^GATEWAY-READY"}}]
      - name: it is asked for long
        do: {unplug: {for: 10m}}
"""
STOPPED = {
    "watching": (WATCHED, "fake-1 is off, and untouched: what was on it still is"),
    "flashing": (FLASHED, "fake-1 is off, and "),
    "unplugged": (TYPED, "fake-1 is off, and written and verified: it can boot"),
}


@pytest.mark.parametrize(("body", "left"), STOPPED.values(), ids=STOPPED)
def test_ctrl_c_leaves_the_board_in_a_stated_condition(tmp_path: Path, body: str, left: str) -> None:
    write_scenario(tmp_path, body, "hil/x", FAKE)
    running = Running("run", "hil/x", cwd=tmp_path)
    running.until_said("it runs")
    assert running.interrupt() == Exit.INTERRUPTED
    assert "interrupted" in running.said()
    assert left in running.said()


def test_no_emulator_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    need_program("qemu-system-aarch64", "qemu-system-arm")
    if lacking := missing_for(emulated_desk().known("emulated-uboot")):
        pytest.skip(lacking)
    write_scenario(tmp_path, WATCHED, "hil/x", EMULATED)
    running = Running("run", "hil/x", cwd=tmp_path)
    running.until_said("it runs")
    emulators = children_of(running.process.pid)
    assert any("qemu" in command for command in emulators.values()), emulators
    watched = {os.pidfd_open(process_id): command for process_id, command in emulators.items()}
    running.kill()
    for handle, command in watched.items():
        assert select.select([handle], [], [], LIMIT_S)[0], f"{command} outlives the run"
        os.close(handle)


def children_of(process_id: int) -> dict[int, str]:
    """Process id -> command line."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process_id:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):  # it has just ended
            continue
    return found
