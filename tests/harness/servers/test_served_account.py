"""The administrator of a server of ours: told by reference, never with the password in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.servers.served_account import (
    AS_GIVEN,
    WELL_KNOWN,
    ServedAccount,
    administrator_of,
    served_account,
)
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

USUAL = UserPassword("admin", "admin")
CONTROL, SERVER = "http://127.0.0.1:8081", "http://localhost:8080"
OTHER = UserPassword("admin", "s3cret")


def test_a_password_is_told_by_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert served_account(USUAL, USUAL, "env:PW") == ServedAccount("admin", WELL_KNOWN)
    assert served_account(OTHER, USUAL, "env:PW") == ServedAccount("admin", "env:PW")
    assert served_account(OTHER, USUAL, "pw.txt") == ServedAccount("admin", str(tmp_path / "pw.txt"))
    assert served_account(OTHER, USUAL, None) == ServedAccount("admin", AS_GIVEN)
    assert "s3cret" not in str(served_account(OTHER, USUAL, None).to_json())


def administrator(password: str, user: str = "admin", control: str = CONTROL, server: str = SERVER) -> UserPassword:
    told = ServedAccount(user, password)
    return administrator_of(told, USUAL, control, server, {"PW": "s3cret", "LINES": "two\nlines"})


def test_a_password_is_found_where_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "pw.txt"
    file.write_text("of the file\n")
    file.chmod(0o600)
    assert administrator(WELL_KNOWN) == USUAL
    assert administrator("env:PW") == OTHER
    assert administrator(str(file)) == UserPassword("admin", "of the file")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        (AS_GIVEN, "only who started the server knows it"),
        ("env:NONE", "the environment has no variable NONE, which env:NONE names"),
        ("/nowhere/pw.txt", "takes no secret itself"),
    ],
)
def test_one_that_is_not_known_here_can_be_said(password: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        administrator(password)
    said = str(refused.value)
    assert said.startswith(f"the password of admin on the server at {CONTROL} is not known here: ")
    assert why in said
    assert said.endswith(f"with `control: {CONTROL}`, `user: admin` and `password: env:NAME`")


@pytest.mark.parametrize(("control", "server"), [("http://10.0.0.7:8081", SERVER), (CONTROL, "http://10.0.0.7:8080")])
def test_no_secret_of_this_machine_goes_to_another_that_names_it(control: str, server: str, tmp_path: Path) -> None:
    file = tmp_path / "id_of_somebody"
    file.write_text("s3cret")
    file.chmod(0o600)
    for reference in ("env:PW", str(file)):
        with pytest.raises(UsageError, match="no secret of this one is sent elsewhere") as refused:
            administrator(reference, control=control, server=server)
        assert "s3cret" not in str(refused.value)
    assert administrator(WELL_KNOWN, control=control, server=server) == USUAL


@pytest.mark.parametrize(("user", "password"), [("a:b", WELL_KNOWN), ("admin", "env:LINES"), ("a\r\nb", WELL_KNOWN)])
def test_an_account_that_no_header_carries_is_refused(user: str, password: str) -> None:
    with pytest.raises(UsageError, match=f"the account that {CONTROL} tells: "):
        administrator(password, user)
