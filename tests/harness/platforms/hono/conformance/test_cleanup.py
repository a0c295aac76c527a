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
from fleetrig.harness.platforms.hono.conformance.contacts import post, with_basic
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hono.conformance.suite import ROWS
from fleetrig.harness.platforms.hono.conformance.under_test import ServerUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import STOPPING, stop_signals
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import LIMIT_S
from tests.harness.platforms.hono.conformance.in_process import KEPT, records, reference

ROW = ROWS[0]
BY_NUMBER = {row.number: row for row in ROWS}


@pytest.fixture(scope="module")
def one_server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        yield server


@pytest.fixture
def server(one_server: ServerUnderTest) -> ServerUnderTest:
    """A run of its own on the server of all tests."""
    return replace(one_server, prefix=f"{one_server.prefix}x", left_behind=[])


def make_a_mess(client: RowClient) -> None:
    """One of everything that rows make: tenants, devices by hand, by themselves and by a gateway, credentials."""
    authority = client.authority()
    tenant = client.trusting(authority.trusted())
    post(client, authority.device())
    gateway = client.with_password(tenant, {"authorities": ["auto-provisioning-enabled"]}, "gw", "gw")
    with_basic(client, gateway, "PUT", f"/telemetry/{tenant}/e1")
    client.with_password(client.tenant())


@pytest.mark.parametrize("end", [None, Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError])
def test_a_row_leaves_everything_as_it_was(server: ServerUnderTest, end: type[BaseException] | None) -> None:
    try:
        with open_client(server, ROW) as client:
            make_a_mess(client)
            assert records(server).keys() == set(KEPT)
            if end is not None:
                raise end("x")
    except (Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError) as error:
        assert type(error) is end  # noqa: PT017 (also without an error)
    assert records(server) == {}
    assert server.left_behind == []


def test_what_a_registry_of_others_does_not_list_is_said() -> None:
    """1.1 has no search, and keeps what came into a tenant that is gone."""
    with reference(Settings(profile=Profile.OLD)) as old:
        foreign = replace(old, control=None)
        with open_client(foreign, ROW) as client:
            authority = client.authority()
            tenant = client.trusting(authority.trusted())
            post(client, authority.device())
            client.with_password(client.tenant())
        assert foreign.left_behind == [
            f"devices that were provisioned in tenant {tenant} may be there: profile 1 lists none"
        ]
        assert records(old) == {"hono.device": 1, "hono.credentials": 1}


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
def test_what_came_into_being_while_nobody_listened_is_found_at_any_moment(server: ServerUnderTest) -> None:
    moment = 0
    while True:
        moment += 1
        client = Interrupted(server.http.url)
        client.left, client.interrupts = moment, stop
        try:
            with open_client(replace(server, http=client, left_behind=[]), ROW) as session:
                make_a_mess(session)
        except KeyboardInterrupt:
            assert records(server) == {}, f"interrupted at POST {moment}"
        else:
            break
        finally:
            client.close()
    assert moment > 3


def test_a_tenant_whose_id_the_registry_makes_is_known_before_the_row_stops(server: ServerUnderTest) -> None:
    client = Interrupted(server.http.url)
    client.left, client.interrupts = 1, lambda: signal.raise_signal(signal.SIGINT)
    mine, row = replace(server, http=client), BY_NUMBER["R01"]
    with pytest.raises(KeyboardInterrupt), stop_signals(), open_client(mine, row) as session:
        row.check(session)
    client.close()
    assert records(server) == {}


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
    client = Pressed(server.http.url)
    with pytest.raises(KeyboardInterrupt), open_client(replace(server, http=client), ROW) as session:  # noqa: PT012
        make_a_mess(session)
        client.times = 1
    client.close()
    assert records(server) == {}


def test_ctrl_c_twice_does_not_wait_and_says_what_is_left(server: ServerUnderTest) -> None:
    client = Pressed(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with pytest.raises(KeyboardInterrupt), open_client(mine, ROW) as session:  # noqa: PT012
        tenants = [session.tenant() for _ in range(2)]
        client.times = 2
    client.close()
    assert mine.left_behind == [f"tenant {tenant} is still there" for tenant in reversed(tenants)]
    for tenant in tenants:
        server.http.call("DELETE", f"/v1/tenants/{tenant}")
    assert records(server) == {}


class Stubborn(ExactClient):
    """A server that would not take something back."""

    refuses = "nothing"
    is_gone = False
    asked = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if method == "DELETE" and (self.is_gone or self.refuses in path):
            self.asked += 1
            if self.is_gone:
                raise BrokenBench("gone")
            return Answer(500, (), b"no", f"{method} {path}")
        return super().call(method, path, headers, body)


def test_what_is_not_taken_back_is_said_and_the_rest_goes_on(server: ServerUnderTest) -> None:
    client = Stubborn(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        make_a_mess(session)
        stays = session.tenant()
        client.refuses = f"/tenants/{stays}"
    client.close()
    [sentence] = mine.left_behind
    assert sentence.startswith(f"tenant {stays} is still there: expected DELETE /v1/tenants/{stays}: 204 or 404")
    assert records(server) == {"hono.tenant": 1}
    server.http.call("DELETE", f"/v1/tenants/{stays}")


def test_a_server_that_is_gone_is_not_asked_for_ever(server: ServerUnderTest) -> None:
    client = Stubborn(server.http.url)
    mine = replace(server, http=client, left_behind=[])
    with open_client(mine, ROW) as session:
        tenants = [session.tenant() for _ in range(5)]
        client.is_gone = True
    client.close()
    assert client.asked == GONE_AFTER
    said = [sentence.split(" is still there")[0] for sentence in mine.left_behind]
    assert said == [f"tenant {tenant}" for tenant in reversed(tenants)]
    for tenant in tenants:
        server.http.call("DELETE", f"/v1/tenants/{tenant}")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_in_the_middle_of_a_run(server: ServerUnderTest, tmp_path: Path, number: signal.Signals) -> None:
    """The whole command: A17 waits for a second after its device has been deleted."""
    junit, (host, port) = tmp_path / "junit.xml", server.addresses["https"]
    command = [sys.executable, "-m", "fleetrig.harness.cli", "conform", "hono", "A01", "A17", "--junit", str(junit)]
    command += ["--against", server.http.url, f"--https={host}:{port}"]
    command += [f"--{name}=-" for name in server.addresses if name != "https"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_a_tenant(server, "-a17-")
        process.send_signal(number)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (Exit.INTERRUPTED, f"{STOPPING}\ninterrupted\n")
    assert records(server) == {}
    assert ET.parse(junit).getroot().get("tests") == "1"


def wait_for_a_tenant(server: ServerUnderTest, mark: str) -> None:
    """Until that row has begun."""
    pause = threading.Event()
    with open_client(server, ROW) as client:
        for _ in range(int(LIMIT_S / 0.02)):
            if any(mark in one["id"] for one in client.search("/tenants")):
                return
            pause.wait(0.02)
    raise AssertionError("the row did not begin")
