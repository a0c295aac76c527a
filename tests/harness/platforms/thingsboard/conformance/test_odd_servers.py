"""`fleetrig conform thingsboard` against servers that cannot be judged: one sentence, exit 3, no list of failures."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.thingsboard.conformance import listeners
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login, OperatorApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.harness.conformance.raw_server import Request, Talk, always, answer, raw_server, requests
from tests.harness.platforms.thingsboard.conformance.in_process import reference

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""
Conform = Callable[..., Said]
PAGE = "<html><body>Welcome to the intranet</body></html>"
LOGIN = "/api/auth/login"
WRONG = {"status": 401, "message": "Invalid username or password", "errorCode": 10, "timestamp": 1}
NO_LISTENERS = ("--mqtt=-", "--mqtts=-", "--coap=-")


@pytest.fixture
def conform(capsys: pytest.CaptureFixture[str]) -> Conform:
    """`fleetrig conform thingsboard … --against URL`; the URL reads URL in what was said."""

    def run(url: str, *more: str) -> Said:
        code = main(["conform", "thingsboard", *more, "--against", url])
        out, err = capsys.readouterr()
        return code, out.replace(url, "URL"), err.replace(url, "URL")

    return run


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        yield server


def thingsboard(other: Callable[[Request], bytes | None] = lambda _: None) -> Talk:
    """As much of ThingsBoard as is looked at before any row; `other` answers what it likes."""

    def usual(request: Request) -> bytes:
        match request.method, request.path:
            case "POST", "/api/auth/login":
                return answer(200, {"token": "a.b.c", "refreshToken": "d.e.f", "scope": None})
            case "GET", "/api/auth/user":
                return answer(200, {"authority": "TENANT_ADMIN"})
            case "GET", "/api/system/info":
                return answer(200, {"version": "4.3.1.3"})
            case "POST", "/api/v1/provision":
                return answer(200, {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"})
            case _:
                return answer(404, {"status": 404, "message": "Requested item wasn't found!", "errorCode": 32})

    def talk(connection: socket.socket) -> None:
        for request in requests(connection):
            connection.sendall(other(request) or usual(request))

    return talk


def sentence(conform: Conform, talk: Talk) -> str:
    """What is said about this server: nothing but one sentence."""
    with raw_server(talk) as url:
        code, out, err = conform(url, *NO_LISTENERS)
    assert (code, out, err.count("\n")) == (Exit.BROKEN, "", 1)
    return err.strip()


def for_path(path: str, response: bytes) -> Talk:
    """A ThingsBoard with one thing that is not as usual."""
    return thingsboard(lambda request: response if request.path == path else None)


@pytest.mark.parametrize(
    ("path", "response", "words"),
    [
        (LOGIN, answer(200, PAGE, "text/html"),
         "URL is no ThingsBoard server: POST /api/auth/login answered 200 with text/html, '<html><body>W"),
        (LOGIN, answer(404, {"path": "/api/auth/login"}), "URL is no ThingsBoard server"),
        (LOGIN, answer(401), "URL is no ThingsBoard server: POST /api/auth/login answered 401 without a body"),
        (LOGIN, answer(200, {"hello": "world"}), "URL is no ThingsBoard server"),
        (LOGIN, answer(401, WRONG), "URL does not accept the account 'tenant@thingsboard.org' (Invalid username o"),
        (LOGIN, answer(301, Location="https://tb.example/api/auth/login"),
         "URL redirects to https://tb.example: give that address instead, if it is ThingsBoard's"),
        (LOGIN, answer(429, {"errorCode": 33}), "URL answered 429 to POST /api/auth/login: it takes no more requests"),
        (LOGIN, answer(502, PAGE, "text/html"), "</html>': is ThingsBoard running behind it?"),
        (LOGIN, answer(200, {"token": "a.b.c", "scope": "PRE_VERIFICATION_TOKEN"}),
         "URL asks 'tenant@thingsboard.org' for a second factor: use an account without one"),
        ("/api/auth/user", answer(200, {"authority": "SYS_ADMIN"}),
         "'tenant@thingsboard.org' is a system administrator of URL: rows need the administrator of a tenant"),
        ("/api/auth/user", answer(200, {"authority": "CUSTOMER_USER"}), "is a customer's user of URL: rows need"),
        ("/api/auth/user", answer(200, PAGE, "text/html"), "URL is no ThingsBoard server: GET /api/auth/user"),
        ("/api/v1/provision", answer(404, PAGE, "text/html"),
         "URL has the operator's API but no device API: POST /api/v1/provision answered 404 with text/html; does"),
        ("/api/v1/provision", answer(302, Location="/login"), "does a proxy let /api/v1 through?"),
    ],
)  # fmt: skip
def test_who_cannot_be_judged_is_told_why(conform: Conform, path: str, response: bytes, words: str) -> None:
    assert words in sentence(conform, for_path(path, response))


def test_nobody_listens(conform: Conform) -> None:
    url = f"http://127.0.0.1:{taken_port()}"
    assert conform(url) == (Exit.BROKEN, "", "nobody listens at URL: start the server, or check host and port\n")


def test_closed_early(conform: Conform) -> None:
    assert sentence(conform, lambda _: None) == "URL closed the connection without an answer to POST /api/auth/login"


def test_the_junit_file_is_written_when_there_is_no_server(conform: Conform, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with raw_server(always(answer(200, PAGE, "text/html"))) as url:
        assert conform(url, "--junit", str(junit))[0] == Exit.BROKEN
    [case] = ET.parse(junit).getroot().iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("conform.thingsboard", "server")


def test_a_server_that_dies_in_mid_run(conform: Conform) -> None:
    """The row that it dies in is broken, with its cause; the others are not run."""
    made: list[str] = []

    def dies(request: Request) -> bytes | None:
        made.append(request.path)
        if request.path == "/api/deviceProfile":
            raise ConnectionResetError
        return None

    with raw_server(thingsboard(dies)) as url:
        code, out, _ = conform(url, "create", *NO_LISTENERS)
    assert code == Exit.BROKEN
    assert "S01" in out
    assert "closed the connection without an answer to POST /api/deviceProfile" in out
    assert "S02" not in out


def test_what_a_server_would_not_take_back_is_said_and_breaks_the_run(conform: Conform) -> None:
    def keeps(request: Request) -> bytes | None:
        if request.method == "DELETE":
            return answer(500, {"message": "no"})
        if request.path == "/api/deviceProfile":
            return answer(200, {"id": {"id": "7"}, "provisionDeviceKey": "k"})
        if request.path.startswith("/api/tenant/devices?type="):
            return answer(200, {"data": [], "hasNext": False})
        return None

    with raw_server(thingsboard(keeps)) as url:
        code, out, _ = conform(url, "S15", *NO_LISTENERS)
    assert code == Exit.BROKEN
    [line] = [line for line in out.splitlines() if line.startswith("left behind")]
    assert "device profile fr" in line
    assert "is still there" in line


# -- what it says that it is


@pytest.mark.parametrize(
    ("version", "profile", "said"),
    [
        ("4.3.1.3", "4.3", "URL says that it is ThingsBoard 4.3.1.3\n"),
        ("4.2.1", "4.3", "URL says that it is ThingsBoard 4.2.1: --profile 4.2 expects its answers, --profile 4.3 oth"),
        ("4.2.1", "4.2", "URL says that it is ThingsBoard 4.2.1\n"),
    ],
)  # fmt: skip
def test_the_fitting_profile_is_named(conform: Conform, version: str, profile: str, said: str) -> None:
    with raw_server(for_path("/api/system/info", answer(200, {"version": version}))) as url:
        _, out, _ = conform(url, "S52", "--profile", profile, "--allow-skipped", *NO_LISTENERS)
    assert out.startswith(said)


def test_a_server_that_says_nothing_of_use(conform: Conform) -> None:
    """One that was built from its sources does not know its version."""
    with raw_server(for_path("/api/system/info", answer(200, {"version": "unknown"}))) as url:
        _, out, _ = conform(url, "S52", "--allow-skipped", *NO_LISTENERS)
    assert "says that it is" not in out


def test_a_server_that_does_not_say_is_judged_all_the_same(conform: Conform) -> None:
    with reference(Settings(profile=Profile.OLD)) as server:
        code, out, _ = conform(server.http.url, "S04", "--profile", "3.2", *NO_LISTENERS)
    assert (code, "says that it is" in out) == (Exit.PASSED, False)


# -- listeners


def taken_port() -> int:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@contextlib.contextmanager
def silent_datagrams() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def test_listeners_that_are_not_there_are_skipped_and_named(
    conform: Conform, server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = taken_port()
    monkeypatch.setattr(listeners, "USUAL_PORTS", {"mqtt": free, "mqtts": free, "coap": free})
    code, out, _ = conform(server.http.url, "S01", "S52", "S71", "S75")
    assert code == Exit.PASSED
    assert "1 passed, 3 skipped" in out
    for name in ("mqtt", "mqtts", "coap"):
        usual = f"nobody answers at 127.0.0.1:{free}, {name.upper()}'s usual place: give --{name} HOST:PORT"
        assert usual in " ".join(out.split())


def test_all_that_is_named_is_judged(conform: Conform, server: ServerUnderTest) -> None:
    places = [f"--{name}={host}:{port}" for name, (host, port) in server.addresses.items() if name != "coaps"]
    code, out, _ = conform(server.http.url, "S01", "S52", "S71", "S75", *places)
    assert (code, out.splitlines()[-1].startswith("4 passed in ")) == (Exit.PASSED, True)


def test_a_listener_that_speaks_something_else(
    conform: Conform, server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "MQTT_WITHIN_S", 0.2)
    monkeypatch.setattr(listeners, "COAP_WITHIN_S", 0.2)
    http = server.http.netloc
    with silent_datagrams() as port:
        options = (f"--mqtt={http}", f"--mqtts={http}", f"--coap=127.0.0.1:{port}")
        code, out, _ = conform(server.http.url, "S52", "S71", "S75", "--allow-skipped", *options)
    out = " ".join(out.split())
    assert code == Exit.PASSED
    assert f"{http}, where MQTT should be: check --mqtt" in out.replace("URL", server.http.url)
    assert f"no TLS handshake succeeds at {http}, where MQTTS should be: check --mqtts" in out
    assert f"nobody answers at 127.0.0.1:{port}, where COAP should be: check --coap" in out


def test_a_file_names_listeners_and_account(conform: Conform, server: ServerUnderTest, tmp_path: Path) -> None:
    host, port = server.addresses["mqtt"]
    file = tmp_path / "server.yaml"
    lines = [f"http: {server.http.url}", f"mqtt: {host}:{port}", "user: tenant@thingsboard.org", "password: tenant"]
    file.write_text("\n".join(lines))
    code, out, _ = conform(str(file), "S52", "S71")
    assert code == Exit.PASSED
    assert "no COAP listener is known: give --coap HOST:PORT" in out


def test_a_file_names_the_control_interface_of_a_server_of_ours(
    conform: Conform, server: ServerUnderTest, tmp_path: Path
) -> None:
    """Then it can be made slow, and its clock is moved instead of waited for."""
    assert server.control is not None
    file = tmp_path / "server.yaml"
    places = [f"{name}: {host}:{port}" for name, (host, port) in server.addresses.items()]
    file.write_text("\n".join([f"http: {server.http.url}", f"control: {server.control.url}", *places]))
    code, out, _ = conform(str(file), "S64", "S74", "S100")
    assert (code, "3 passed" in out) == (Exit.PASSED, True)


# -- accounts


def test_a_system_administrator_is_asked_for_and_taken(
    conform: Conform, server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = conform(server.http.url, "S51", "--allow-skipped", *NO_LISTENERS)
    assert code == Exit.PASSED
    assert "give a system administrator, --account sysadmin=USER:env:NAME" in out
    assert server.sysadmin is not None
    monkeypatch.setenv("SYSADMIN", server.sysadmin.password)
    account = f"--account=sysadmin={server.sysadmin.user}:env:SYSADMIN"
    code, out, _ = conform(server.http.url, "S51", "S82", account, *NO_LISTENERS)
    assert (code, "2 passed" in out) == (Exit.PASSED, True)
    above = OperatorApi(server.http, Login(server.sysadmin))
    assert [one["title"] for one in above.pages("/tenants?")] == ["Tenant"]


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("sysadmin@thingsboard.org", "wrong", "'sysadmin@thingsboard.org' (--account sysadmin) (Invalid username"),
        ("tenant@thingsboard.org", "tenant", "is a tenant's administrator of URL: --account sysadmin takes a system"),
    ],
)
def test_another_account_is_said_before_any_row(
    conform: Conform, server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, user: str, password: str, words: str
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", password)
    code, out, err = conform(server.http.url, "S51", f"--account=sysadmin={user}:env:SOME_PASSWORD", *NO_LISTENERS)
    assert (code, out) == (Exit.BROKEN, "")
    assert words in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--account", "boss=x:env:NAME"], "--account takes sysadmin=USER:env:NAME"),
        (["--account", "sysadmin=x:secret"], "--account takes no secret itself"),
        (["--mqtt", "here"], "--mqtt: 'here' is no address; expected HOST:PORT"),
        (["--profile", "4.1"], "--profile: there are no rows for '4.1'; expected 4.3, 4.2, 3.2 or as-documented"),
    ],
)
def test_wrong_usage_is_said_before_anybody_is_asked(conform: Conform, options: list[str], words: str) -> None:
    code, _, err = conform("http://127.0.0.1:1", *options)
    assert code == Exit.WRONG_USAGE
    assert words in err


def test_a_row_that_there_is_not_is_told_its_nearest_name(conform: Conform) -> None:
    code, _, err = conform("http://127.0.0.1:1", "listed/agian")
    assert (code, err) == (Exit.NOTHING_JUDGED, "no row is called listed/agian; did you mean listed/again?\n")
