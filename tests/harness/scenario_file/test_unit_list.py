"""Units of a production list: certificates and types, beside tokens and attributes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.unit_list import Unit, UnitListMistake, read_units


def test_types_and_certificates_are_no_attributes(tmp_path: Path) -> None:
    (tmp_path / "pem").mkdir()
    (tmp_path / "pem" / "a.crt").write_text("CERT")
    (tmp_path / "pem" / "a.key").write_text("KEY")
    (tmp_path / "units.csv").write_text(
        "serial,token,type,certificate,key,line\n"
        "A,t,gateway,pem/a.crt,pem/a.key,7\n"
        'B,,,"-----BEGIN CERTIFICATE-----\nx",,7\n'
        "C,,,,,7\n"
    )
    assert read_units(tmp_path / "units.csv") == (
        Unit("A", "t", {"line": "7"}, "gateway", certificate_pem=b"CERT\nKEY"),
        Unit("B", None, {"line": "7"}, None, certificate_pem=b"-----BEGIN CERTIFICATE-----\nx"),
        Unit("C", None, {"line": "7"}),
    )


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("absent.pem", "units.csv:2: cannot read absent.pem: there is no such file"),
        ("../outside.pem", "units.csv:2: expected a file below the folder of the list, got '../outside.pem'"),
        ("/etc/hostname", "units.csv:2: expected a file below the folder of the list, got '/etc/hostname'"),
        (".", "units.csv:2: cannot read .: it is a folder, and a file is expected"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "outside.pem").write_text("secret")
    (tmp_path / "lists" / "units.csv").write_text(f"serial,certificate\nA,{file}\n")
    with pytest.raises(UnitListMistake) as wrong:
        read_units(tmp_path / "lists" / "units.csv")
    assert str(wrong.value) == said


def test_keys_are_never_printed(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("serial,key\nA,-----BEGIN PRIVATE KEY-----\n")
    assert "PRIVATE" not in repr(read_units(tmp_path / "units.csv"))
