"""Files that options name and that are no such files: a sentence each, and no more of them is read than is sensible."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.replay import read_lines
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.contract.bounds import PEM_FILE_BYTES, TRACE_LINE_CHARS
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import fleetrig
from tests.harness.runs import FAILS, write_scenario

ENDLESS = Path("/dev/zero")
SIMULATE = ["simulate", "hawkbit", "--against", "https://127.0.0.1:9", "--for", "1s"]


def test_a_secret_that_is_no_text(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_bytes(b"sch\xf6n")
    secret.chmod(0o600)
    done = fleetrig(*SIMULATE, "--gateway-token", str(secret), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        Exit.WRONG_USAGE, f"{secret}, which --gateway-token names, is not UTF-8 text\n"
    )  # fmt: skip


@pytest.mark.parametrize("option", ["--client-ca", "--certificates"])
def test_authorities_without_end(tmp_path: Path, option: str) -> None:
    authorities = tmp_path / "ca.pem"
    with authorities.open("wb") as file:
        file.truncate(PEM_FILE_BYTES.most + 1)
    words = SIMULATE if option == "--certificates" else ["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]
    done = fleetrig(*words, option, str(authorities), cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert f"{option}: cannot read {authorities}: expected {PEM_FILE_BYTES}" in done.stderr
    with pytest.raises(OSError, match="4 MiB"):
        pem_file(ENDLESS)


def test_an_empty_file_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    words = ["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--client-ca", "ca.pem"]
    done = fleetrig(*words, cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert "ca.pem holds no PEM certificate" in done.stderr


def test_what_is_no_ca_is_told_without_numbers_of_errors(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "text").write_text("nothing\n")
    words = ["doctor", "hawkbit", "--id", "x", "--against", "https://127.0.0.1:9", "--ca"]
    said = [fleetrig(*words, name, cwd=tmp_path).stderr for name in ("round", "text")]
    assert said == [
        "cannot read the CA round: its links lead in a circle\n",
        "the CA text holds no PEM certificate (-----BEGIN CERTIFICATE-----)\n",
    ]


def test_a_trace_with_a_line_without_end() -> None:
    with pytest.raises(UsageError, match=f"cannot read /dev/zero: expected at most {TRACE_LINE_CHARS.text}"):
        next(read_lines(ENDLESS))


def test_a_certificate_of_a_list_that_leads_in_a_circle(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, FAILS)
    (path.parent / "round").symlink_to("round")
    (path.parent / "units.csv").write_text("serial,certificate\nA,round\n")
    (path.parent / "units.csv").chmod(0o600)
    done = fleetrig(*SIMULATE, "--tokens", str(path.parent / "units.csv"), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        Exit.WRONG_USAGE, "units.csv:2: cannot read round: its links lead in a circle\n"
    )  # fmt: skip
