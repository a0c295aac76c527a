"""The administrator of a server of ours: told by reference, never with the password in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.servers.served_account import AS_GIVEN, WELL_KNOWN, ServedAccount, password_of, served_account
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

USUAL = UserPassword("admin", "admin")
OTHER = UserPassword("admin", "s3cret")


def test_a_password_is_told_by_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert served_account(USUAL, USUAL, "env:PW") == ServedAccount("admin", WELL_KNOWN)
    assert served_account(OTHER, USUAL, "env:PW") == ServedAccount("admin", "env:PW")
    assert served_account(OTHER, USUAL, "pw.txt") == ServedAccount("admin", str(tmp_path / "pw.txt"))
    assert served_account(OTHER, USUAL, None) == ServedAccount("admin", AS_GIVEN)
    assert "s3cret" not in str(served_account(OTHER, USUAL, None).to_json())


def test_a_password_is_found_where_it_came_from(tmp_path: Path) -> None:
    file = tmp_path / "pw.txt"
    file.write_text("of the file\n")
    file.chmod(0o600)
    assert password_of(ServedAccount("admin", WELL_KNOWN), USUAL, "http://h") == "admin"
    assert password_of(ServedAccount("admin", "env:PW"), USUAL, "http://h", {"PW": "s3cret"}) == "s3cret"
    assert password_of(ServedAccount("admin", str(file)), USUAL, "http://h") == "of the file"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        (AS_GIVEN, "only who started the server knows it"),
        ("env:PW", "the environment has no variable PW, which env:PW names"),
        ("/nowhere/pw.txt", "takes no secret itself"),
    ],
)
def test_one_that_is_not_known_here_can_be_said(password: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        password_of(ServedAccount("admin", password), USUAL, "http://h:1", {})
    said = str(refused.value)
    assert said.startswith("the password of admin on the server at http://h:1 is not known here: ")
    assert why in said
    assert said.endswith("with `control: http://h:1`, `user: admin` and `password: env:NAME`")
