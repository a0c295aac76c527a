"""`fleetrig conform hawkbit` against servers that cannot be judged: one sentence, exit 3, never a list of failures."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import trustme

from fleetrig.harness.cli import main
from fleetrig.harness.conformance import exact_client
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.servers import control_asking
from tests.harness.conformance.raw_server import Request, Talk, always, answer, hawkbit, raw_server, requests

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""
Conform = Callable[..., Said]
PAGE = "<html><body>Welcome to the intranet</body></html>"


@pytest.fixture
def conform(capsys: pytest.CaptureFixture[str]) -> Conform:
    """`fleetrig conform hawkbit … --against URL`; the URL reads URL in what was said."""

    def run(url: str, *more: str) -> Said:
        code = main(["conform", "hawkbit", *more, "--against", url])
        out, err = capsys.readouterr()
        return code, out.replace(url, "URL"), err.replace(url, "URL")

    return run


def sentence(conform: Conform, talk: Talk) -> str:
    """What is said about this server: nothing but one sentence."""
    with raw_server(talk) as url:
        code, out, err = conform(url)
    assert (code, out, err.count("\n")) == (Exit.BROKEN, "", 1)
    return err.strip()


def for_path(path: str, response: bytes, method: str = "") -> Talk:
    """A hawkBit with one thing that is not as usual."""

    def other(request: Request) -> bytes | None:
        return response if path in request.path and method in ("", request.method) else None

    return hawkbit(other)


def test_a_page_instead_of_an_interface(conform: Conform) -> None:
    said = sentence(conform, always(answer(200, PAGE, "text/html")))
    assert said == (
        "URL is no hawkBit server: GET /rest/v1/userinfo answered 200 with text/html, "
        "'<html><body>Welcome to the intranet</body></html>'; "
        "is there a path before /rest that belongs to the address (a proxy's, or server.servlet.context-path)?"
    )


@pytest.mark.parametrize("document", [{}, [], "hello", {"tenant": "x"}])
def test_another_interface(conform: Conform, document: object) -> None:
    assert "is no hawkBit server" in sentence(conform, always(answer(200, document)))


def test_an_address_without_the_path_of_its_proxy(conform: Conform) -> None:
    assert "is there a path before /rest" in sentence(conform, hawkbit(prefix="/hawkbit"))


def test_the_path_of_a_proxy_belongs_to_the_address(conform: Conform) -> None:
    with raw_server(hawkbit(prefix="/hawkbit")) as url:
        assert conform(f"{url}/hawkbit", "S16")[0] == Exit.PASSED


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (
            "https://hawkbit.example/rest/v1/userinfo",
            "URL redirects to https://hawkbit.example: give that address instead, if it is hawkBit's",
        ),
        ("/login", "URL is no hawkBit server: GET /rest/v1/userinfo is redirected to /login (301); is there a path"),
    ],
)
def test_a_redirect_is_named_and_not_followed(conform: Conform, location: str, words: str) -> None:
    said = sentence(conform, always(answer(301, Location=location)))
    assert said.startswith(words)


def test_nobody_listens(conform: Conform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert conform(url) == (Exit.BROKEN, "", "nobody listens at URL: start the server, or check host and port\n")


def test_closed_early(conform: Conform) -> None:
    assert sentence(conform, lambda _: None) == ("URL closed the connection without an answer to GET /rest/v1/userinfo")


def test_a_drip(conform: Conform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_client.ExactClient.__init__, "__defaults__", (None, None, 0.3))
    monkeypatch.setattr(control_asking, "WITHIN_S", 0.3)
    enough = threading.Event()

    def drip(connection: socket.socket) -> None:
        next(requests(connection))
        while not enough.wait(0.03):
            connection.sendall(b"H")

    try:
        said = sentence(conform, drip)
    finally:
        enough.set()
    assert said == "URL gave no whole answer to GET /rest/v1/userinfo within 0.3 s"


# -- half-configured: it is hawkBit, but not all of it can be used


@pytest.mark.parametrize(
    ("path", "method", "response", "words"),
    [
        ("/userinfo", "", answer(401), "does not accept the account 'admin': check user and password"),
        ("/userinfo", "", answer(403, {}), "accepts 'admin', but it has no rights there: use an administrator"),
        ("/userinfo", "", answer(502, PAGE, "text/html"),
         "URL answered 502 with text/html, '<html><body>Welcome to the intranet</body></html>': is hawkBit running"),
        ("/userinfo", "", answer(200, {"tenant": "ACME", "username": "admin"}),
         "belongs to the tenant 'ACME', not to 'DEFAULT': name its tenant in a SERVER.yaml"),
        ("/system/configs", "", answer(403, {}), "may not read the tenant's configuration on URL (403)"),
        ("/rest/v1/targets", "POST", answer(403, {}), "'admin' may not POST /rest/v1/targets on URL"),
        ("/distributionsets", "POST", answer(403, {}), "'admin' may not POST /rest/v1/distributionsets on URL"),
        ("/rest/v1/targets", "DELETE", answer(403, {}), "'admin' may not DELETE /rest/v1/targets/"),
        ("/rest/v1/targets", "DELETE", answer(405, PAGE, "text/html"), "does a proxy let it through?"),
        ("/controller/", "", answer(404, PAGE, "text/html"), "does a proxy let /DEFAULT/controller through?"),
        ("/controller/", "", answer(302, Location="/login"), "has the Management API but no Device API"),
        ("/controller/", "", answer(503), "has the Management API but no Device API"),
    ],
)  # fmt: skip
def test_half_configured(conform: Conform, path: str, method: str, response: bytes, words: str) -> None:
    assert words in sentence(conform, for_path(path, response, method))


def test_a_server_that_can_be_judged_is_judged(conform: Conform) -> None:
    with raw_server(hawkbit()) as url:
        assert conform(url, "S16")[0] == Exit.PASSED
        code, out, _ = conform(url, "S16", "S02")
    assert code == Exit.FAILED
    assert out.count("FAIL") == 1


# -- what happens in the middle of a run


def test_a_server_that_goes_away_stops_the_run_with_the_first_cause(conform: Conform, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"

    def gone(request: Request) -> bytes | None:
        if request.method == "GET" and "-s16-" in request.path:
            raise OSError("gone")
        return None

    with raw_server(hawkbit(gone)) as url:
        code, out, err = conform(url, "target", "--junit", str(junit))
    lines = out.splitlines()
    assert (code, err) == (Exit.BROKEN, "")
    assert [line for line in lines if "closed the connection without an answer to GET /rest/v1/targets/" in line]
    assert "S16" in out
    assert "S17" not in out
    suite = ET.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("2", "1")


def test_what_a_server_would_not_take_back_is_said_and_breaks_the_run(conform: Conform) -> None:
    def keeps(request: Request) -> bytes | None:
        if request.method == "POST" and request.body != b"[]":
            token = {"requestAttributes": True, "controllerId": "x"}
            return answer(201, [token], "application/hal+json")
        if request.method == "GET" and "-s14-" in request.path:
            return answer(200, {"requestAttributes": True})
        return answer(500) if request.method == "DELETE" and "-s14-" in request.path else None

    with raw_server(hawkbit(keeps)) as url:
        code, out, _ = conform(url, "S14")
    assert code == Exit.BROKEN
    [line] = [line for line in out.splitlines() if line.startswith("left behind")]
    assert "-s14-t1 is still there: DELETE /rest/v1/targets/" in line
    assert line.endswith("answered 500")


def test_the_junit_file_is_written_when_there_is_no_server(conform: Conform, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with raw_server(always(answer(200, PAGE, "text/html"))) as url:
        assert conform(url, "--junit", str(junit))[0] == Exit.BROKEN
    [case] = ET.parse(junit).getroot().iter("testcase")
    error = case.find("error")
    assert error is not None
    assert "is no hawkBit server" in error.get("message", "")
    assert (case.get("classname"), case.get("name")) == ("conform.hawkbit", "server")


# -- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextlib.contextmanager
def over_tls(authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(hawkbit(), context) as url:
        yield url


def test_a_certificate_that_nobody_vouches_for(conform: Conform, authority: trustme.CA) -> None:
    with over_tls(authority) as url:
        code, out, err = conform(url, "S16")
    assert (code, out) == (Exit.BROKEN, "")
    assert err.startswith("the certificate of URL is not trusted (")
    assert err.endswith("): give its CA with --ca, or say --insecure\n")


def test_a_private_authority(conform: Conform, authority: trustme.CA, tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    with over_tls(authority) as url:
        code, out, err = conform(url, "S16", "--ca", str(pem))
    assert (code, err) == (Exit.PASSED, "")
    assert "insecure" not in out


def test_insecure_is_said_aloud(conform: Conform, authority: trustme.CA) -> None:
    with over_tls(authority) as url:
        code, out, _ = conform(url, "S16", "--insecure")
    assert code == Exit.PASSED
    assert out.startswith("--insecure: the server's certificate is not checked, anybody could be answering\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ca", "nowhere.pem"], "cannot read the CA nowhere.pem"),
        (["--ca", "nowhere.pem", "--insecure"], "--ca and --insecure contradict each other"),
        (["--account", "boss=x:env:NAME"], "--account takes creator or reader=USER:env:NAME"),
        (["--account", "reader=x"], "--account takes creator or reader=USER:env:NAME"),
        (["--account", "reader=x:secret"], "--account takes no secret itself"),
        (["--account", "reader=x:env:NO_SUCH_VARIABLE_HERE"], "no variable NO_SUCH_VARIABLE_HERE"),
    ],
)
def test_wrong_usage_is_said_before_anybody_is_asked(conform: Conform, options: list[str], words: str) -> None:
    code, _, err = conform("http://127.0.0.1:1", "S16", *options)
    assert code == Exit.WRONG_USAGE
    assert words in err
    assert "secret" not in err.replace("takes no secret itself", "")
