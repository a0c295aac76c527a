"""Every command against servers that send what no server sends: a finding or one sentence, never a bug of ours."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from fleetrig.harness.running_server.server import RunningServer
from tests.harness.command import Done, fleetrig
from tests.harness.conformance.raw_server import Talk, always, answer, raw_server, requests
from tests.harness.hostile_server import in_front_of, instead, one_value_of_another_kind
from tests.harness.runs import write_scenario

pytestmark = pytest.mark.slow

DEEP = b"[" * 100_000
BODIES = {
    "deep": DEEP,
    "deep-whole": DEEP + b"]" * 100_000,
    "deep-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "depth-900": b"[" * 900 + b"]" * 900,
    "digits": b'{"total": ' + b"9" * 5_000 + b', "content": []}',
    "infinite": b'{"total": 1e999, "content": []}',
    "nan": b'{"total": NaN, "content": []}',
    "surrogate": rb'{"tenant": "DEFAULT", "username": "\ud800", "total": 1, "content": [{"controllerId": "\ud800"}]}',
    "no-utf-8": b'{"total": "\xff\xfe"}',
    "list": b"[[[]]]",
    "null": b"null",
    "text": b'"text"',
    "number": b"7",
    "null-inside": b'{"total": null, "content": null, "tenant": null, "username": null, "id": null, "_links": null}',
}
COMMANDS = {
    "doctor": ["doctor", "hawkbit", "--id", "HB-1", "--target-token", "env:PATH", "--user", "admin", "--password",
               "env:PASSWORD_OF_ADMIN"],
    "conform": ["conform", "hawkbit", "S16", "S40", "S160"],
    "run": ["run", "hawkbit/x"],
    "simulate": ["simulate", "hawkbit", "--register", "--count", "2", "--for", "500ms", "--spread", "0s"],
}  # fmt: skip
PATHS = {
    "doctor": ["/", "/userinfo", "/configs", "/targets", "/controller/"],
    "conform": ["/", "/configs", "/targets", "/controller/", "/targettags", "/rollouts"],
    "run": ["/", "/configs", "/targets", "/controller/"],
    "simulate": ["/", "/configs/", "/targets", "/controller/"],
}
EVERYWHERE = ("deep", "digits", "list", "null-inside")
"""The others are sent where a command asks most."""
CASES = [
    (command, path, body)
    for command, paths in PATHS.items()
    for path in paths
    for body in (BODIES if path == "/targets" else EVERYWHERE)
]
SCENARIO = """
    phases:
      - name: starts
        do: [preregister, power_on]
        within: 3s
        expect: [{reaches: {stage: online}}, {registry: {in_state: registered}}]
"""
SERVER = "http: {url}\ncontrol: {control}\n"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD_OF_ADMIN", "admin")


def is_judged(done: Done) -> bool:
    """Whatever it said, it was a verdict or a sentence."""
    said = done.stdout + done.stderr
    assert done.returncode in (Exit.PASSED, Exit.FAILED, Exit.BROKEN, Exit.WRONG_USAGE), said
    assert "bug in fleetrig" not in said
    assert "Traceback" not in said
    return bool(said.strip())


def asked(command: str, url: str, folder: Path) -> Done:
    write_scenario(folder, SCENARIO)
    return fleetrig(*COMMANDS[command], "--against", url, cwd=folder)


@pytest.mark.parametrize(("command", "path", "body"), CASES)
def test_bodies_that_nobody_expects(
    tmp_path: Path, empty_server: RunningServer, command: str, path: str, body: str
) -> None:
    with in_front_of(empty_server.url.removeprefix("http://"), instead(BODIES[body], path)) as url:
        assert is_judged(asked(command, url, tmp_path))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("command", COMMANDS)
def test_values_of_another_kind_anywhere(tmp_path: Path, empty_server: RunningServer, command: str, seed: int) -> None:
    with in_front_of(empty_server.url.removeprefix("http://"), one_value_of_another_kind(seed)) as url:
        assert is_judged(asked(command, url, tmp_path))


def endlessly(head: bytes, more: bytes) -> Talk:
    """A server that does not stop."""

    def talk(connection: socket.socket) -> None:
        with suppress(ValueError):  # doctor also tries whether it is TLS
            for _ in requests(connection):
                connection.sendall(head)
                while True:
                    connection.sendall(more)

    return talk


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNK = b"10000\r\n" + b" " * 65_536 + b"\r\n"
SERVERS = {
    "a body of 10 GiB": endlessly(OK + b"Content-Length: 10737418240\r\n\r\n", b" " * 65_536),
    "chunks without an end": endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK),
    "a chunk of negative size": endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", b" " * 65_536),
    "headers without an end": endlessly(OK, b"X-Header: " + b"x" * 1_000 + b"\r\n"),
    "a header without an end": endlessly(OK + b"X-Header: ", b"x" * 65_536),
    "a redirect to itself": always(answer(302, Location="/rest/v1/userinfo")),
}  # fmt: skip


@pytest.mark.parametrize("talk", SERVERS.values(), ids=SERVERS.keys())
@pytest.mark.parametrize("command", COMMANDS)
def test_answers_that_never_come_to_an_end(tmp_path: Path, command: str, talk: Talk) -> None:
    with raw_server(talk) as url:
        done = asked(command, url, tmp_path)
    assert is_judged(done)
    assert done.returncode == Exit.BROKEN
