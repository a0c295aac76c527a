"""`board bring-up`: what is refused before a board is touched, and units made on real U-Boot."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.commands.board.bring_up import closing_lines
from fleetrig.harness.report.exits import Exit
from fleetrig.hil.units.unit_record import UnitIdentity, UnitMeasure, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from tests.harness.command import Done, Running, fleetrig
from tests.peers.programs import need_program

BOARD = """\
  {name}:
    type: qemu-arm64-uboot
    emulated: uboot
    identity: {{board: {identity}}}
    console: {{kind: uboot}}
    flasher: {{uboot_xmodem: {{storage: virtio, prepare: [virtio scan]}}}}
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "gw.img"
    path.write_bytes(random.Random(7).randbytes(3_000))
    return path


@pytest.fixture
def bring_up(tmp_path: Path):
    """The command with a bench of three emulated boards, of which `other` is not what the file says."""
    boards = {"left": "qemu-arm", "right": "qemu-arm", "other": "acme-gw2"}
    text = "boards:\n" + "".join(BOARD.format(name=name, identity=identity) for name, identity in boards.items())
    (tmp_path / "bench.yaml").write_text(text, encoding="utf-8")

    def run(*words: str) -> Done:
        return fleetrig("board", "bring-up", *words, "--bench", "bench.yaml", "--desk", "desk", cwd=tmp_path)

    return run


def records(folder: Path) -> list[UnitRecord]:
    return UnitRecords(folder / "units").all()


REFUSED = {
    "no serial": (["left"], "left: which unit is it to be? Say left=SERIAL"),
    "wrong MAC": (["left=SN-1,52:54"], "expected a MAC such as 52:54:00:12:34:56, got '52:54'"),
    "named twice": (["left=SN-1", "left=SN-2"], "left is named twice"),
    "unknown board": (["lefd=SN-1"], "did you mean 'left'?"),
    "unknown rung": (["left=SN-1", "--to", "boot"], "--to: expected flashed, booted, provisioned, got 'boot'"),
    "no image": (["left=SN-1", "--to", "flashed"], "--to flashed needs --image"),
    "a path": (["left=../SN-1"], "'../SN-1' is no serial number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_right_is_refused_before_anything(name, bring_up, state, tmp_path):
    words, said = REFUSED[name]
    done = bring_up(*words)
    assert done.returncode == 4
    assert said in done.stderr
    assert records(tmp_path) == []
    assert not [*state.glob("fleetrig/boards/*/disk.img")]


def test_the_end_says_how_many_and_which_not():
    passed, failed = (
        (Exit.PASSED, "left  SN-1  attempt 1  passed"),
        (Exit.FAILED, "other  SN-3  attempt 1  failed: silent"),
    )
    assert list(closing_lines([failed])) == []
    assert list(closing_lines([passed, passed])) == ["2 of 2 units were brought up"]
    assert list(closing_lines([passed, failed, passed]))[:2] == [
        "2 of 3 units were brought up; not these:",
        "  other  SN-3  attempt 1  failed: silent",
    ]


@pytest.fixture
def emulator() -> None:
    need_program("qemu-system-aarch64", "qemu-system-arm")


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.usefixtures("emulator")
def test_three_at_once_with_a_wrong_board_and_a_serial_twice(bring_up, image, state, tmp_path):
    words = ["left=SN-1,52:54:00:00:00:01", "right=SN-2,52:54:00:00:00:01", "other=SN-3"]
    done = bring_up(*words, "--image", str(image), "--part", "gw2")
    assert done.returncode == 4
    assert "right: the MAC 52:54:00:00:00:01 is being given to a unit right now" in done.stderr
    left, other = records(tmp_path)
    assert (left.identity.serial, left.verdict, left.board) == ("SN-1", UnitVerdict.PASSED, "left")
    assert [(phase.name, phase.verdict) for phase in left.phases] == [
        ("off", UnitVerdict.PASSED),
        ("flashed", UnitVerdict.PASSED),
        ("booted", UnitVerdict.PASSED),
    ]
    assert (other.identity.serial, other.verdict) == ("SN-3", UnitVerdict.FAILED)
    assert "expected the board to be board=acme-gw2" in other.reason
    assert "left  SN-1  attempt 1  passed\n" in done.stdout
    closing = done.stdout[done.stdout.index("1 of 3 units were brought up; not these:\n") :]
    assert "  right: the MAC 52:54:00:00:00:01 is being given" in closing
    assert "  other  SN-3  attempt 1  failed: " in closing
    assert not (state / "fleetrig/boards/right/disk.img").exists()
    again = bring_up("right=SN-2,52:54:00:00:00:01", "--image", str(image))
    assert "the MAC 52:54:00:00:00:01 belongs to serial number SN-1" in again.stderr
    assert bring_up("left=SN-1,52:54:00:00:00:01").returncode == 4
    assert bring_up("left=SN-1,52:54:00:00:00:01", "--again").returncode == 0


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.usefixtures("emulator", "bring_up")
def test_a_stop_is_written_down_with_the_boards_condition(state, tmp_path):
    large = tmp_path / "large.img"
    large.write_bytes(random.Random(8).randbytes(4 << 20))
    words = ("left=SN-1", "--image", str(large), "--bench", "bench.yaml", "--desk", str(tmp_path / "desk"))
    running = Running("board", "bring-up", *words, cwd=tmp_path, XDG_STATE_HOME=str(state))
    running.until_said("left  off: passed")
    assert running.interrupt() == 2
    (record,) = records(tmp_path)
    assert record.verdict is UnitVerdict.STOPPED
    assert record.reason == "stopped; the board is untouched: begin anew"
    assert record.phases[-1].verdict is UnitVerdict.STOPPED


def provisioned(record: UnitRecord) -> UnitRecord:
    """As a unit's record is when its server has seen it."""
    record = replace(
        record,
        server="http://desk:8080",
        configuration_sha256="c0ffee",
        credential_kind="target_token",
        credential_fingerprint="0123456789abcdef",
        written={"/data/token": "89abcdef01234567"},
    )
    return record.with_phase(UnitPhase("provisioned", UnitVerdict.PASSED, 2.0)).with_measure(
        UnitMeasure("seen", 1.5, "s")
    )


def test_records_are_listed_and_written_for_others(tmp_path):
    made = UnitRecords(tmp_path / "units")
    for number, verdict in enumerate((UnitVerdict.FAILED, UnitVerdict.BROKEN, UnitVerdict.PASSED), 1):
        record = UnitRecord(number, UnitIdentity("SN-1", "02:00:00:00:00:01"), "desk", "left", "gw", 0)
        if verdict is UnitVerdict.PASSED:
            record = provisioned(record)
        made.write(record.ended(1_500_000, verdict, 'it\x1b is, "broken"' if number < 3 else ""))
    done = fleetrig("board", "records", "--csv", "u.csv", "--junit", "u.xml", cwd=tmp_path)
    assert [line.split()[:6] for line in done.stdout.splitlines()[1:]] == [
        ["SN-1", "1", "left", "failed", "-", "-"],
        ["SN-1", "2", "left", "broken", "-", "-"],
        ["SN-1", "3", "left", "passed", "provisioned", "target_token"],
    ]
    csv_lines = (tmp_path / "u.csv").read_text().splitlines()
    assert csv_lines[0].startswith("serial,mac,part,revision,attempt,")
    assert len(csv_lines) == 4
    assert csv_lines[3].endswith(",provisioned=passed,seen=1.5s,/data/token=89abcdef01234567")
    assert ",http://desk:8080,c0ffee,target_token,0123456789abcdef," in csv_lines[3]
    xml = (tmp_path / "u.xml").read_text()
    assert 'tests="3" failures="1" errors="1"' in xml
    assert '<property name="mac" value="02:00:00:00:00:01" />' in xml
    assert '<property name="server" value="http://desk:8080" />' in xml
    assert '<property name="written" value="/data/token=89abcdef01234567" />' in xml
    assert "\x1b" not in xml
    assert fleetrig("board", "records", "none", cwd=tmp_path).returncode == 5


def test_the_schema_names_every_member_of_a_record(tmp_path):
    record = UnitRecord(1, UnitIdentity("SN-1"), "desk", "left", "gw", 0)
    UnitRecords(tmp_path / "units").write(record)
    written = json.loads((tmp_path / "units/records/SN-1/1.json").read_text())
    schema = json.loads(fleetrig("board", "records", "--schema", cwd=tmp_path).stdout)
    assert schema["properties"].keys() == written.keys()
    assert schema["properties"]["schema"] == {"const": written["schema"]}
