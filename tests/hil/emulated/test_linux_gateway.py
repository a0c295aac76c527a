"""The emulated gateway by itself; `scenarios/hil/gateway_story.yaml` has its whole story."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import LINUX
from fleetrig.hil.consoles.shell_dialect import UBOOT as UBOOT_SHELL
from fleetrig.hil.emulated.gateway_image import SLOT_A, SLOT_B, GatewayParts, gateway_firmware, gateway_parts
from fleetrig.hil.emulated.linux_gateway import linux_gateway
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import UBOOT
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.programs import need_program

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WITHIN_S = 120.0
"""For a machine on which other emulators run; alone it takes a tenth of it."""
SERIAL = "GW-SN-7"
LOST_UPDATE = re.compile("holds no firmware that can be booted")


@pytest.fixture(scope="module")
def parts() -> GatewayParts:
    need_program("qemu-system-aarch64", "qemu-system-arm")
    if not UBOOT.exists():
        need_program("u-boot.bin", "u-boot-qemu")
    try:
        return asyncio.run(gateway_parts())
    except BrokenBench as broken:  # no network, or no Debian
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(broken))


class Bench:
    """One gateway and its console."""

    def __init__(self, board: QemuBoard, port: SerialPort) -> None:
        self.board = board
        self.port = port
        self.said: list[str] = []

    def console(self, shell: str) -> Console:
        dialect = {"uboot": UBOOT_SHELL, "linux": LINUX}[shell]
        return Console(self.port, dialect, f"k{shell[0]}", on_line=self.said.append)

    async def boots(self, build_id: str) -> Console:
        """The console of what has booted, and that is what was flashed."""
        linux = self.console("linux")
        ready = await linux.wait_for(re.compile("^GATEWAY-READY .* uptime_s="), WITHIN_S)
        assert f" build={build_id} " in ready
        await linux.wait_for(re.compile("^gateway# $"), WITHIN_S)
        return linux


async def _with_gateway(folder: Path, parts: GatewayParts, story) -> None:
    await asyncio.to_thread(folder.mkdir)
    board = linux_gateway(folder, parts, SERIAL)
    port = await open_port(board.port, clock=WallClock())
    bench = Bench(board, port)
    try:
        await story(bench)
    finally:
        print("\n".join(bench.said[-100:]))
        await port.close()
        await board.close()


def test_a_damaged_slot_is_passed_over(parts, tmp_path):
    """U-Boot checks what it loads: half of a firmware does not boot, what lies in the other slot does."""
    whole, half = gateway_firmware("whole"), gateway_firmware("half")[:-100]

    async def story(bench: Bench) -> None:
        await asyncio.to_thread(_write_slots, tmp_path / "gateway" / "disk.img", half, whole)
        await bench.board.on()
        await bench.boots("whole")
        assert any(LOST_UPDATE.search(line) for line in bench.said)

    asyncio.run(_with_gateway(tmp_path / "gateway", parts, story))


def _write_slots(disk: Path, first: bytes, second: bytes) -> None:
    with disk.open("r+b") as written:
        for slot, data in ((SLOT_A, first), (SLOT_B, second)):
            written.seek(slot.begin_bytes)
            written.write(data)


def test_firmware_is_the_same_whenever_it_is_built():
    assert gateway_firmware("7") == gateway_firmware("7")
    assert gateway_firmware("7") != gateway_firmware("8")
