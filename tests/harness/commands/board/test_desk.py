"""`board list`, `scan`, `who`, `out-of-service`, `in-service`: what people see who share a desk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.bench_schema import bench_schema
from fleetrig.harness.bench.draft import draft
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.ports.port_list import FoundPort, found_ports
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.harness.command import Done, fleetrig


@pytest.fixture
def board(line, tmp_path):
    """The command, with bench file and desk."""

    def run(verb: str, *words: str) -> Done:
        return fleetrig(
            "board", verb, *words, "--bench", str(line.bench), "--desk", str(tmp_path / "desk"), cwd=tmp_path
        )

    return run


def row(done: Done, name: str) -> str:
    return next(line for line in done.stdout.splitlines() if line.startswith(name))


def test_list_says_what_is_there_and_who_has_it(board, tmp_path):
    assert board("out-of-service", "far", "its relay sticks").returncode == 0
    with Reservations(tmp_path / "desk", WallClock()).held("sim", "board flash"):
        done = board("list")
    assert done.returncode == 0
    assert row(done, "left").split()[-3:] == ["yes", "free", "wifi"]
    assert row(done, "gone").split()[-3:] == ["no", "free", "-"]
    assert "?      out of service: its relay sticks" in row(done, "far")
    assert "yes    busy: " in row(done, "sim")


def test_list_warns_of_a_name_that_changes(board, line):
    line.bench.write_text("boards: {a: {type: t, port: /dev/ttyUSB7}}", encoding="utf-8")
    assert "a: /dev/ttyUSB7 may be another board after a reboot" in board("list").stderr


def test_without_a_bench_file_the_emulated_boards_are_the_bench(tmp_path):
    done = fleetrig("board", "list", "--desk", str(tmp_path), cwd=tmp_path)
    assert "emulated-uboot" in done.stdout


def test_a_board_of_ones_own_is_not_looked_for_on_the_emulated_bench(tmp_path):
    done = fleetrig("board", "who", "left", "--desk", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 4
    assert "boards of your own need --bench BENCH.yaml" in done.stderr


def test_list_tells_what_a_draft_still_lacks(board, line):
    line.bench.write_text(draft([FoundPort("/dev/x", "/dev/x", "", is_stable=True)]), encoding="utf-8")
    assert "board-1: its type is still TODO: say what it is" in board("list").stderr


def test_who_says_who_has_it_and_who_had_it(board, tmp_path):
    desk = Reservations(tmp_path / "desk", WallClock())
    with desk.held("left", "board flash"):
        pass
    with desk.held("left", "board console", until_us=1_800_000_000_000_000):
        now = board("who", "left").stdout
    assert "left is in use by " in now
    assert "`board console`" in now
    assert "until 2027-01-15" in now
    after = board("who", "left").stdout
    assert after.startswith("left is free\n")
    assert [line.rpartition(", ")[2] for line in after.splitlines()[1:]] == ["board flash", "board console"]
    assert board("who", "left", "--last", "0").stdout == "left is free\n"


def test_a_board_out_of_service_is_refused_with_the_sentence(board, line, tmp_path):
    put_out = board("out-of-service", "left", "its relay sticks").stdout
    assert f"board in-service left --bench {line.bench} --desk {tmp_path / 'desk'}` ends that" in put_out
    refused = board("console", "left", "--run", "true")
    assert refused.returncode == 3
    assert "left is out of service since" in refused.stderr
    assert "its relay sticks" in refused.stderr
    assert "out of service since" in board("who", "left").stdout
    assert board("in-service", "left").stdout == "left is in service again\n"
    assert board("in-service", "left").returncode == 4


def test_a_busy_board_is_told_at_once(board, tmp_path):
    with Reservations(tmp_path / "desk", WallClock()).held("left", "board flash"):
        refused = board("console", "left", "--run", "true")
    assert refused.returncode == 3
    assert "left is busy: " in refused.stderr
    assert "`board flash`, since" in refused.stderr


@pytest.mark.parametrize("verb", ["who", "in-service", "console", "flash"])
def test_a_board_that_is_not_on_the_bench_is_named(verb, board, tmp_path):
    words = [str(tmp_path)] if verb == "flash" else []
    done = board(verb, "lefd", *words)
    assert done.returncode == 4
    assert "did you mean 'left'?" in done.stderr


def test_console_needs_a_terminal_or_commands(board):
    done = board("console", "left")
    assert done.returncode == 4
    assert "--run CMD" in done.stderr


def test_a_port_that_is_not_plugged_in_is_the_benchs_fault(board):
    done = board("console", "gone", "--run", "true")
    assert done.returncode == 3
    assert "/dev/serial/by-id/usb-nobody-has-this: there is no such port: is the adapter plugged in?" in done.stderr


FLASHES = {
    "no flasher": ("left", [], "left has no flasher"),
    "no identity": ("sim", [], "sim has no identity: the board is asked who it is"),
    "short hash": ("whole", ["--sha256", "abc"], "--sha256: expected 64 hexadecimal digits"),
    "other hash": ("whole", ["--sha256", "0" * 64], "expected SHA-256 0000"),
    "no image": ("whole", [], "gone.img: No such file or directory"),
}


@pytest.mark.parametrize("name", FLASHES)
def test_a_flash_that_cannot_be_right_touches_no_board(name, board, line, tmp_path):
    board_name, options, said = FLASHES[name]
    text = line.bench.read_text(encoding="utf-8").replace(
        "emulated: uboot", "emulated: uboot\n    flasher: uboot_xmodem"
    )
    whole = "  whole: {type: t, port: /dev/nothing, identity: {a: b}, flasher: uboot_xmodem}\n"
    line.bench.write_text(text + whole, encoding="utf-8")
    image = tmp_path / "a.img"
    image.write_bytes(b"image")
    done = board("flash", board_name, str(tmp_path / "gone.img" if name == "no image" else image), *options)
    assert done.returncode == 4
    assert said in done.stderr
    assert line.said == b""


def usb(device: Path, product: str, serial_number: str | None) -> ListPortInfo:
    port = ListPortInfo(str(device))
    port.vid, port.product, port.serial_number, port.manufacturer = 0x0403, product, serial_number, "ACME"
    return port


def test_scan_writes_a_file_that_can_be_read_with_names_that_stay(tmp_path):
    named, bare, soldered = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1", ListPortInfo("/dev/ttyAMA0")
    named.touch()
    links = tmp_path / "by-id"
    links.mkdir()
    (links / "usb-ACME_7").symlink_to(named)
    ports = found_ports([usb(named, 'UART "x"\x1b', "7"), usb(bare, "UART", None), soldered], links)
    text = draft(ports)
    path = tmp_path / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    assert {entry.port for entry in read_bench(path).entries.values()} == {
        str(links / "usb-ACME_7"),
        str(bare),
        "/dev/ttyAMA0",
    }
    assert text.count("TODO: this name changes") == 1
    assert "serial number 7" in text


def test_scan_leaves_a_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "fleetrig.harness.commands.board.scan.found_ports", lambda: found_ports([ListPortInfo("/dev/x")])
    )
    done = fleetrig("board", "scan", "--out", "bench.yaml", cwd=tmp_path)
    assert done.stdout == (
        "wrote bench.yaml with 1 port, and bench.schema.json for editors: fill in what is marked TODO\n"
    )
    first = (tmp_path / "bench.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=bench.schema.json"
    assert json.loads((tmp_path / "bench.schema.json").read_text(encoding="utf-8")) == bench_schema()
    assert fleetrig("board", "scan", "--out", "bench.yaml", cwd=tmp_path).returncode == 4
    monkeypatch.setattr("fleetrig.harness.commands.board.scan.found_ports", list)
    assert fleetrig("board", "scan", cwd=tmp_path).returncode == 3
