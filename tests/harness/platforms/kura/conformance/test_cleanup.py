"""Whatever becomes of a row: what it made is gone, and what could not be removed is said by its name."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.conformance.cleanup import GONE_AFTER
from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.kura.conformance.dialogue import provisioned
from fleetrig.harness.platforms.kura.conformance.kapua_api import KapuaApi
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.kura.conformance.suite import ROWS
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import STOPPING
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import LIMIT_S
from tests.harness.platforms.kura.conformance.in_process import records, reference

ROW = ROWS[0]
MADE = ("kura.account", "kura.user", "kura.credential", "kura.device", "kura.connection", "kura.provision_request")


@pytest.fixture(scope="module")
def one_server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        KapuaApi(server.http, server.sign_in).authenticate()
        yield server


@pytest.fixture(name="before")
def _before(one_server: ServerUnderTest) -> dict[str, int]:
    return records(one_server)


@pytest.fixture
def server(one_server: ServerUnderTest) -> ServerUnderTest:
    """A run of its own on the server of all tests."""
    return replace(one_server, prefix=f"{one_server.prefix}x", left_behind=[])


def make_a_mess(client: RowClient) -> None:
    """One of everything that rows make: accounts, users, requests, devices that came by themselves."""
    provisioned(client, client.request())
    client.request(generateActivationKey=True)
    client.plain_gateway(account=client.account("b")).birth()


@pytest.mark.parametrize("end", [None, Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError])
def test_a_row_leaves_everything_as_it_was(
    server: ServerUnderTest, before: dict[str, int], end: type[BaseException] | None
) -> None:
    try:
        with open_client(server, ROW) as client:
            make_a_mess(client)
            assert [kind for kind in MADE if records(server).get(kind, 0) <= before.get(kind, 0)] == []
            if end is not None:
                raise end("x")
    except (Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError) as error:
        assert type(error) is end  # noqa: PT017 (also without an error)
    assert records(server) == before
    assert server.left_behind == []


class Interrupted(ExactClient):
    """Ctrl-C between the end of the n-th request that makes something and its answer."""

    left = 0
    asked = 0
    interrupts: Callable[[], object]

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        answer = super().call(method, path, headers, body)
        self.asked += method == "POST"
        if method == "POST" and self.asked == self.left:
            self.interrupts()
        return answer


def stop() -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_what_came_into_being_while_nobody_listened_is_found_at_any_moment(
    server: ServerUnderTest, before: dict[str, int]
) -> None:
    moment = 0
    while True:
        moment += 1
        client = Interrupted(server.http.url)
        client.left, client.interrupts = moment, stop
        try:
            with open_client(replace(server, http=client, left_behind=[]), ROW) as session:
                make_a_mess(session)
        except KeyboardInterrupt:
            assert records(server) == before, f"interrupted at POST {moment}"
        else:
            break
        finally:
            client.close()
    assert moment > 5


class Pressed(ExactClient):
    """Ctrl-C while the server is asked to delete, this many times."""

    times = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if method == "DELETE" and self.times:
            self.times -= 1
            signal.raise_signal(signal.SIGINT)
        return super().call(method, path, headers, body)


def test_ctrl_c_waits_for_what_is_being_taken_back(server: ServerUnderTest, before: dict[str, int]) -> None:
    client = Pressed(server.http.url)
    with pytest.raises(KeyboardInterrupt), open_client(replace(server, http=client), ROW) as session:  # noqa: PT012
        make_a_mess(session)
        client.times = 1
    client.close()
    assert records(server) == before


class Stubborn(ExactClient):
    """A server that would not take something back."""

    refuses = "nothing"
    is_gone = False
    asked = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if self.is_gone:
            self.asked += 1
            raise BrokenBench("gone")
        if method == "DELETE" and self.refuses in path:
            return Answer(500, (), b"no", f"{method} {path}")
        return super().call(method, path, headers, body)


def test_what_is_not_taken_back_is_said_and_the_rest_goes_on(server: ServerUnderTest, before: dict[str, int]) -> None:
    client = Stubborn(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        make_a_mess(session)
        stays = session.account()
        client.refuses = f"/accounts/{stays.scope_id}"
    client.close()
    [sentence] = mine.left_behind
    assert sentence.startswith(f"account {stays.name} is still there: expected DELETE /v1/AQ/accounts/{stays.scope_id}")
    left = {kind: number for kind, number in records(server).items() if number != before.get(kind)}
    assert left == {"kura.account": before["kura.account"] + 1, "kura.connection": 1}, (
        "the account, and what goes with it"
    )
    KapuaApi(server.http, server.sign_in).remove(f"/v1/AQ/accounts/{stays.scope_id}")


def test_a_server_that_is_gone_is_not_asked_for_ever(server: ServerUnderTest) -> None:
    client = Stubborn(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        accounts = [session.account(hint) for hint in "abcde"]
        client.is_gone = True
    client.close()
    assert client.asked == GONE_AFTER
    said = [sentence.split(" is still there")[0] for sentence in mine.left_behind]
    assert said == [f"account {account.name}" for account in reversed(accounts)]
    for account in accounts:
        KapuaApi(server.http, server.sign_in).remove(f"/v1/AQ/accounts/{account.scope_id}")


@pytest.mark.slow
def test_a_signal_in_the_middle_of_a_run(server: ServerUnderTest, before: dict[str, int], tmp_path: Path) -> None:
    """The whole command: at a foreign server S13 waits until something has expired."""
    junit, (host, port) = tmp_path / "junit.xml", server.addresses["mqtt"]
    command = [sys.executable, "-m", "fleetrig.harness.cli", "conform", "kura", "S02", "S13", "--junit", str(junit)]
    command += ["--against", server.http.url, f"--mqtt={host}:{port}", "--mqtts=-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_an_account(server, "-s13-")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (Exit.INTERRUPTED, f"{STOPPING}\ninterrupted\n")
    assert records(server) == before
    assert ET.parse(junit).getroot().get("tests") == "1"


def wait_for_an_account(server: ServerUnderTest, mark: str) -> None:
    """Until that row has begun."""
    pause, api = threading.Event(), KapuaApi(server.http, server.sign_in)
    for _ in range(int(LIMIT_S / 0.05)):
        if any(mark in one["name"] for one in api.items("/v1/AQ/accounts?")):
            return
        pause.wait(0.05)
    raise AssertionError("the row did not begin")
