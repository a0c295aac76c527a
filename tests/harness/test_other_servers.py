"""Commands against an address where something else listens: one sentence that says what, and what to do, for all
platforms; nothing of what that server says gets out of it unbounded, and no secret."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from fleetrig.harness.report.exits import Exit
from tests.harness.command import PROJECT, Done, Running, fleetrig
from tests.harness.conformance.raw_server import Talk, always, answer, raw_server, requests

PLATFORMS = {
    "hawkbit": ("hawkbit/first_contact", "hawkBit"),
    "thingsboard": ("thingsboard/first_contact", "ThingsBoard"),
    "hono": ("hono/first_contact", "registry"),
    "kura": ("kura/first_contact", "Kapua"),
}
"""Platform -> one of its scenarios, and what sentences call its server."""
LISTENERS = {
    "hawkbit": [],
    "thingsboard": ["mqtt: 127.0.0.1:1"],
    "hono": ["http: http://127.0.0.1:1", "https: https://127.0.0.1:1", "mqtt: 127.0.0.1:1"],
    "kura": ["mqtt: 127.0.0.1:1"],
}
PAGE = "<!DOCTYPE html>\n<html><head><title>Welcome to the\n coffee machine</title></head><body>" + "x" * 5_000
CONTROLS = "\x1b[2J\x1b[31mred\r\nsecond line\x07"
LOGIN = "<html><title>Sign in</title></html>"


def echo(connection: socket.socket) -> None:
    """Says what it was asked with."""
    for request in requests(connection):
        said = {"authorization": request.headers.get("authorization", ""), "body": request.body.decode()}
        connection.sendall(answer(404, said))


def broker(connection: socket.socket) -> None:
    """As much of an MQTT broker as a CONNECT sees; it hangs up on everything else."""
    first = connection.recv(1_000)
    if first.startswith(b"\x10"):
        connection.sendall(b"\x20\x02\x00\x00")


OTHERS: dict[str, tuple[Talk, str]] = {
    "a page": (always(answer(200, PAGE, "text/html")), r"is no .*answered 200 with text/html, the page 'Welcome to"),
    "no such page": (always(answer(404, PAGE, "text/html")), r"is no .*answered 404 with text/html, the page 'Welcome"),
    "another API": (always(answer(404, {"detail": "Not Found"})), r"is no .*answered 404 with application/json, "),
    "another document": (always(answer(200, {"hello": "world"})), r"is no .*answered 200 with application/json, "),
    "a proxy": (always(answer(502, PAGE, "text/html")), r"answered 502 with text/html, .*: is .* running behind it\?"),
    "a login page": (always(answer(302, LOGIN, "text/html", Location="/login?next=/x")), "is redirected to /login"),
    "a redirect": (always(answer(301, Location="https://other.example/")), "redirects to https://other.example/: give"),
    "no account": (always(answer(401, PAGE, "text/html")), r"does not accept the account|wants to know who asks"),
    "no right": (always(answer(403, PAGE, "text/html")), "forbid|does not accept"),
    "TLS told in words": (
        always(answer(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>", "text/html")),
        "that port speaks TLS: write https://",
    ),
    "controls": (always(answer(404, CONTROLS, "text/plain")), r"is no .*answered 404 with text/plain, '\[2J \[31mred"),
    "an echo": (echo, r"is no .*answered 404"),
    "a broker": (broker, "that port speaks MQTT: is the port right"),
    "nothing": (lambda _: None, r"does not answer HTTP \((closed|reset)\): are scheme and port right"),
}  # fmt: skip


def said_by(done: Done) -> str:
    """Everything, on one line: what a terminal would break is no matter here."""
    said = done.stdout + done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said), said
    assert "<html" not in said.replace("'<html", "")
    assert "s3cret" not in said
    return " ".join(said.split())


def server_file(folder: Path, url: str, platform: str) -> str:
    """What is asked for first is the operator's API; devices would find nobody."""
    admin = "registry" if platform == "hono" else "http"
    path = folder / "server.yaml"
    lines = [f"platform: {platform}", f"{admin}: {url}", *LISTENERS[platform], "user: anna", "password: s3cret-s3cret"]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def run(platform: str, url: str, folder: Path) -> str:
    scenario, _ = PLATFORMS[platform]
    against = server_file(folder, url, platform)
    done = fleetrig("run", scenario, "--against", against, "--scenarios", str(PROJECT / "scenarios"), cwd=folder)
    assert done.returncode == Exit.BROKEN, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) <= 2, done.stdout
    return said_by(done)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_run_says_who_is_there(platform: str, other: str, tmp_path: Path) -> None:
    talk, words = OTHERS[other]
    with raw_server(talk) as url:
        said = run(platform, url, tmp_path)
    assert re.search(words, said), said
    assert said.count(url.partition("//")[2]) >= 1
    assert len(said) < 600


def test_a_load_run_says_the_same_and_no_figures_of_nothing(tmp_path: Path) -> None:
    talk, words = OTHERS["a page"]
    library = str(PROJECT / "scenarios")
    with raw_server(talk) as url:
        running = Running("load", "hawkbit/first_contact", "--against", url, "--scenarios", library, cwd=tmp_path)
        code = running.end()
    said = said_by(Done(code, running.said(), ""))
    assert code == Exit.BROKEN
    assert re.search(words, said), said
    assert "latency" not in said


def simulate(platform: str, url: str, folder: Path) -> Done:
    against = server_file(folder, url, platform)
    return fleetrig("simulate", platform, "--against", against, "--register", "--count", "2", "--for", "5s", cwd=folder)


@pytest.mark.parametrize("other", ["a page", "another API", "a proxy", "a broker", "an echo", "no account", "nothing"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_simulation_that_registers_says_the_same(platform: str, other: str, tmp_path: Path) -> None:
    talk, words = OTHERS[other]
    with raw_server(talk) as url:
        done = simulate(platform, url, tmp_path)
    said = said_by(done)
    assert done.returncode == Exit.BROKEN, said
    assert re.search(words, said), said


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nobody_listens(platform: str, free_port: int, tmp_path: Path) -> None:
    assert f"nobody listens at http://127.0.0.1:{free_port}" in run(platform, f"http://127.0.0.1:{free_port}", tmp_path)


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_port_with_tls_asked_without(platform: str, tls: ssl.SSLContext, tmp_path: Path) -> None:
    with raw_server(always(answer(404)), tls) as url:
        plain = url.replace("https:", "http:")
        assert f"that port speaks TLS: write {url}" in run(platform, plain, tmp_path)


def test_a_port_without_tls_asked_over_it(tmp_path: Path) -> None:
    with raw_server(polite) as url:
        secured = url.replace("http:", "https:")
        (tmp_path / "server.yaml").write_text(f"https: {secured.partition('//')[2]}\n", encoding="utf-8")
        done = fleetrig("run", "hawkbit/first_contact", "--against", secured, "--scenarios",
                        str(PROJECT / "scenarios"), cwd=tmp_path)  # fmt: skip
    assert f"that port speaks plain HTTP: write {url}" in said_by(done)


def polite(connection: socket.socket) -> None:
    """Says 400 to what is no HTTP."""
    first = connection.recv(1_000)
    connection.sendall(answer(200 if first.startswith(b"GET") else 400))


def test_a_certificate_of_somebody_else(tls: ssl.SSLContext, tmp_path: Path) -> None:
    with raw_server(always(answer(404)), tls) as url:
        done = fleetrig("run", "hawkbit/first_contact", "--against", url, "--scenarios",
                        str(PROJECT / "scenarios"), cwd=tmp_path)  # fmt: skip
    assert "shows a certificate that nobody here trusts: --ca FILE names its authority" in said_by(done)


# -- devices alone, without an operator


PROVISIONS = ["--transport", "http", "--provision-key", "env:KEY", "--provision-secret", "env:KEY"]
SIGNS_IN = ["--credentials", "password", "--account", "acme", "--user", "u", "--secret", "env:KEY"]
DEVICES = [
    ("hawkbit", [], "a page", "answers polls with something else than a poll document: is it a hawkBit server"),
    ("hawkbit", [], "no such page", r"knows no DEFAULT/controller/v1 \(HTTP 404\): is it a hawkBit server"),
    ("hawkbit", [], "a proxy", "answers HTTP 502 to everybody: is hawkBit running behind it"),
    ("hawkbit", [], "a login page", r"sends devices on to another address \(HTTP 302\)"),
    ("hawkbit", [], "a broker", "was asked in HTTP, and that port speaks MQTT: is the port right"),
    ("thingsboard", PROVISIONS, "a page", "is it a ThingsBoard of 3.2 or later"),
    ("thingsboard", PROVISIONS, "a proxy", "all devices heard HTTP 502: is ThingsBoard running behind http"),
    ("thingsboard", PROVISIONS, "a login page", "all devices heard HTTP 302: .* sends devices on to another address"),
    ("thingsboard", PROVISIONS, "a broker", "was asked in HTTP, and that port speaks MQTT: is the port right"),
]


@pytest.mark.parametrize(("platform", "more", "other", "words"), DEVICES)
def test_devices_alone_meet_another_server(
    platform: str, more: list[str], other: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "s3cret-s3cret")
    with raw_server(OTHERS[other][0]) as url:
        done = fleetrig("simulate", platform, "--against", url, *more, "--count", "1", "--for", "600ms", cwd=tmp_path)
    assert done.returncode in (Exit.FAILED, Exit.BROKEN)
    assert re.search(words, said_by(done)), said_by(done)


@pytest.mark.parametrize("platform", ["thingsboard", "kura"])
def test_devices_over_mqtt_meet_a_web_server(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "s3cret-s3cret")
    more = PROVISIONS[2:] if platform == "thingsboard" else SIGNS_IN
    with raw_server(polite) as url:
        against = url.replace("http:", "mqtt:")
        done = fleetrig("simulate", platform, "--against", against, *more, "--count", "1", "--for", "3s", cwd=tmp_path)
    assert f"{against} was asked in MQTT, and that port speaks HTTP: is the port right?" in said_by(done)
