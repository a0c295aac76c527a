"""`fleetrig conform kura` against servers that cannot be judged: one sentence, exit 3, no list of failures."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.kura.conformance.preflight import CHECK_IT
from fleetrig.harness.report.exits import Exit
from tests.harness.conformance.raw_server import Request, Talk, always, answer, raw_server, requests

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""
Conform = Callable[..., Said]
PAGE = "<html><body>Welcome to the intranet</body></html>"
NO_LISTENERS = ("--mqtt=-", "--mqtts=-")
SIGNED_IN = {"tokenId": "token", "scopeId": "AQ", "userId": "AQ"}
NO_ITEMS = {"items": [], "size": 0, "limitExceeded": False}


@pytest.fixture
def conform(capsys: pytest.CaptureFixture[str]) -> Conform:
    """`fleetrig conform kura … --against URL`; the URL reads URL in what was said."""

    def run(url: str, *more: str) -> Said:
        code = main(["conform", "kura", *more, *NO_LISTENERS, "--against", url])
        out, err = capsys.readouterr()
        return code, out.replace(url, "URL"), err.replace(url, "URL")

    return run


def kapua(other: Callable[[Request], bytes | None] = lambda _: None) -> Talk:
    """As much of a Kapua as is looked at before any row; `other` answers what it likes."""

    def usual(request: Request) -> bytes:
        if request.path == "/v1/authentication/user":
            return answer(200, SIGNED_IN)
        if request.path.startswith("/v1/AQ/accounts"):
            return answer(200, NO_ITEMS)
        return answer(404, {"message": "nothing here"})

    def talk(connection: socket.socket) -> None:
        for request in requests(connection):
            connection.sendall(other(request) or usual(request))

    return talk


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(200, PAGE, "text/html"), "URL is no Kapua: POST /v1/authentication/user answered 200 with text/html"),
        (answer(404, PAGE, "text/html"), "give the address of the REST API without /v1, not that of the console"),
        (answer(200, {"tokenId": 7}), "URL is no Kapua"),
        (answer(401), f"URL does not accept the account 'kapua-sys': {CHECK_IT}"),
        (answer(302, Location="https://k.example/v1/authentication/user"), "URL redirects to https://k.example: give"),
        (answer(502, PAGE, "text/html"), "</html>': is Kapua running behind it?"),
    ],
)
def test_who_cannot_be_judged_is_told_why(conform: Conform, response: bytes, words: str) -> None:
    with raw_server(always(response)) as url:
        code, out, err = conform(url)
    assert (code, out, err.count("\n")) == (Exit.BROKEN, "", 1)
    assert words in err


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(403, {"message": "no"}), "'kapua-sys' may not see the accounts below its own: rows make accounts"),
        (answer(200, []), "URL is no Kapua: GET /v1/AQ/accounts answered 200 with application/json"),
    ],
)
def test_an_account_that_cannot_make_accounts_is_named(conform: Conform, response: bytes, words: str) -> None:
    with raw_server(kapua(lambda request: response if "/accounts" in request.path else None)) as url:
        code, out, err = conform(url)
    assert (code, out) == (Exit.BROKEN, "")
    assert words in err


def test_nobody_listens(conform: Conform, free_port: int) -> None:
    said = (Exit.BROKEN, "", "nobody listens at URL: start the server, or check host and port\n")
    assert conform(f"http://127.0.0.1:{free_port}") == said


def test_the_junit_file_is_written_when_there_is_no_server(conform: Conform, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with raw_server(always(answer(200, PAGE, "text/html"))) as url:
        assert conform(url, "--junit", str(junit))[0] == Exit.BROKEN
    [case] = ET.parse(junit).getroot().iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("conform.kura", "server")


def test_a_plain_kapua_is_said_to_have_no_provisioning(conform: Conform) -> None:
    """What is skipped is named, with its reason."""
    with raw_server(kapua()) as url:
        code, out, _ = conform(url, "P04", "S06", "--allow-skipped", "-v")
    assert code == Exit.PASSED
    assert "URL has no /v2/provisionRequests: rows on provisioning are skipped" in out
    assert "this server has no /v2/provisionRequests: open-source Kapua has none" in " ".join(out.split())
    assert "no broker is known, so most rows are skipped: give --mqtt, --mqtts" in out


def test_answers_of_another_shape_are_failures_and_no_tracebacks(conform: Conform) -> None:
    with raw_server(kapua(lambda request: answer(201, ["x"]) if request.path.endswith("/accounts") else None)) as url:
        code, out, _ = conform(url, "R02")
    assert code == Exit.FAILED
    assert "an answer of the shape that the contract gives" in out
    assert "POST /v1/AQ/accounts" in out


def test_a_server_that_dies_in_mid_run(conform: Conform) -> None:
    """The row that it dies in is broken, with its cause; the others are not run."""

    def dies(request: Request) -> bytes | None:
        if request.path.endswith("/accounts"):
            raise ConnectionResetError
        return None

    with raw_server(kapua(dies)) as url:
        code, out, _ = conform(url, "operator/entities", "operator/rights")
    assert code == Exit.BROKEN
    assert "closed the connection without an answer to POST /v1/AQ/accounts" in out
    assert "R04" not in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["askig"], Exit.NOTHING_JUDGED, "no row is called askig; did you mean asking?"),
        (["--profile", "esf"], Exit.WRONG_USAGE, "--profile: there are no rows for 'esf'"),
        (["--mqtt", "nowhere"], Exit.WRONG_USAGE, "--mqtt: "),
    ],
)
def test_words_that_are_none(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "kura", *words]) == code
    assert said in capsys.readouterr().err
