"""The emulated gateway, whole: flashed over its serial line, booted, given its identity, provisioned, updated.

Nothing of the device's side was written here but its start scripts: U-Boot, Linux and swupdate are Debian's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import LINUX
from fleetrig.hil.consoles.shell_dialect import UBOOT as UBOOT_SHELL
from fleetrig.hil.emulated.gateway_image import SLOT_A, SLOT_B, GatewayParts, gateway_firmware, gateway_parts
from fleetrig.hil.emulated.linux_gateway import HOST, linux_gateway
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import UBOOT
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_xmodem import UbootXmodem
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.mgmt import Mgmt
from tests.peers.programs import need_program, until
from tests.peers.serving import ServedFleetrig
from tests.peers.swupdate_image import Signer, Update, signed_image

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WITHIN_S = 120.0
"""For a machine on which other emulators run; alone it takes a tenth of it."""
SERIAL = "GW-SN-7"
LOST_UPDATE = re.compile("holds no firmware that can be booted")


class FirmwareUpdate(Update):
    """Goes into the slot that the gateway is not running from."""

    @property
    def description(self) -> str:
        image = f'filename = "payload.bin"; type = "raw"; device = "{self.install_to}"; sha256 = "{self.sha256}";'
        return f'software = {{ version = "2"; hardware-compatibility: [ "1.0" ]; images: ( {{ {image} }} ); }}\n'

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()


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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServedFleetrig]:
    served = ServedFleetrig(tmp_path)
    try:
        served.accept_tokens()
        yield served
        served.show()
    finally:
        served.stop()


class Bench:
    """One gateway and its console."""

    def __init__(self, board: QemuBoard, port: SerialPort) -> None:
        self.board = board
        self.port = port
        self.said: list[str] = []

    def console(self, shell: str) -> Console:
        dialect = {"uboot": UBOOT_SHELL, "linux": LINUX}[shell]
        return Console(self.port, dialect, f"k{shell[0]}", on_line=self.said.append)

    async def flash(self, image: Path) -> None:
        uboot = self.console("uboot")
        await self.board.on()
        await uboot.wait_for(re.compile("stop autoboot"), WITHIN_S)
        await uboot.type("\r")
        await uboot.wait_for(UBOOT_SHELL.prompt, WITHIN_S)
        read = read_image(image)
        flashed = await UbootXmodem(uboot, {"serial#": SERIAL}).flash(read, lambda _: None)
        assert flashed.written_bytes == read.size_bytes
        await self.board.off()

    async def boots(self, build_id: str) -> Console:
        """The console of what has booted, and that is what was flashed."""
        linux = self.console("linux")
        ready = await linux.wait_for(re.compile("^GATEWAY-READY .* uptime_s="), WITHIN_S)
        assert f" build={build_id} " in ready
        await linux.wait_for(re.compile("^gateway# $"), WITHIN_S)
        return linux

    async def write_file(self, linux: Console, path: str, text: str) -> None:
        """Line by line, and read back."""
        assert (await linux.run(f": > {path}", WITHIN_S)).status == 0
        for line in text.splitlines():
            quoted = line.replace("'", "'\\''")
            assert (await linux.run(f"printf '%s\\n' '{quoted}' >> {path}", WITHIN_S)).status == 0
        read = await linux.run(f"sha256sum {path}", WITHIN_S)
        assert read.output.split()[0] == hashlib.sha256(text.encode()).hexdigest()


def test_a_gateway_is_flashed_booted_provisioned_and_updated(parts, server, tmp_path):
    vendor = Signer.make(tmp_path, "vendor")
    token = server.mgmt.create_target("GW-0001")  # "unknown" until it polls
    identity = (
        f"URL='http://{HOST}:{server.host_port.rpartition(':')[2]}'\nTENANT=DEFAULT\nID=GW-0001\nTOKEN='{token}'\n"
    )
    first, second = f"first-{tmp_path.name}", f"second-{tmp_path.name}"
    (tmp_path / "firmware").write_bytes(gateway_firmware(first))

    async def story(bench: Bench) -> None:
        await bench.flash(tmp_path / "firmware")
        await bench.board.on()
        linux = await bench.boots(first)
        await bench.write_file(linux, "/data/vendor.crt", vendor.certificate.read_text())
        await bench.write_file(linux, "/data/identity", identity)
        assert (await linux.run("sync", WITHIN_S)).status == 0

        # A power cut: whoever it is survives it, and it reports to the server by itself.
        await bench.board.off()
        began_s = asyncio.get_running_loop().time()
        await bench.board.on()
        await asyncio.to_thread(_until_seen, server)
        print(f"power-on to first poll: {asyncio.get_running_loop().time() - began_s:.1f} s")
        await bench.boots(first)

        update = FirmwareUpdate(gateway_firmware(second), Path("/dev/slot-next"))
        action = await asyncio.to_thread(_assign, server.mgmt, tmp_path, update, vendor)
        await bench.boots(second)  # it restarts by itself
        await asyncio.to_thread(_until_finished, server, action)
        await asyncio.to_thread(_until_it_tells, server, second)

    asyncio.run(_with_gateway(tmp_path / "gateway", parts, story))
    assert server.mgmt.set_version("GW-0001", "installedDS") == "2.0"
    disk = (tmp_path / "gateway" / "disk.img").read_bytes()
    assert disk[SLOT_A.begin_bytes :].startswith(gateway_firmware(first)), "it can go back"
    assert disk[SLOT_B.begin_bytes :].startswith(gateway_firmware(second))


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


def _until_seen(server: ServedFleetrig) -> None:
    until("it has polled", lambda: server.mgmt.update_status("GW-0001") == "registered", server, within_s=WITHIN_S)


def _assign(mgmt: Mgmt, folder: Path, update: Update, vendor: Signer) -> int:
    return mgmt.assign(mgmt.create_update("second", signed_image(folder, update, vendor)), "GW-0001")


def _until_finished(server: ServedFleetrig, action: int) -> None:
    until("it is finished", lambda: not server.mgmt.is_active("GW-0001", action), server, within_s=WITHIN_S)
    assert server.mgmt.action("GW-0001", action)["status"] == "finished"


def _until_it_tells(server: ServedFleetrig, build_id: str) -> None:
    def tells() -> bool:
        return server.mgmt.attributes("GW-0001").get("build") == build_id

    until(f"it tells that it is {build_id}", tells, server, within_s=WITHIN_S)


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
