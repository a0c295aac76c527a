"""Bench files: what they make, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.hil.board import ConsoleSpec, MadeOf
from fleetrig.simulator.contract.errors import UsageError

WHOLE = """\
boards:
  left:
    type: acme-gw2
    port: /dev/serial/by-id/usb-ACME_1-if00
    baud: 9600
    serial: GW-1
    identity: {ethaddr: "52:54:00:12:34:56"}
    flasher: {uboot_xmodem: {storage: virtio, first_block: 0x1000}}
    console: {kind: uboot, login: root, password: env:GW_PASSWORD,
      stop_autoboot: escape, stop_every: 50ms, chunk: 16B, pause: 5ms}
    offers: [wifi]
  right:
    type: qemu-arm64
    emulated: uboot
"""
ENVIRON = {"GW_PASSWORD": "geheim-genug"}


def written(folder: Path, text: str) -> Path:
    path = folder / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_boards(tmp_path):
    desk = read_bench(written(tmp_path, WHOLE))
    left, right = desk.board("left", ENVIRON), desk.board("right", {})
    assert (left.port, left.baud, left.serial) == ("/dev/serial/by-id/usb-ACME_1-if00", 9600, "GW-1")
    assert left.identity == {"ethaddr": "52:54:00:12:34:56"}
    assert left.flasher is not None
    assert left.flasher.settings["first_block"] == 0x1000
    assert left.console == ConsoleSpec("uboot", "", "root", "geheim-genug", b"\x1b", 0.05, 16, 0.005)
    assert left.offers == {"wifi"}
    assert right.emulated == MadeOf("uboot", {"serial": "EMU-0001"})


def test_a_password_is_read_when_its_board_is_asked_for(tmp_path):
    desk = read_bench(written(tmp_path, WHOLE))
    assert desk.board("right", {}).console.password == ""
    with pytest.raises(UsageError, match="no variable GW_PASSWORD"):
        desk.board("left", {})
    assert "geheim" not in repr(desk.board("left", ENVIRON))


def test_a_password_comes_from_a_file_beside_the_bench_file(tmp_path):
    text = WHOLE.replace("env:GW_PASSWORD", '"file:gw.password"')
    secret = tmp_path / "gw.password"
    secret.write_text("aus der Datei\n", encoding="utf-8")
    secret.chmod(0o600)
    assert read_bench(written(tmp_path, text)).board("left", {}).console.password == "aus der Datei"
    secret.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        read_bench(written(tmp_path, text)).board("left", {})


def test_an_unknown_board_is_told_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="'rigth' is not known here; did you mean 'right'"):
        read_bench(written(tmp_path, WHOLE)).board("rigth")


X = "{storage: virtio, first_block: 0x1000}"
TOOL = "uboot_xmodem: " + X


def tool(write: str, ask: str) -> str:
    return f"command_line: {{write: '{write}', ask: '{ask}'}}"


MISTAKES = {
    "unknown key": (("    baud: 9600", "    buad: 9600"), "5:5: boards.left: 'buad' is not known here; did you mean"),
    "no port": (("    port: /dev/serial/by-id/usb-ACME_1-if00\n", ""), "2:3: boards.left: port is missing"),
    "two lines": (("emulated: uboot", "emulated: uboot\n    port: /dev/x"), "an emulated board has a port and power"),
    "two powers": (
        ("emulated: uboot", "emulated: uboot\n    power: by_hand"),
        "an emulated board has a port and power",
    ),
    "unknown power": (("    baud: 9600", "    power: by_hnad"), "did you mean 'by_hand'?"),
    "half a relay": (("    baud: 9600", "    power: {relay_url: {on: http://r/1}}"), "relay_url: off is missing"),
    "no relay": (("    baud: 9600", "    power: {relay_url: {on: r/1, off: r/0}}"), "expected http://HOST/"),
    "no time": (("    baud: 9600", "    power: {rts_dtr: {hold: 5}}"), "boards.left.power.rts_dtr.hold"),
    "relative port": (("/dev/serial/by-id/usb-ACME_1-if00", "ttyUSB0"), "4:11: boards.left.port: expected the whole"),
    "other URL": (("/dev/serial/by-id/usb-ACME_1-if00", "telnet://h:1"), "expected rfc2217://HOST:PORT or socket://"),
    "URL without port": (("/dev/serial/by-id/usb-ACME_1-if00", "socket://h"), "expected socket://HOST:PORT"),
    "baud as text": (("baud: 9600", "baud: fast"), "5:11: boards.left.baud: expected a whole number, got 'fast'"),
    "baud of nothing": (("baud: 9600", "baud: 0"), "boards.left.baud: expected a number of at least 50"),
    "identity as number": (('{ethaddr: "52:54:00:12:34:56"}', "{serial: 0007}"), "expected text (put it in quotes)"),
    "plain password": (("env:GW_PASSWORD", "hunter22"), "console.password: expected env:NAME or file:PATH"),
    "unknown flasher": (("uboot_xmodem:", "uboot_xmoden:"), "did you mean 'uboot_xmodem'?"),
    "two flashers": (("{storage: virtio, first_block: 0x1000}", "{}, avrdude: {}"), "'avrdude' is not known here"),
    "unknown storage": (("storage: virtio", "storage: virtoi"), "did you mean 'virtio'?"),
    "flash without place": ((X, "{storage: nor}"), "nor needs address and room"),
    "block with address": ((X, "{storage: mmc, address: 0x10}"), "address, room and sector are for flash"),
    "odd sector": ((X, "{storage: spi_nor, address: 0x10, room: 1MiB}"), "address is expected to begin a sector"),
    "no image": ((TOOL, tool("x {port}", "x {port}")), "no argument has {image}"),
    "unknown place": ((TOOL, tool("x {prot} {image}", "x {port}")), "did you mean {port}?\n"),
    "unknown place asked": ((TOOL, tool("x {port} {image}", "x {prot}")), "did you mean {port}?"),
    "any board": ((TOOL, tool("x {image}", "x {port}")), "write: expected {port} or {serial}"),
    "any board asked": ((TOOL, tool("x {port} {image}", "x")), "ask: expected {port} or {serial}"),
    "open quote": ((TOOL, tool("x {port} {image}", '"')), "expected a command line (a quote is never closed)"),
    "RAM overlaps": (("first_block: 0x1000", "received: 0x41000000, read_back: 0x41000000"), "overlap"),
    "Enter again and again": (("autoboot: escape", "autoboot: enter"), "would repeat U-Boot's last command"),
    "bad prompt": (("kind: uboot", "kind: uboot, prompt: '('"), "console.prompt: expected a regular expression"),
    "unknown emulation": (("emulated: uboot", "emulated: u-boot"), "did you mean 'uboot'?"),
    "no emulation": (("emulated: uboot", "emulated: {}"), "expected one of uboot, gateway, fake"),
    "name with space": (("  left:", "  le ft:"), "expected a name of letters, digits and _ . -"),
    "port twice": (
        ("emulated: uboot", "port: /dev/serial/by-id/usb-ACME_1-if00"),
        "14:11: boards.right.port: '/dev/serial/by-id/usb-ACME_1-if00' belongs to left already",
    ),
    "serial twice": (("emulated: uboot", "emulated: uboot\n    serial: GW-1"), "'GW-1' belongs to left already"),
    "no board": ((WHOLE, "boards: {}\n"), "boards"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place(name, tmp_path):
    (old, new), said = MISTAKES[name]
    assert old in WHOLE
    with pytest.raises(FileMistakes) as wrong:
        read_bench(written(tmp_path, WHOLE.replace(old, new)))
    assert said in str(wrong.value)
    assert str(tmp_path / "bench.yaml:") in str(wrong.value)
    assert "hunter22" not in str(wrong.value)
