"""Whatever becomes of a row: what it made is gone, and what could not be removed is said by its name."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.conformance.cleanup import GONE_AFTER
from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.thingsboard.conformance.asking import PATH, as_bytes, ask
from fleetrig.harness.platforms.thingsboard.conformance.credentials import GATEWAY_CONNECT, connecting
from fleetrig.harness.platforms.thingsboard.conformance.logins import log_in
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import STOPPING
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import LIMIT_S
from tests.harness.platforms.thingsboard.conformance.in_process import reference
from tests.harness.platforms.thingsboard.conformance.tenant_contents import everything

ROW = ROWS[0]
DEVICES = "/tenant/devices"


@pytest.fixture(scope="module")
def one_server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        yield server


@pytest.fixture
def server(one_server: ServerUnderTest) -> ServerUnderTest:
    """A run of its own on the server of all tests."""
    return replace(one_server, prefix=f"{one_server.prefix}x", left_behind=[])


def make_a_mess(client: RowClient) -> None:
    """One of everything that rows make: profiles, devices, a gateway's child, a customer and its user, a tenant."""
    client.imported(client.profile("C"))
    profile, gateway, child = client.profile("A"), client.name(), client.name("child")
    ask(client, "http", profile.members())
    token = ask(client, "http", profile.members(gateway, gateway=True)).document["credentialsValue"]
    client.forget_device(child)
    connection = log_in(client, user_name=token)
    connection.publish(GATEWAY_CONNECT, connecting(child, profile))
    connection.expect_heard("a child", "PUBACK")
    client.customer()
    other = client.another_tenant(maxDevices=3)
    other.imported(other.profile("C"))


@pytest.mark.parametrize("end", [None, Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError])
def test_a_row_leaves_everything_as_it_was(server: ServerUnderTest, end: type[BaseException] | None) -> None:
    before = everything(server)
    try:
        with open_client(server, ROW) as client:
            make_a_mess(client)
            assert {path for path, held in everything(server).items() if held != before[path]} == before.keys()
            if end is not None:
                raise end("x")
    except (Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError) as error:
        assert type(error) is end  # noqa: PT017 (also without an error)
    assert everything(server) == before
    assert server.left_behind == []


class Interrupted(ExactClient):
    """Ctrl-C between the end of the n-th request that changes something and its answer."""

    left = 0
    asked = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        answer = super().call(method, path, headers, body)
        self.asked += method == "POST"
        if method == "POST" and self.asked == self.left:
            raise KeyboardInterrupt
        return answer


@pytest.mark.slow
def test_what_came_into_being_while_nobody_listened_is_found_at_any_moment(server: ServerUnderTest) -> None:
    before = everything(server)
    moment = 0
    while True:
        moment += 1
        client = Interrupted(server.http.url)
        client.left = moment
        try:
            with open_client(replace(server, http=client, left_behind=[]), ROW) as session:
                make_a_mess(session)
        except KeyboardInterrupt:
            assert everything(server) == before, f"interrupted at POST {moment}"
        else:
            break
        finally:
            client.close()
    assert moment > 12


def test_what_other_people_have_stays_though_its_name_is_like_ours(server: ServerUnderTest) -> None:
    with open_client(server, ROW) as other:
        name = f"{server.prefix}other"
        other.asked("POST", "/device", {"name": name})
        with open_client(server, ROW) as client:
            client.imported(client.profile("C"))
            client.was_interrupted = True
        assert other.device(name) is not None
        other.forget_device(name)


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


def test_ctrl_c_waits_for_what_is_being_taken_back(server: ServerUnderTest) -> None:
    before = everything(server)
    client = Pressed(server.http.url)
    with pytest.raises(KeyboardInterrupt), open_client(replace(server, http=client), ROW) as session:  # noqa: PT012
        make_a_mess(session)
        client.times = 1
    client.close()
    assert everything(server) == before


def test_ctrl_c_twice_does_not_wait_and_says_what_is_left(server: ServerUnderTest) -> None:
    before = everything(server)
    client = Pressed(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with pytest.raises(KeyboardInterrupt), open_client(mine, ROW) as session:  # noqa: PT012
        names = [session.profile(letter).name for letter in ("A", "C")]
        client.times = 2
    client.close()
    assert mine.left_behind == [f"device profile {names[0]} is still there"]
    with open_client(server, ROW) as session:
        session.was_interrupted = True
    assert everything(server) == before


class Stubborn(ExactClient):
    """A server that would not take something back."""

    refuses = ""
    is_gone = False
    asked = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if method == "DELETE" and (self.is_gone or path.startswith(self.refuses)):
            self.asked += 1
            if self.is_gone:
                raise BrokenBench("gone")
            return Answer(500, (), b"no", f"{method} {path}")
        return super().call(method, path, headers, body)


def test_what_is_not_taken_back_is_said_and_the_rest_goes_on(server: ServerUnderTest) -> None:
    before = everything(server)
    client = Stubborn(server.http.url)
    client.refuses = "/api/customer"
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        make_a_mess(session)
    [sentence] = mine.left_behind
    assert sentence.startswith(f"customer {session.name_prefix}customer")
    assert "is still there: expected status of DELETE /api/customer/" in sentence
    assert {path for path, held in everything(server).items() if held != before[path]} == {"/customers", "/users"}
    with open_client(server, ROW) as session:
        session.was_interrupted = True
    client.close()
    assert everything(server) == before


def test_a_server_that_is_gone_is_not_asked_for_ever(server: ServerUnderTest) -> None:
    client = Stubborn(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        names = [session.profile(f"C{number}").name for number in range(5)]
        client.is_gone = True
    assert client.asked == GONE_AFTER
    assert [sentence.split(" is still there")[0] for sentence in mine.left_behind] == [
        f"device profile {name}" for name in reversed(names)
    ]
    client.close()
    with open_client(server, ROW) as session:
        session.was_interrupted = True


class LateDevice(ExactClient):
    """A request of a device that was under way is served while its profile is being removed."""

    members: Mapping[str, str] | None = None

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if method == "DELETE" and path.startswith("/api/deviceProfile/") and self.members is not None:
            late, self.members = self.members, None
            super().call("POST", PATH, {"Content-Type": "application/json"}, as_bytes(late))
        return super().call(method, path, headers, body)


def test_a_device_that_comes_late_goes_too(server: ServerUnderTest) -> None:
    before = everything(server)
    client = LateDevice(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        client.members = session.profile("A").members(session.name())
    client.close()
    assert client.members is None
    assert mine.left_behind == []
    assert everything(server) == before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_in_the_middle_of_a_run(server: ServerUnderTest, tmp_path: Path, number: signal.Signals) -> None:
    """The whole command: S89 waits 20 s in a session, after S64 has made its devices and waits for a minute."""
    before = everything(server)
    junit, (host, port) = tmp_path / "junit.xml", server.addresses["mqtt"]
    command = [sys.executable, "-m", "fleetrig.harness.cli", "conform", "thingsboard", "S01", "S64"]
    command += [
        "--junit",
        str(junit),
        "--against",
        server.http.url,
        "--mqtt",
        f"{host}:{port}",
        "--mqtts=-",
        "--coap=-",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_two_devices(server)
        process.send_signal(number)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (Exit.INTERRUPTED, f"{STOPPING}\ninterrupted\n")
    assert everything(server) == before
    assert ET.parse(junit).getroot().get("tests") == "1"


def wait_for_two_devices(server: ServerUnderTest) -> None:
    """Until S64 waits: both of its sessions have been answered."""
    pause = threading.Event()
    with open_client(server, ROW) as client:
        for _ in range(int(LIMIT_S / 0.02)):
            found = [one["name"] for one in client.pages(f"{DEVICES}?") if "-s64-" in one["name"]]
            if len(found) == 2:
                return
            pause.wait(0.02)
    raise AssertionError("the row did not begin")
