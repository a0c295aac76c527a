"""The manufacturing record: what stands in it, and that it is there whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest

from fleetrig.harness.checks.manufacturing_record import write_record
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import TargetToken
from tests.harness.bench_fixture import BenchFixture


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_unit_has_a_row_in_both_files(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, count=3)
    bench.do("preregister", only="HB-[12]")
    bench.do("power_on", only="HB-[13]")
    bench.wait(3)

    finding = bench.ask("record", passed="all", file="line-7")

    assert finding is not None
    assert (finding.expected, finding.got) == ("3 units passed", "1; not these: HB-2, HB-3")
    rows = rows_of(tmp_path / "results" / "line-7.csv")
    assert rows == json.loads((tmp_path / "results" / "line-7.json").read_text())
    assert tuple(rows[0]) == ("serial", "controllerId", "fingerprint", "verdict")
    assert [row["verdict"] for row in rows] == ["passed", "failed: unknown on the server", "failed: not on the server"]
    assert bench.ask("record", passed=1, file="line-7") is None


def test_the_fingerprint_is_that_of_what_was_burnt_in(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, credential="wrong_target_token")
    bench.do("preregister")
    bench.ask("record")

    rows = json.loads((tmp_path / "results" / "manufacturing-record.json").read_text())
    credential = bench.context.devices["HB-1"].credential
    assert isinstance(credential, TargetToken)
    assert rows[0]["fingerprint"] == hashlib.sha256(credential.token.encode()).hexdigest()[:16]
    assert credential.token != bench.hawkbit.tokens["HB-1"]
    text = (tmp_path / "results" / "manufacturing-record.csv").read_text()
    assert credential.token not in text
    assert bench.hawkbit.tokens["HB-1"] not in text


def test_a_device_without_a_credential_has_no_fingerprint(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, credential="none")
    bench.ask("record")
    rows = json.loads((tmp_path / "results" / "manufacturing-record.json").read_text())
    assert {row["fingerprint"] for row in rows} == {""}


ROW = {"serial": 'A "1", ü', "controllerId": "x-A", "fingerprint": "0", "verdict": "passed"}


def test_odd_characters_survive(tmp_path: Path) -> None:
    write_record([ROW], tmp_path, "r")
    (row,) = rows_of(tmp_path / "r.csv")
    assert row == ROW == json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))[0]


@pytest.mark.parametrize("serial", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_spreadsheet_runs_nothing_that_a_serial_says(tmp_path: Path, serial: str) -> None:
    write_record([{**ROW, "serial": serial}], tmp_path, "r")
    (row,) = csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines())
    assert row["serial"] == f"'{serial}"
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))[0]["serial"] == serial


def test_an_earlier_record_stays_when_a_new_one_cannot_be_written(tmp_path: Path) -> None:
    write_record([ROW], tmp_path, "r")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "r.json.part").mkdir()  # in the way of the second file

    with pytest.raises(BrokenBench, match="cannot write the manufacturing record"):
        write_record([ROW, ROW], tmp_path, "r")

    (tmp_path / "r.json.part").rmdir()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
