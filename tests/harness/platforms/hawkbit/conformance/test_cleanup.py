"""Whatever becomes of a row: what it made is gone, what it configured is as it was, and what could not be is said."""

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

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch, expect
from fleetrig.harness.platforms.hawkbit.conformance import cleanup
from fleetrig.harness.platforms.hawkbit.conformance.cleanup import GONE_AFTER, MOST_WAITS, Cleanup
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, TARGET_MODE
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import STOPPING
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import LIMIT_S
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.server_contents import everything

ROW = ROWS[0]
POLLING = "pollingTime"


@pytest.fixture(scope="module")
def one_server() -> Iterator[TenantUnderTest]:
    with reference() as server:
        yield server


@pytest.fixture
def server(one_server: TenantUnderTest) -> TenantUnderTest:
    """A run of its own on the server of all tests."""
    return replace(one_server, prefix=f"{one_server.prefix}x", originals={}, left_behind=[])


def make_a_mess(session: RowClient) -> None:
    """One of everything, and settings that were at their default, set before, and changed twice."""
    session.update()
    session.target(targetType=session.made("/targettypes", {"name": session.name("type")})["id"])
    session.made("/targettags", {"name": session.name("tag")})
    session.settings.switch_target_tokens_on()
    session.settings.switch_gateway_on()
    session.settings.change({POLLING: "00:02:00"})
    session.settings.change({POLLING: "00:03:00"})
    expect("polling time in between", "00:03:00", session.settings.read(POLLING))


def set_before(server: TenantUnderTest) -> None:
    """An operator's own settings, which must not become defaults."""
    with open_client(server, ROW) as session:
        session.mgmt("PUT", "/system/configs", {TARGET_MODE: False, GATEWAY_KEY: "operators-own-key"})


@pytest.mark.parametrize("end", [None, Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError])
def test_a_row_leaves_everything_as_it_was(server: TenantUnderTest, end: type[BaseException] | None) -> None:
    set_before(server)
    before = everything(server)
    try:
        with open_client(server, ROW) as session:
            make_a_mess(session)
            assert everything(server) != before
            if end is not None:
                raise end("x")
    except (Mismatch, BrokenBench, KeyboardInterrupt, ZeroDivisionError) as error:
        assert type(error) is end  # noqa: PT017 (also without an error)
    assert everything(server) == before
    assert server.left_behind == []


def test_what_a_row_asks_to_be_so_and_is_so_is_not_touched(server: TenantUnderTest) -> None:
    """Then no leave is needed either, and nobody's audit fields move."""
    set_before(server)
    with open_client(server, ROW) as session:
        document = session.mgmt("GET", f"/system/configs/{GATEWAY_KEY}").json()
        session.under_test.may_change_settings = False
        session.settings.change({TARGET_MODE: False, GATEWAY_KEY: "operators-own-key", GATEWAY_MODE: False})
        assert session.mgmt("GET", f"/system/configs/{GATEWAY_KEY}").json() == document


def test_targets_of_other_people_stay(server: TenantUnderTest) -> None:
    with open_client(server, ROW) as other:
        other.mgmt("POST", "/targets", [{"controllerId": f"{server.prefix}other"}])
        with open_client(server, ROW) as session:
            session.target()
            session.was_interrupted = True
        assert other.exists(f"{server.prefix}other")
        other.forget_target(f"{server.prefix}other")


class Interrupted(ExactClient):
    """Ctrl-C between the end of one kind of request and its answer."""

    at = ""

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        answer = super().call(method, path, headers, body)
        if method == "POST" and path.endswith(self.at):
            raise KeyboardInterrupt
        return answer


@pytest.mark.parametrize("at", ["/targets", "/targettypes", "/targettags", "/softwaremodules", "/distributionsets"])
def test_what_came_into_being_while_nobody_listened_is_found_by_its_name(server: TenantUnderTest, at: str) -> None:
    before = everything(server)
    client = Interrupted(server.http.url)
    client.at = at
    with pytest.raises(KeyboardInterrupt), open_client(replace(server, http=client), ROW) as session:
        make_a_mess(session)
    client.close()
    assert everything(server) == before


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


def test_ctrl_c_waits_for_what_is_being_taken_back(server: TenantUnderTest) -> None:
    before = everything(server)
    client = Pressed(server.http.url)
    with pytest.raises(KeyboardInterrupt), open_client(replace(server, http=client), ROW) as session:  # noqa: PT012
        make_a_mess(session)
        client.times = 1
    client.close()
    assert everything(server) == before


def test_ctrl_c_twice_does_not_wait_and_says_what_is_left(server: TenantUnderTest) -> None:
    before = everything(server)
    mine = replace(server, http=Pressed(server.http.url))
    assert isinstance(mine.http, Pressed)
    with pytest.raises(KeyboardInterrupt), open_client(mine, ROW) as session:  # noqa: PT012
        targets = [session.target().controller_id for _ in range(3)]
        mine.http.times = 2
    mine.http.close()
    assert mine.left_behind == [f"/targets/{one} is still there" for one in reversed(targets[:2])]
    with open_client(server, ROW) as session:
        session.was_interrupted = True
    assert everything(server) == before


class Stubborn(ExactClient):
    """A server that would not take something back."""

    refuses: tuple[str, str] = ("", "")
    broken = False
    asked = 0

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if (method, path.rpartition("/")[0]) != self.refuses and not (self.broken and method == "DELETE"):
            return super().call(method, path, headers, body)
        self.asked += 1
        if self.broken:
            raise BrokenBench("gone")
        return Answer(500, (), b"", f"{method} {path}")


@pytest.fixture
def stubborn(server: TenantUnderTest) -> Iterator[Stubborn]:
    client = Stubborn(server.http.url)
    yield client
    client.broken, client.refuses = False, ("", "")
    with open_client(server, ROW) as session:  # by the names that the test used
        session.was_interrupted = True
    client.close()


def test_what_is_not_taken_back_is_said_and_the_rest_goes_on(server: TenantUnderTest, stubborn: Stubborn) -> None:
    before = everything(server)
    stubborn.refuses = ("DELETE", "/rest/v1/targets")
    mine = replace(server, http=stubborn)
    with open_client(mine, ROW) as session:
        session.update()
        path = f"/targets/{session.target().controller_id}"
        session.settings.change({POLLING: "00:02:00"})
    assert mine.left_behind == [f"{path} is still there: DELETE /rest/v1{path} answered 500"]
    assert {**everything(server), "/targets": []} == before


def test_settings_are_everybodys_and_go_first(server: TenantUnderTest, stubborn: Stubborn) -> None:
    set_before(server)
    stubborn.refuses = ("PUT", "/rest/v1/system/configs")
    mine = replace(server, http=stubborn)
    with open_client(mine, ROW) as session:
        session.settings.switch_gateway_on()
        session.target()
    [sentence] = mine.left_behind
    assert sentence.startswith(f"{GATEWAY_KEY} is not back to the key that it was: PUT ")
    assert "operators-own-key" not in sentence


def test_a_server_that_is_gone_is_not_asked_for_ever(server: TenantUnderTest, stubborn: Stubborn) -> None:
    mine = replace(server, http=stubborn)
    with open_client(mine, ROW) as session:
        for _ in range(10):
            session.target()
        stubborn.broken = True
    assert stubborn.asked == len(mine.left_behind) == GONE_AFTER
    stubborn.broken = False


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_run(server: TenantUnderTest, tmp_path: Path) -> None:
    """The whole command: S79 waits half a minute for a device to be overdue, with a polling time of its own."""
    before = everything(server)
    junit = tmp_path / "junit.xml"
    command = [sys.executable, "-m", "fleetrig.harness.cli", "conform", "hawkbit", "S16", "S79", "--junit", str(junit)]
    command += ["--against", server.http.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for_a_target(server)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (Exit.INTERRUPTED, f"{STOPPING}\ninterrupted\n")
    assert everything(server) == before
    assert ET.parse(junit).getroot().get("tests") == "1"


def wait_for_a_target(server: TenantUnderTest) -> None:
    """Until the command's row has made its target and configured what it needs."""
    pause = threading.Event()
    with open_client(server, ROW) as session:
        for _ in range(int(LIMIT_S / 0.02)):
            polled = session.mgmt("GET", "/targets?q=updatestatus==registered").json()["total"]
            if polled and session.settings.read(POLLING) != "00:05:00":
                return
            pause.wait(0.02)
    raise AssertionError("the row did not begin")


class Cached(ExactClient):
    """A server that tells the polling time which the row before had set."""

    stale = False

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if self.stale and method == "GET" and path.endswith(POLLING):
            return Answer(200, (), b'{"value": "00:02:00", "global": false}', f"{method} {path}")
        return super().call(method, path, headers, body)


def test_a_setting_becomes_what_it_was_before_the_run_not_before_the_row(server: TenantUnderTest) -> None:
    before = everything(server)
    client = Cached(server.http.url)
    mine = replace(server, http=client)
    for client.stale in (False, True):
        with open_client(mine, ROW) as session:
            session.settings.change({POLLING: "00:03:00" if client.stale else "00:02:00"})
    client.close()
    assert everything(server) == before


@pytest.mark.parametrize(
    ("statuses", "left", "asked"),
    [
        ([400, 423, 204], [], 3),
        ([409, 404], [], 2),
        ([400] * (MOST_WAITS + 2), ["/distributionsets/7 is still there: still in use"], MOST_WAITS + 2),
        ([409, 403], ["/distributionsets/7 is still there: DELETE /x answered 403"], 2),
        ([403], ["/distributionsets/7 is still there: DELETE /x answered 403"], 1),
    ],
    ids=["held for a while", "gone meanwhile", "held for good", "then refused", "refused"],
)
def test_what_something_else_still_holds_is_asked_for_again(
    statuses: list[int], left: list[str], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "WAIT_S", 0.0)
    answers = [Answer(status, (), b"", "DELETE /x") for status in statuses]
    came = iter(answers)
    made = Cleanup(lambda *_: next(came), {})
    made.remove("/distributionsets/7")

    assert made.run() == left
    assert len(answers) - len(list(came)) == asked


def test_what_holds_each_other_goes_in_order_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server that deletes no set which a target still has, and no module which a set still has."""
    monkeypatch.setattr(cleanup, "WAIT_S", 1e9)
    holds = {"/softwaremodules/1": "/distributionsets/2", "/distributionsets/2": "/targets/a"}
    there = {"/targets/a", *holds}
    asked: list[str] = []

    def mgmt(method: str, path: str) -> Answer:
        asked.append(path)
        if holds.get(path) in there:
            return Answer(409, (), b"", f"{method} {path}")
        there.discard(path)
        return Answer(204, (), b"", f"{method} {path}")

    made = Cleanup(mgmt, {})
    for path in ("/targets/a", "/softwaremodules/1", "/distributionsets/2"):
        made.remove(path)

    assert made.run() == []
    assert there == set()
    assert asked == [*(first := ["/distributionsets/2", "/softwaremodules/1"]), "/targets/a", *first]


def test_a_server_that_goes_away_meanwhile_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "WAIT_S", 1e9)
    answers = iter([Answer(409, (), b"", "DELETE /x")])

    def mgmt(method: str, path: str) -> Answer:
        if (found := next(answers, None)) is None:
            raise BrokenBench("nobody listens")
        return found

    made = Cleanup(mgmt, {})
    made.remove("/distributionsets/7")
    assert made.run() == ["/distributionsets/7 is still there: nobody listens"]
