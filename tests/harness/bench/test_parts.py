"""What the bench file says of a board's parts is what the board gets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.flashers import check_can_be_flashed, least_s, uboot_flasher
from fleetrig.harness.bench.powers import power_of
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import UBOOT
from fleetrig.hil.flashers.uboot_storage import NorStorage, SpiNorStorage, UbootStorage
from fleetrig.hil.flashers.uboot_tftp import UbootTftp
from fleetrig.hil.powers.relay_url import RelayUrlPower
from fleetrig.simulator.contract.errors import BrokenBench

POWERS = {
    "by_hand": "by hand",
    "{command_line: {on: pdu on 3, off: pdu off 3}}": "command line",
    "{usb_hub: {location: 1-1.4, port: 2}}": "USB hub 1-1.4, port 2 (uhubctl)",
    "{rts_dtr: {line: dtr}}": "reset by DTR of loop://",
    "{relay_url: {on: 'http://u:geheim@r/1?key=x', off: http://r/0}}": "relay http://…@r/1?…",
}


class NamedPort:
    """Its name is all that is asked for."""

    url = "loop://"


PORT: Any = NamedPort()


def spec_with(folder: Path, power: str, environ: dict[str, str]):
    path = folder / "bench.yaml"
    path.write_text(f"boards: {{left: {{type: t, port: /dev/x, power: {power}}}}}", encoding="utf-8")
    return read_bench(path).board("left", environ)


@pytest.mark.parametrize("power", POWERS)
def test_each_power_is_made(power, tmp_path):
    made = power_of(spec_with(tmp_path, power, {}), PORT)
    assert made is not None
    assert made.title == POWERS[power]


def test_a_relays_urls_and_bodies_are_its_calls(tmp_path):
    text = "{relay_url: {on: env:RELAY_ON, off: http://r/0, off_body: 'x=0', reset: http://r/2, off_for: 5s}}"
    made = power_of(spec_with(tmp_path, text, {"RELAY_ON": "http://u:p@r/1"}), PORT)
    assert isinstance(made, RelayUrlPower)
    assert (made.on_call.url, made.on_call.body) == ("http://u:p@r/1", None)
    assert (made.off_call.url, made.off_call.body) == ("http://r/0", b"x=0")
    assert made.reset_call is not None
    assert made.reset_call.url == "http://r/2"
    assert made.off_s == 5.0


def test_a_command_line_switches(tmp_path):
    spec = spec_with(tmp_path, f"{{command_line: {{on: 'touch {tmp_path}/on', off: 'rm {tmp_path}/on'}}}}", {})
    power = power_of(spec, PORT)
    assert power is not None
    asyncio.run(power.on())
    assert (tmp_path / "on").exists()
    asyncio.run(power.off())
    with pytest.raises(BrokenBench, match="rm failed"):
        asyncio.run(power.off())


def test_nobody_at_the_terminal_is_no_hand(tmp_path, monkeypatch):
    power = power_of(spec_with(tmp_path, "by_hand", {}), PORT)
    assert power is not None
    with (tmp_path / "nothing").open("w+") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        with pytest.raises(BrokenBench, match="nobody could switch left off"):
            asyncio.run(power.off())


def test_the_emulated_boards_can_be_flashed():
    assert emulated_desk().entries
    for name in emulated_desk().entries:
        spec = emulated_desk().board(name)
        check_can_be_flashed(spec)
        assert spec.flasher is not None
        flasher = uboot_flasher(spec.flasher, spec.identity, Console(PORT, UBOOT, "m"), Path())
        assert (flasher.title, least_s(spec, 1 << 30)) == ("U-Boot, XMODEM-1K to virtio", 0.0)
        assert spec.identity == {"serial#": spec.serial}


def flashing(folder: Path, flasher: str):
    path = folder / "bench.yaml"
    path.write_text(f"boards: {{left: {{type: t, port: /dev/x, flasher: {flasher}}}}}", encoding="utf-8")
    return read_bench(path).board("left")


def test_tftp_has_its_folder_beside_the_bench_file(tmp_path):
    spec = flashing(tmp_path, "{uboot_tftp: {folder: served, storage: mmc, server: 192.0.2.1}}")
    made = uboot_flasher(spec.flasher, {"a": "b"}, Console(PORT, UBOOT, "m"), tmp_path)
    assert made.title == "U-Boot, TFTP to mmc"
    assert isinstance(made, UbootTftp)
    assert least_s(spec, 1 << 20) == 0.0


def test_a_flash_cannot_be_faster_than_its_line(tmp_path):
    assert 91 < least_s(flashing(tmp_path, "uboot_xmodem"), 1 << 20) < 93


def test_ymodem_is_for_boot_loaders_without_loadx(tmp_path):
    spec = flashing(tmp_path, "{uboot_ymodem: {storage: mmc}}")
    made = uboot_flasher(spec.flasher, {"a": "b"}, Console(PORT, UBOOT, "m"), tmp_path)
    assert made.title == "U-Boot, YMODEM to mmc"


FLASH: dict[str, tuple[UbootStorage, tuple[str, str]]] = {
    "{uboot_xmodem: {storage: nor, address: 0x4100000, room: 1MiB, prepare: [protect off bank 2]}}": (
        NorStorage(0x410_0000, 1 << 20, ("protect off bank 2",)),
        ("erase 4100000 +c8", "cp.b 41000000 4100000 c8"),
    ),
    "{uboot_tftp: {folder: t, storage: spi_nor, address: 0, room: 4MiB, sector: 64KiB}}": (
        SpiNorStorage(0, 4 << 20, ("sf probe",), 64 << 10),
        ("sf erase 0 +c8", "sf write 41000000 0 c8"),
    ),
}


@pytest.mark.parametrize("flasher", FLASH)
def test_flash_is_erased_and_written_where_the_file_says(flasher, tmp_path):
    spec = flashing(tmp_path, flasher)
    storage, commands = FLASH[flasher]
    made = uboot_flasher(spec.flasher, {"a": "b"}, Console(PORT, UBOOT, "m"), tmp_path)
    assert made.title.endswith(f" to {storage.title}")
    assert made._storage == storage
    assert storage.write(0x4100_0000, 0, 200) == commands
