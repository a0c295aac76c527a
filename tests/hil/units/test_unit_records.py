"""Unit records: whole at every moment, nothing given twice, nothing left behind by a refusal."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.hil.units.unit_record import UnitIdentity, UnitMeasure, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_record_json import record_from_json, record_to_json
from fleetrig.hil.units.unit_records import UnitRecords, UnitRefused
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

UNIT = UnitIdentity("SN-1", "52:54:00:00:00:01", "gw2", "B")
RECORD = UnitRecord(1, UNIT, "desk", "left", "acme-gw2", 5)


@pytest.fixture
def records(tmp_path: Path) -> UnitRecords:
    return UnitRecords(tmp_path)


def made(records: UnitRecords, verdict: UnitVerdict, identity: UnitIdentity = UNIT, *, again: bool = False) -> int:
    with records.attempt(identity, again=again) as number:
        records.write(replace(RECORD, attempt=number, identity=identity).ended(9, verdict))
    return number


def test_a_record_survives_its_file(records):
    record = RECORD.with_phase(UnitPhase("flashed", UnitVerdict.PASSED, 1.5, tries=2)).ended(
        9, UnitVerdict.FAILED, "why"
    )
    record = replace(record, measures=(UnitMeasure("rssi", -40.0, "dBm", at_least=-60.0),), properties={"lot": "7"})
    assert record_from_json(record_to_json(record)) == record
    records.write(record)
    assert records.of("SN-1") == [record]
    assert records.all() == [record]


def test_a_failed_unit_is_tried_again_a_passed_one_only_when_asked(records):
    assert made(records, UnitVerdict.FAILED) == 1
    assert made(records, UnitVerdict.PASSED) == 2
    with pytest.raises(UnitRefused, match="SN-1 has passed already, as attempt 2 on left of desk"):
        made(records, UnitVerdict.PASSED)
    assert made(records, UnitVerdict.FAILED, again=True) == 3
    with pytest.raises(UnitRefused, match="as attempt 2"):
        made(records, UnitVerdict.PASSED)
    assert [one.attempt for one in records.of("SN-1")] == [1, 2, 3]


OTHERS = {
    "same MAC": (UnitIdentity("SN-2", UNIT.mac), "the MAC 52:54:00:00:00:01 belongs to serial number SN-1"),
    "other MAC": (UnitIdentity("SN-1", "52:54:00:00:00:02"), "the serial number SN-1 belongs to MAC 52:54:00:00:00:01"),
    "no MAC": (UnitIdentity("SN-1"), "this unit has none"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_serial_and_mac_belong_together_and_a_refusal_leaves_nothing(name, records, tmp_path):
    made(records, UnitVerdict.FAILED)
    claims = sorted(tmp_path.glob("claims/*/*"))
    identity, said = OTHERS[name]
    with pytest.raises(UnitRefused, match=said):
        made(records, UnitVerdict.PASSED, identity)
    assert sorted(tmp_path.glob("claims/*/*")) == claims
    assert len(records.all()) == 1
    assert made(records, UnitVerdict.PASSED, UnitIdentity("SN-2", "52:54:00:00:00:03")) == 1


@pytest.mark.parametrize("other", [UNIT, UnitIdentity("SN-9", UNIT.mac)], ids=["serial", "MAC"])
def test_two_boards_cannot_be_made_into_one_unit_at_once(other, records):
    with records.attempt(UNIT), pytest.raises(UnitRefused, match="right now"), records.attempt(other):
        pass


@pytest.mark.parametrize("serial", ["../x", "", "a b", "x" * 101], ids=["path", "empty", "space", "long"])
def test_what_cannot_name_a_file_is_no_serial(serial, records):
    with pytest.raises(UsageError, match="is no serial number"), records.attempt(UnitIdentity(serial)):
        pass


WRONG = {"no JSON": "{", "other version": '{"schema": 99}', "no member": '{"schema": 1}', "a list": "[]"}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_record_is_named(name, records, tmp_path):
    path = tmp_path / "records/SN-1/1.json"
    path.parent.mkdir(parents=True)
    path.write_text(WRONG[name])
    with pytest.raises(BrokenBench, match=r"SN-1/1\.json: .*move that file away"):
        records.of("SN-1")


MAKES = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from fleetrig.hil.units.unit_record import UnitIdentity, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords

folder, points = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def make(number):
    records, unit = UnitRecords(folder), UnitIdentity(f"SN-{number}", f"mac-{number}")
    with records.attempt(unit) as attempt:
        record = UnitRecord(attempt, unit, "desk", "left", "gw", 1)
        records.write(record)
        with (folder / "touched").open("a") as board:
            board.write(f"SN-{number}\\n")
        for rung in ("off", "flashed"):
            record = record.with_phase(UnitPhase(rung, UnitVerdict.PASSED, 0.1))
            records.write(record)
        record = replace(record, server="http://desk:8080")
        records.write(record)
        with (folder / "known").open("a") as server:
            server.write(f"SN-{number}\\n")
        record = replace(record, credential_kind="target_token", written={"/data/token": "0123456789abcdef"})
        records.write(record)
        record = record.with_phase(UnitPhase("provisioned", UnitVerdict.PASSED, 0.1))
        records.write(record)
        records.write(record.ended(2, UnitVerdict.PASSED))

def killed_at(line):
    def trace(frame, event, argument):
        global seen
        if "/hil/unit_record" not in frame.f_code.co_filename and frame.f_code is not make.__code__:
            return None
        seen += event == "line"
        if seen == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

killed_at(-1)
make(0)
sys.settrace(None)
lines, seen = seen, 0
for point in range(1, points + 1):
    child = os.fork()
    if not child:
        killed_at(point * lines // points)
        make(point)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
POINTS = 100


@pytest.mark.slow
def test_a_kill_at_any_line_leaves_no_half_record_and_no_unit_without_one(records, tmp_path):
    """A hundred lines of making a unit, from the first one to the last."""
    words = [sys.executable, "-c", MAKES, str(tmp_path), str(POINTS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(-signal.SIGKILL)] * POINTS
    verdicts = {one.identity.serial: one.verdict for one in records.all()}  # reads every record
    touched = (tmp_path / "touched").read_text().split()
    assert 10 < len(touched) < POINTS
    assert set(touched) <= verdicts.keys()
    assert {*verdicts.values()} == {UnitVerdict.UNFINISHED, UnitVerdict.PASSED}
    known = (tmp_path / "known").read_text().split()
    assert 10 < len(known) < len(touched)
    assert set(known) <= {one.identity.serial for one in records.all() if one.server}
    for number in range(1, POINTS + 1):
        with records.attempt(UnitIdentity(f"SN-{number}", f"mac-{number}"), again=True):
            pass  # what was killed holds nothing
