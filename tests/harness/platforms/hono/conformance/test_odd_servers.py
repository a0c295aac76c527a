"""`fleetrig conform hono` against servers that cannot be judged: one sentence, exit 3, no list of failures."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.conformance.foreign_listeners import wanted_listeners
from fleetrig.harness.platforms.hono.conformance import listeners
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Account, Settings
from tests.harness.conformance.raw_server import Request, Talk, always, answer, raw_server, requests
from tests.harness.platforms.hono.conformance.in_process import reference

Said = tuple[int, str, str]
"""Exit code, standard output, standard error."""
Conform = Callable[..., Said]
PAGE = "<html><body>Welcome to the intranet</body></html>"
NO_LISTENERS = tuple(f"--{name}=-" for name in LISTENERS)


@pytest.fixture
def conform(capsys: pytest.CaptureFixture[str]) -> Conform:
    """`fleetrig conform hono … --against URL`; the URL reads URL in what was said."""

    def run(url: str, *more: str) -> Said:
        code = main(["conform", "hono", *more, "--against", url])
        out, err = capsys.readouterr()
        return code, out.replace(url, "URL"), err.replace(url, "URL")

    return run


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        yield server


def registry(other: Callable[[Request], bytes | None] = lambda _: None) -> Talk:
    """As much of a registry as is looked at before any row; `other` answers what it likes."""

    def talk(connection: socket.socket) -> None:
        for request in requests(connection):
            connection.sendall(other(request) or answer(404, {"error": "no such tenant"}))

    return talk


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(200, PAGE, "text/html"), "URL is no device registry: GET /v1/tenants/"),
        (
            answer(404, PAGE, "text/html"),
            "</html>'; give the address of its management API without /v1, not that of an adapter",
        ),
        (answer(404, {"message": "nothing here"}), "URL is no device registry"),
        (answer(405), "URL is no device registry"),
        (answer(401, {"error": "Unauthorized"}), "URL wants to know who asks: name user and password in a SERVER.yaml"),
        (answer(301, Location="https://hono.example/v1"), "URL redirects to https://hono.example/v1: give that"),
        (answer(502, PAGE, "text/html"), "</html>': is the registry running behind it?"),
    ],
)
def test_who_cannot_be_judged_is_told_why(conform: Conform, response: bytes, words: str) -> None:
    with raw_server(always(response)) as url:
        code, out, err = conform(url, *NO_LISTENERS)
    assert (code, out, err.count("\n")) == (Exit.BROKEN, "", 1)
    assert words in err


def test_an_adapter_is_no_registry(conform: Conform, server: ServerUnderTest) -> None:
    host, port = server.addresses["http"]
    code, out, err = conform(f"http://{host}:{port}", *NO_LISTENERS)
    assert (code, out) == (Exit.BROKEN, "")
    assert "give the address of its management API without /v1, not that of an adapter" in err


def test_nobody_listens(conform: Conform, free_port: int) -> None:
    said = (Exit.BROKEN, "", "nobody listens at URL: start the server, or check host and port\n")
    assert conform(f"http://127.0.0.1:{free_port}") == said


def test_the_junit_file_is_written_when_there_is_no_registry(conform: Conform, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with raw_server(always(answer(200, PAGE, "text/html"))) as url:
        assert conform(url, "--junit", str(junit))[0] == Exit.BROKEN
    [case] = ET.parse(junit).getroot().iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("conform.hono", "server")


def test_a_registry_that_dies_in_mid_run(conform: Conform) -> None:
    """The row that it dies in is broken, with its cause; the others are not run."""

    def dies(request: Request) -> bytes | None:
        if request.method == "POST":
            raise ConnectionResetError
        return None

    with raw_server(registry(dies)) as url:
        code, out, _ = conform(url, "tenants", *NO_LISTENERS)
    assert code == Exit.BROKEN
    assert "R01" in out
    assert "closed the connection without an answer to POST /v1/tenants" in out
    assert "R02" not in out


def test_answers_of_another_shape_are_failures_and_no_tracebacks(conform: Conform) -> None:
    with raw_server(registry(lambda request: answer(201, ["x"]) if request.method == "POST" else None)) as url:
        code, out, _ = conform(url, "R02", "R09", *NO_LISTENERS)
    assert code == Exit.FAILED
    assert "an answer of the shape that the contract gives" in out
    assert "POST /v1/tenants/fleetrig-" in out


def test_what_a_registry_would_not_take_back_is_said_and_breaks_the_run(conform: Conform) -> None:
    def keeps(request: Request) -> bytes | None:
        return answer(500, {"error": "no"}) if request.method == "DELETE" else None

    with raw_server(registry(keeps)) as url:
        code, out, _ = conform(url, "R21", *NO_LISTENERS)
    assert code == Exit.BROKEN
    [line] = [line for line in out.splitlines() if line.startswith("left behind")]
    assert "tenant fleetrig-" in line
    assert "is still there" in line


# -- adapters


@contextlib.contextmanager
def silent_datagrams() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def test_adapters_that_are_not_there_are_skipped_and_named(
    conform: Conform, server: ServerUnderTest, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "USUAL_PORTS", dict.fromkeys(LISTENERS, free_port))
    code, out, _ = conform(server.http.url, "R01", "H01", "A01", "M01", "A45", "C01")
    assert code == Exit.PASSED
    assert "no adapter is known, so rows on devices are skipped: give --http, --https, --mqtt, --mqtts, --coaps" in out
    assert "1 passed, 5 skipped" in out
    for name in LISTENERS:
        usual = f"nobody answers at 127.0.0.1:{free_port}, {name.upper()}'s usual place: give --{name}"
        assert usual in " ".join(out.split())


def test_no_adapter_is_looked_for_where_the_registry_is() -> None:
    wanted = wanted_listeners(listeners.USUAL_PORTS, "http://127.0.0.1:8080", {}, guesses=True)
    assert [one.name for one in wanted] == ["https", "mqtt", "mqtts", "coaps"]


@pytest.mark.slow
def test_all_that_is_named_is_judged(conform: Conform, server: ServerUnderTest) -> None:
    places = [f"--{name}={host}:{port}" for name, (host, port) in server.addresses.items()]
    code, out, _ = conform(server.http.url, "R01", "H01", "A01", "M01", "A45", "C01", *places)
    assert out.startswith("adapters: http 127.0.0.1:")
    assert (code, out.splitlines()[-1].startswith("6 passed in ")) == (Exit.PASSED, True)


@pytest.mark.slow
def test_tls_alone_will_do(conform: Conform, server: ServerUnderTest) -> None:
    places = [f"--{name}={host}:{port}" for name, (host, port) in server.addresses.items() if name.endswith("s")]
    code, out, _ = conform(server.http.url, "H01", "H02", "M01", "G04", "--http=-", "--mqtt=-", *places)
    assert (code, out.splitlines()[-1].startswith("4 passed in ")) == (Exit.PASSED, True)


def test_adapters_that_speak_something_else(
    conform: Conform, server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "WITHIN_S", 0.3)
    monkeypatch.setattr(listeners, "DTLS_WITHIN_S", 0.3)
    here = server.http.netloc
    with silent_datagrams() as port:
        options = [f"--{name}={here}" for name in ("http", "https", "mqtt", "mqtts")]
        rows = ("H01", "A01", "M01", "A45", "C01", "--allow-skipped")
        code, out, _ = conform(server.http.url, *rows, *options, f"--coaps=127.0.0.1:{port}")
    out = " ".join(out.replace("URL", server.http.url).split())
    assert code == Exit.PASSED
    assert f"is answered with 404, not with 401 at {here}, where HTTP should be: check --http" in out
    assert f"nobody speaks HTTP as expected at {here}, where HTTPS should be" in out
    assert f"at {here}, where MQTT should be: check --mqtt" in out
    assert f"no TLS handshake succeeds at {here}, where MQTTS should be" in out
    assert f"nobody answers at 127.0.0.1:{port}, where COAPS should be: check --coaps" in out


def test_a_file_names_adapters(conform: Conform, server: ServerUnderTest, tmp_path: Path) -> None:
    places = [f"{name}: {host}:{port}" for name, (host, port) in server.addresses.items() if name in ("http", "mqtt")]
    file = tmp_path / "server.yaml"
    file.write_text("\n".join([f"registry: {server.http.url}", *places]))
    code, out, _ = conform(str(file), "H01", "M01", "C01")
    assert code == Exit.PASSED
    assert "no COAPS adapter is known: give --coaps HOST:PORT" in out


@pytest.mark.slow
def test_a_file_names_the_control_interface_of_a_server_of_ours(
    conform: Conform, server: ServerUnderTest, tmp_path: Path
) -> None:
    """Then events can be read, and kept from applications."""
    assert server.control is not None
    file = tmp_path / "server.yaml"
    places = [f"{name}: {host}:{port}" for name, (host, port) in server.addresses.items()]
    file.write_text("\n".join([f"registry: {server.http.url}", f"control: {server.control.url}", *places]))
    code, out, _ = conform(str(file), "A05", "A30", "G02")
    assert (code, "3 passed" in out) == (Exit.PASSED, True)


# -- accounts and profiles


def test_an_account_is_named_in_a_file(conform: Conform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "server.yaml"
    monkeypatch.setenv("REGISTRY_PASSWORD", "s3cret")
    with reference(Settings(accounts=(Account("admin", "s3cret"),))) as server:
        assert "wants to know who asks" in conform(server.http.url, "R02", *NO_LISTENERS)[2]
        file.write_text(f"registry: {server.http.url}\nuser: admin\npassword: env:REGISTRY_PASSWORD\n")
        code, out, _ = conform(str(file), "R02", "R21", *NO_LISTENERS)
        assert (code, "2 passed" in out) == (Exit.PASSED, True)
        file.write_text(f"registry: {server.http.url}\nuser: boss\npassword: env:REGISTRY_PASSWORD\n")
        code, _, err = conform(str(file), "R02", *NO_LISTENERS)
    assert (code, "does not accept the account 'boss': check user and password" in err) == (Exit.BROKEN, True)


def test_what_a_real_registry_is_known_to_do_warns_and_fails_when_strict(conform: Conform) -> None:
    with reference(Settings(profile=Profile.JDBC)) as server:
        code, out, _ = conform(server.http.url, "R07", "R13", *NO_LISTENERS)
        assert (code, "2 warned" in out) == (Exit.PASSED, True)
        assert "got 500, as a real Hono is known to do" in " ".join(out.split())
        assert conform(server.http.url, "R07", "--strict", *NO_LISTENERS)[0] == Exit.FAILED
        code, out, _ = conform(server.http.url, "R07", "R13", "--profile", "2-jdbc", *NO_LISTENERS)
        assert (code, "2 passed" in out) == (Exit.PASSED, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mqtt", "here"], "--mqtt: 'here' is no address; expected HOST:PORT"),
        (["--profile", "2.7"], "--profile: there are no rows for '2.7'; expected 2, 2-jdbc, 2-mongodb or 1"),
    ],
)
def test_wrong_usage_is_said_before_anybody_is_asked(conform: Conform, options: list[str], words: str) -> None:
    code, _, err = conform("http://127.0.0.1:1", *options)
    assert code == Exit.WRONG_USAGE
    assert words in err


def test_a_row_that_there_is_not_is_told_its_nearest_name(conform: Conform) -> None:
    code, _, err = conform("http://127.0.0.1:1", "tenants/agian")
    assert (code, err) == (Exit.NOTHING_JUDGED, "no row is called tenants/agian; did you mean tenants/again?\n")
