"""Runs that use a control interface: their own server's, and that of a reference server that runs elsewhere."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar, cast

import pytest

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.run.remote_trace import EventsOfRun, follow
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.servers.control import PAGE, ControlInterface
from fleetrig.harness.servers.own_server import serving
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Ask, NoReply
from tests.harness.served import LIMIT_S, Served

pytestmark = pytest.mark.slow

HAWKBIT = platform_of("hawkbit")
T = TypeVar("T")

SCENARIO = """
    scenario: The server knows why a device is refused, and fails when it is told to
    needs: [reference.faults, reference.reasons]
    devices:
      {flow: hawkbit, count: 2, serial: "HB-{n}", credential: wrong_target_token,
       backoff: {policy: fixed, base: 500ms, floor: 500ms, cap: 500ms}}
    faults: [{fault: overload, hits: "GET */controller/*", times: 2}]
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: WITHIN
        faults: [{fault: latency, delay: 10ms, for: 1h}]
        expect:
          - fault: {kind: overload, times: 2}
          - fault: {kind: latency, times: {at_least: 2}}
          - refused: {reason_has: "REASON", times: {at_least: 2}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


def ask_control(served: Served, method: str, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection(served.ready["control"], timeout=LIMIT_S)
    headers = {"Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    said = json.loads(connection.getresponse().read())
    connection.close()
    return said


def server_file(folder: Path, served: Served, control: str = "") -> Path:
    path = folder / "server.yaml"
    control = control or f"http://{served.ready['control']}"
    path.write_text(f"http: http://{served.ready['http']}\ncontrol: {control}\n")
    return path


def foreign(against: str) -> RemoteServer:
    return remote_server_from(against, "hawkbit", may_change_settings=True)


def run_scenario(folder: Path, reason: str = "token differs", within: str = "20s", **options: Any) -> Report:
    file = folder / "scenarios" / "control.yaml"
    file.parent.mkdir()
    file.write_text(dedent(SCENARIO).lstrip().replace("REASON", reason).replace("WITHIN", within))
    (expanded,) = plan([], file.parent)
    return asyncio.run(run(expanded, RunOptions(results=folder / "results", **options)))


def conducted(director: Director[T] | AdminCall[T], trace: Trace | None = None) -> T:
    async def run() -> T:
        async with RealBench(trace or Trace()) as bench:
            return await bench.run(director)

    return asyncio.run(run())


def test_a_run_on_a_reference_server_elsewhere(tmp_path: Path, served: Served) -> None:
    others = ask_control(served, "POST", "/faults", {"fault": "outage", "hits": "GET /nowhere"})
    server = foreign(str(server_file(tmp_path, served)))
    report = run_scenario(tmp_path, against=server)
    left = ask_control(served, "DELETE", "/faults")["removed"]
    assert report.verdict is Verdict.PASSED, report
    assert [fault["id"] for fault in left] == [others["id"]]


def test_the_number_of_a_fault_that_nobody_heard_is_found(served: Served) -> None:
    control = ControlInterface(f"http://{served.ready['control']}")
    fault = Fault(FaultKind.OUTAGE, hits="GET /nowhere", for_s=10.0)
    first, second = (conducted(control.add_fault(fault)) for _ in range(2))
    conducted(control.add_fault(replace(fault, hits="GET /elsewhere")))
    assert conducted(control.newest_like(fault)) == second
    assert conducted(control.newest_like(fault, but=[second])) == first
    assert conducted(control.newest_like(fault, but=[first, second])) is None
    ask_control(served, "DELETE", "/faults")


def test_faults_of_a_run_that_fails_are_removed_too(tmp_path: Path, served: Served) -> None:
    server = foreign(str(server_file(tmp_path, served)))
    report = run_scenario(tmp_path, "token expired", "1s", against=server)
    assert report.verdict is Verdict.FAILED, report
    assert ask_control(served, "GET", "/faults")["faults"] == []


def test_the_same_on_a_server_of_its_own(tmp_path: Path) -> None:
    assert run_scenario(tmp_path, real_time=True).verdict is Verdict.PASSED


def test_the_same_in_virtual_time(tmp_path: Path) -> None:
    assert run_scenario(tmp_path).verdict is Verdict.PASSED


def test_without_its_control_interface_the_scenario_is_skipped(tmp_path: Path, served: Served) -> None:
    server = foreign(f"http://{served.ready['http']}")
    report = run_scenario(tmp_path, against=server)
    assert report.verdict is Verdict.SKIPPED
    assert "lacks reference.faults, reference.reasons" in report.reason


def test_a_control_interface_that_is_not_there_breaks_the_run_at_once(tmp_path: Path, served: Served) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        server = foreign(str(server_file(tmp_path, served, url)))
        report = run_scenario(tmp_path, against=server)
    assert report.verdict is Verdict.BROKEN
    assert report.reason.startswith(
        f"the control interface cannot be used: nobody listens at {url} (connection refused)"
    )


def test_a_control_interface_that_is_something_else_breaks_the_run(tmp_path: Path, served: Served) -> None:
    url = f"http://{served.ready['http']}"
    server = foreign(str(server_file(tmp_path, served, url)))
    report = run_scenario(tmp_path, against=server)
    assert report.verdict is Verdict.BROKEN
    assert f"on the control interface {url} gave 404" in report.reason


def test_its_address_is_checked(tmp_path: Path, served: Served) -> None:
    with pytest.raises(UsageError, match="ftp://bench-7"):
        foreign(str(server_file(tmp_path, served, "ftp://bench-7")))


def test_an_own_server_fails_by_its_control_interface() -> None:
    async def scenario() -> tuple[object, object]:
        trace = Trace()
        async with (
            serving(HAWKBIT, HAWKBIT.own_server.build({}, "1.1"), "1.1", trace, Secrets()) as server,
            RealBench(trace) as bench,
        ):
            assert server.add_fault is not None
            assert server.control is not None
            admin = cast(HawkbitAdmin, server.admin)
            fault_id = await bench.run(server.add_fault(Fault(FaultKind.OUTAGE)))
            refused = await bench.run(answer_of(admin.request("GET", "/targets")))
            await bench.run(server.control.remove_fault(fault_id))
            await bench.run(server.control.remove_fault(fault_id))
            return refused, await bench.run(answer_of(admin.request("GET", "/targets")))

    refused, answered = asyncio.run(scenario())
    assert isinstance(refused, NoReply)
    assert refused.why == "refused"
    assert not isinstance(answered, NoReply)


def answer_of(request: Any) -> AdminCall[object]:
    return (yield Ask("test", request, LIMIT_S))


def test_a_fault_that_it_does_not_take_breaks_the_bench(served: Served) -> None:
    control = ControlInterface(f"http://{served.ready['control']}")
    with pytest.raises(BrokenBench, match=r"POST /faults .* gave 400: (.|\n)*share"):
        conducted(control.add_fault(Fault(FaultKind.OUTAGE, share=2.0)))


def test_a_long_trace_is_told_page_by_page(served: Served) -> None:
    control = ControlInterface(f"http://{served.ready['control']}/")
    began = conducted(control.last_number())
    connection = http.client.HTTPConnection(served.ready["http"], timeout=LIMIT_S)
    for number in range(PAGE // 2 + 5):
        connection.request("GET", f"/DEFAULT/controller/v1/page-{number}")
        connection.getresponse().read()
    connection.close()
    first = conducted(control.events_since(began))
    assert (len(first.events), first.is_all, first.until) == (PAGE, False, began + PAGE)
    second = conducted(control.events_since(first.until))
    assert (len(second.events), second.is_all, second.until) == (10, True, began + PAGE + 10)
    assert conducted(control.events_since(second.until)).events == []


def test_a_fault_whose_line_names_nobody_is_of_the_device_of_its_session() -> None:
    def told(kind: str, device: str, session: int, path: str = "/telemetry") -> TraceEvent:
        envelope = HttpRequest("POST", "http://h", path)
        return TraceEvent(1, 1, device, Lane.SERVER, kind, envelope=envelope, session=session)

    run = EventsOfRun("mine-")
    assert run.has(told("received", "mine-1", 1))
    assert not run.has(told("received", "other-1", 2))
    assert [run.has(told("fault", "", session)) for session in (1, 2)] == [True, False]
    assert run.has(told("fault", "", 3)), "of a message that the platform never saw"
    assert not run.has(told("received", "", 1)), "other events name their device themselves"
    assert run.has(told("fault", "", 4, "/controller/mine-2"))
    assert not run.has(told("fault", "", 5, "/controller/other-2")), "lines of this platform name devices"


def test_only_what_is_about_the_run_is_told_again(served: Served) -> None:
    events: list[TraceEvent] = []
    trace = Trace()
    trace.listen(events.append)
    control = ControlInterface(f"http://{served.ready['control']}")
    number = conducted(control.last_number())
    ask_control(served, "POST", "/faults", {"fault": "latency", "delay": "1ms", "hits": "*/mine-1"})
    connection = http.client.HTTPConnection(served.ready["http"], timeout=LIMIT_S)
    for name in ("mine-1", "other-1", "not-mine-1"):
        connection.request("GET", f"/DEFAULT/controller/v1/{name}")
        connection.getresponse().read()
    connection.close()
    ask_control(served, "DELETE", "/faults")

    async def until_told() -> None:
        has_ended = asyncio.Event()
        trace.listen(lambda event: has_ended.set() if event.kind == "delivered" else None)
        async with RealBench(trace) as bench:
            task = asyncio.create_task(bench.run(follow(control, trace, "mine-", number)))
            async with asyncio.timeout(LIMIT_S):
                await has_ended.wait()
            task.cancel()

    asyncio.run(until_told())
    assert [event.kind for event in events] == ["received", "fault", "refused", "delivered"]
    assert {event.lane for event in events} == {Lane.SERVER}
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert events[2].reason
