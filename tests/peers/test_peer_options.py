"""What `make peer-hawkbit` hands on: accounts to `conform`, the rest to both verbs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.peers.peer_hawkbit import on_peer, options_of, outcomes

ROOT = Path(__file__).resolve().parents[2]


def test_accounts_go_to_conform_and_trust_to_both() -> None:
    words = ["peer.yaml", "--account", "reader=r:env:R", "--account", "creator=c:env:C", "--ca", "ca.pem"]

    conform, run = on_peer(options_of([*words, "--change-tenant-settings"]))

    assert run == ("--against", "peer.yaml", "--ca", "ca.pem", "--change-tenant-settings")
    assert conform == (*run, "--account", "reader=r:env:R", "--account", "creator=c:env:C")


@pytest.mark.parametrize("words", [[], [""], ["http://127.0.0.1:1", "--acount", "x"]])
def test_a_wrong_command_line_shows_how_it_is_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options_of(words)
    assert "usage: make peer-hawkbit URL=" in capsys.readouterr().err


def test_make_hands_on_what_it_is_given() -> None:
    given = ["URL=http://127.0.0.1:1", "ACCOUNT=reader=r:env:R creator=c:env:C", "OPTIONS=--insecure"]
    done = subprocess.run(
        ["make", "-n", "-o", "install", "peer-hawkbit", *given],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (
        'peer_hawkbit "http://127.0.0.1:1" --account "reader=r:env:R" --account "creator=c:env:C" --insecure'
        in done.stdout
    )


def test_cases_are_told_apart_by_their_whole_id(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    one, other = '<testcase classname="conform.a" name="x[S1]"/>', '<testcase classname="conform.b" name="x[S1]"/>'
    junit.write_text(f"<testsuites><testsuite>{one}{other}</testsuite></testsuites>")

    assert list(outcomes(junit)) == ["conform/a/x[S1]", "conform/b/x[S1]"]
