"""Secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.servers.secrets import from_environment, secret_from
from fleetrig.simulator.contract.errors import UsageError


def test_a_variable_of_the_environment() -> None:
    assert secret_from("env:TOKEN", "--token", {"TOKEN": "abc"}) == "abc"
    assert from_environment("env:TOKEN", {"TOKEN": "abc"}) == "abc"


@pytest.mark.parametrize("environ", [{}, {"TOKEN": ""}])
def test_a_variable_that_is_not_there_or_empty(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="the environment has no variable TOKEN, which env:TOKEN names"):
        secret_from("env:TOKEN", "--token", environ)


def test_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o600)
    assert secret_from(str(path), "--token") == "abc"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("abc")
    path.chmod(mode)
    with pytest.raises(UsageError, match="can be read by others: chmod 600"):
        secret_from(str(path), "--token")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    with pytest.raises(UsageError, match="which --token names, is empty"):
        secret_from(str(path), "--token")


def test_a_secret_on_the_command_line_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="--token takes no secret itself") as refused:
        secret_from("hunter2-hunter2", "--token")
    assert "hunter2" not in str(refused.value)
