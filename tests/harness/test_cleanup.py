"""On a server that others use too: what is changed there, what is taken back, and what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.actions import configure
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.setup import gateway_key_in_use
from fleetrig.harness.run.cleanup import RunCleanup
from fleetrig.harness.run.context import build_devices
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.harness.bench_fixture import BenchFixture
from tests.simulator.http_only import HttpOnly

PREFIX = "fleetrig-ab12cd-"
KEY = "authentication.gatewaytoken.key"
MODE = "authentication.gatewaytoken.enabled"


@pytest.fixture
def bench(tmp_path: Path) -> BenchFixture:
    """The context believes that its server is used by others too."""
    bench = BenchFixture(tmp_path)
    bench.context.server = replace(bench.context.server, is_own=False)
    bench.context.prefix = PREFIX
    bench.context.devices.clear()
    build_devices(bench.context)
    return bench


def names(bench: BenchFixture, path: str, key: str = "name") -> list[str]:
    return [one[key] for one in bench.run(bench.admin.search(path))]


def test_what_carries_the_prefix_goes_and_all_else_stays(bench: BenchFixture) -> None:
    bench.run(bench.admin.create_targets([{"controllerId": "HB-1"}, {"controllerId": "fleetrig-other-HB-1"}]))
    bench.run(bench.admin.create_update("theirs", "1.0", b"x", "f"))
    bench.do("preregister")
    bench.do("deploy", version="1.0", before_contact=True)
    bench.run(bench.admin.create_targets([{"controllerId": f"{PREFIX}made-by-a-request-nobody-remembers"}]))
    assert bench.target(f"{PREFIX}HB-1")["updateStatus"] == "pending"

    assert bench.run(RunCleanup(bench.context).run()) == ""

    assert names(bench, "/targets", "controllerId") == ["HB-1", "fleetrig-other-HB-1"]
    assert names(bench, "/distributionsets") == ["theirs"]
    assert names(bench, "/softwaremodules") == ["theirs"]


def unchanged(request: HttpRequest, delivery: Delivery) -> Delivery:
    return delivery


def in_front(
    bench: BenchFixture,
    change: Callable[[HttpRequest, Delivery], Delivery] = unchanged,
    *,
    ignores_queries: bool = False,
) -> VirtualBench:
    """A bench on the same server, with somebody in between."""
    handler = bench.driver._http._handler

    def changed(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        target = request.target.partition("&q=")[0] if ignores_queries else request.target
        return change(request, handler(replace(request, target=target), session, now_us))

    return VirtualBench(HttpOnly(changed), Trace())


def test_a_server_that_ignores_queries_loses_nothing_of_others(bench: BenchFixture) -> None:
    bench.run(bench.admin.create_targets([{"controllerId": "HB-1"}]))
    bench.run(bench.admin.create_update("theirs", "1.0", b"x", "f"))
    bench.do("preregister")
    assert in_front(bench, ignores_queries=True).run(RunCleanup(bench.context).run()) == ""
    assert names(bench, "/targets", "controllerId") == ["HB-1"]
    assert names(bench, "/distributionsets") == ["theirs"]


def test_what_cannot_be_taken_back_is_told_and_the_rest_is_done(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("configure", pollingTime="00:10:00")

    def no_deletion_of_targets(request: HttpRequest, delivery: Delivery) -> Delivery:
        forbidden = HttpResponse(403, (), b'{"message": "no"}')
        is_it = request.method == "GET" and "/targets" in request.path
        return Delivery(forbidden) if is_it else delivery

    left = in_front(bench, no_deletion_of_targets).run(RunCleanup(bench.context).run())

    assert left.startswith(f"left behind on {bench.context.server.url}: targets {PREFIX}* (GET /rest/v1/targets")
    assert "answered 403" in left
    assert bench.run(bench.admin.read_config())["pollingTime"]["value"] == "00:00:01"


def test_a_server_that_is_gone_is_asked_once(bench: BenchFixture) -> None:
    bench.do("preregister")
    asked: list[str] = []

    def gone(request: HttpRequest, delivery: Delivery) -> Delivery:
        asked.append(request.target)
        return Delivery(None, Ending.REFUSED)

    left = in_front(bench, gone).run(RunCleanup(bench.context).run())
    assert left.startswith(
        f"{PREFIX}* and settings may be left behind on {bench.context.server.url}: nobody listens at"
    )
    assert len(asked) == 1


def test_settings_get_back_what_they_were(bench: BenchFixture) -> None:
    before = bench.run(bench.admin.read_config())
    bench.do("configure", pollingTime="00:10:00", maintenanceWindowPollCount=5)
    bench.do("configure", pollingTime="00:20:00")
    assert bench.hawkbit.configured == {"pollingTime": "00:00:01", "maintenanceWindowPollCount": None}

    bench.run(RunCleanup(bench.context).run())

    after = bench.run(bench.admin.read_config())
    assert after["pollingTime"]["value"] == before["pollingTime"]["value"] == "00:00:01"
    assert after["maintenanceWindowPollCount"]["global"] is True


def puts(bench: BenchFixture) -> list[Any]:
    return [
        json.loads(event.envelope.body)  # type: ignore[arg-type]
        for event in bench.events
        if isinstance(event.envelope, HttpRequest) and event.envelope.method == "PUT"
    ]


def test_only_settings_that_differ_are_changed(bench: BenchFixture) -> None:
    seen = len(puts(bench))
    bench.do("configure", pollingTime="00:00:01", maintenanceWindowPollCount=5)
    bench.do("configure", pollingTime="00:00:01")
    assert puts(bench)[seen:] == [{"maintenanceWindowPollCount": 5}]


def beyond_loopback(bench: BenchFixture) -> None:
    """As `--against https://hawkbit.example.com` without `--change-tenant-settings`."""
    admin = bench.context.server.admin
    careful = HawkbitAdmin(admin.url, admin.account, admin.tenant, may_change_settings=False)
    bench.context.server = replace(bench.context.server, admin=careful)


def test_beyond_loopback_settings_are_not_touched_without_leave(bench: BenchFixture) -> None:
    before = bench.run(bench.admin.read_config())
    beyond_loopback(bench)
    bench.run(configure(bench.hawkbit, {"pollingTime": "00:00:01"}))  # is so already
    with pytest.raises(UsageError, match=r"would change pollingTime for everybody.*--change-tenant-settings"):
        bench.run(configure(bench.hawkbit, {"pollingTime": "00:10:00"}))
    assert bench.run(bench.admin.read_config()) == before


def test_a_setting_that_is_not_shown_is_not_touched(bench: BenchFixture) -> None:
    with pytest.raises(
        BrokenBench, match=r"does not show the setting multi\.assignments\.enabled, so it could not be put back"
    ):
        bench.do("configure", **{"multi.assignments.enabled": True, "pollingTime": "00:10:00"})
    assert bench.hawkbit.configured == {}


@pytest.mark.parametrize(
    ("settings", "key"),
    [({}, ""), ({KEY: "theirs"}, ""), ({KEY: "theirs", MODE: True}, "theirs"), ({KEY: "theirs", MODE: False}, "")],
    ids=str,
)
def test_a_gateway_key_that_is_in_use_is_taken(bench: BenchFixture, settings: dict[str, Any], key: str) -> None:
    bench.run(bench.admin.configure(settings))
    assert bench.run(gateway_key_in_use(bench.hawkbit)) == key


def test_on_a_server_of_our_own_nothing_is_looked_up(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, {KEY: "ours", MODE: True})
    assert bench.run(gateway_key_in_use(bench.hawkbit)) == ""
    bench.do("configure", pollingTime="00:10:00")
    assert bench.hawkbit.configured == {}


def test_how_far_it_is_can_be_told_at_every_moment(bench: BenchFixture) -> None:
    bench.do("preregister")
    cleanup = RunCleanup(bench.context)
    assert cleanup.progress() == f"cleaning up: rollouts {PREFIX}*, 0 requests so far"
    assert f"may be left behind on {bench.context.server.url}: rollouts {PREFIX}*, targets" in cleanup.left_behind()
    steps = cleanup.run()
    request = next(steps)
    said = []
    while True:
        said.append(cleanup.progress())
        try:
            request = steps.send(bench.driver._http.ask(request, Session(), bench.driver.now_us())[0])
        except StopIteration:
            break
    assert f"cleaning up: targets {PREFIX}*, 2 requests so far" in said
    assert (cleanup.progress(), cleanup.left_behind()) == ("", "")
