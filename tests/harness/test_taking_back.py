"""On a server that others use too: what is changed there, what is taken back, and what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.cleanup import take_back
from fleetrig.harness.platforms.hawkbit.setup import gateway_key_in_use
from fleetrig.harness.run.actions import configure
from fleetrig.harness.run.context import build_devices
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.harness.desk import Desk

PREFIX = "fleetrig-ab12cd-"
KEY = "authentication.gatewaytoken.key"
MODE = "authentication.gatewaytoken.enabled"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The rig believes that its server is used by others too."""
    desk = Desk(tmp_path)
    desk.rig.server = replace(desk.rig.server, is_own=False)
    desk.rig.prefix = PREFIX
    desk.rig.devices.clear()
    build_devices(desk.rig)
    return desk


def names(desk: Desk, path: str, key: str = "name") -> list[str]:
    return [one[key] for one in desk.run(desk.admin.search(path))]


def test_what_carries_the_prefix_goes_and_all_else_stays(desk: Desk) -> None:
    desk.run(desk.admin.create_targets([{"controllerId": "HB-1"}, {"controllerId": "fleetrig-other-HB-1"}]))
    desk.run(desk.admin.create_update("theirs", "1.0", b"x", "f"))
    desk.do("preregister")
    desk.do("deploy", version="1.0", before_contact=True)
    desk.run(desk.admin.create_targets([{"controllerId": f"{PREFIX}made-by-a-request-nobody-remembers"}]))
    assert desk.target(f"{PREFIX}HB-1")["updateStatus"] == "pending"

    assert desk.run(take_back(desk.rig)) == ""

    assert names(desk, "/targets", "controllerId") == ["HB-1", "fleetrig-other-HB-1"]
    assert names(desk, "/distributionsets") == ["theirs"]
    assert names(desk, "/softwaremodules") == ["theirs"]


def unchanged(request: HttpRequest, delivery: Delivery) -> Delivery:
    return delivery


def in_front(
    desk: Desk, change: Callable[[HttpRequest, Delivery], Delivery] = unchanged, *, ignores_queries: bool = False
) -> VirtualBench:
    """A bench on the same server, with somebody in between."""
    handler = desk.bench._transport._handler

    def changed(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        target = request.target.partition("&q=")[0] if ignores_queries else request.target
        return change(request, handler(replace(request, target=target), session, now_us))

    return VirtualBench(changed, Trace())


def test_a_server_that_ignores_queries_loses_nothing_of_others(desk: Desk) -> None:
    desk.run(desk.admin.create_targets([{"controllerId": "HB-1"}]))
    desk.run(desk.admin.create_update("theirs", "1.0", b"x", "f"))
    desk.do("preregister")
    assert in_front(desk, ignores_queries=True).run(take_back(desk.rig)) == ""
    assert names(desk, "/targets", "controllerId") == ["HB-1"]
    assert names(desk, "/distributionsets") == ["theirs"]


def test_what_cannot_be_taken_back_is_told_and_the_rest_is_done(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("configure", pollingTime="00:10:00")

    def no_deletion_of_targets(request: HttpRequest, delivery: Delivery) -> Delivery:
        forbidden = HttpResponse(403, (), b'{"message": "no"}')
        is_it = request.method == "GET" and "/targets" in request.path
        return Delivery(forbidden) if is_it else delivery

    left = in_front(desk, no_deletion_of_targets).run(take_back(desk.rig))

    assert left.startswith(f"left behind on {desk.rig.server.url}: targets {PREFIX}* (GET /rest/v1/targets")
    assert "answered 403" in left
    assert desk.run(desk.admin.read_config())["pollingTime"]["value"] == "00:00:01"


def test_a_server_that_is_gone_is_asked_once(desk: Desk) -> None:
    desk.do("preregister")
    asked: list[str] = []

    def gone(request: HttpRequest, delivery: Delivery) -> Delivery:
        asked.append(request.target)
        return Delivery(None, Ending.REFUSED)

    left = in_front(desk, gone).run(take_back(desk.rig))
    assert left.startswith(f"{PREFIX}* and settings may be left behind on {desk.rig.server.url}: nobody listens at")
    assert len(asked) == 1


def test_settings_get_back_what_they_were(desk: Desk) -> None:
    before = desk.run(desk.admin.read_config())
    desk.do("configure", pollingTime="00:10:00", maintenanceWindowPollCount=5)
    desk.do("configure", pollingTime="00:20:00")
    assert desk.rig.configured == {"pollingTime": "00:00:01", "maintenanceWindowPollCount": None}

    desk.run(take_back(desk.rig))

    after = desk.run(desk.admin.read_config())
    assert after["pollingTime"]["value"] == before["pollingTime"]["value"] == "00:00:01"
    assert after["maintenanceWindowPollCount"]["global"] is True


def puts(desk: Desk) -> list[Any]:
    return [
        json.loads(event.envelope.body)  # type: ignore[arg-type]
        for event in desk.events
        if isinstance(event.envelope, HttpRequest) and event.envelope.method == "PUT"
    ]


def test_only_settings_that_differ_are_changed(desk: Desk) -> None:
    seen = len(puts(desk))
    desk.do("configure", pollingTime="00:00:01", maintenanceWindowPollCount=5)
    desk.do("configure", pollingTime="00:00:01")
    assert puts(desk)[seen:] == [{"maintenanceWindowPollCount": 5}]


def beyond_loopback(desk: Desk) -> None:
    """As `--against https://hawkbit.example.com` without `--change-tenant-settings`."""
    admin = desk.rig.server.admin
    careful = HawkbitAdmin(admin.url, admin.account, admin.tenant, may_change_settings=False)
    desk.rig.server = replace(desk.rig.server, admin=careful)


def test_beyond_loopback_settings_are_not_touched_without_leave(desk: Desk) -> None:
    before = desk.run(desk.admin.read_config())
    beyond_loopback(desk)
    desk.run(configure(desk.rig, {"pollingTime": "00:00:01"}))  # is so already
    with pytest.raises(UsageError, match=r"would change pollingTime for everybody.*--change-tenant-settings"):
        desk.run(configure(desk.rig, {"pollingTime": "00:10:00"}))
    assert desk.run(desk.admin.read_config()) == before


def test_a_setting_that_is_not_shown_is_not_touched(desk: Desk) -> None:
    with pytest.raises(BrokenBench, match=r"does not show the setting not\.there, so it could not be put back"):
        desk.do("configure", **{"not.there": 1, "pollingTime": "00:10:00"})
    assert desk.rig.configured == {}


@pytest.mark.parametrize(
    ("settings", "key"),
    [({}, ""), ({KEY: "theirs"}, ""), ({KEY: "theirs", MODE: True}, "theirs"), ({KEY: "theirs", MODE: False}, "")],
    ids=str,
)
def test_a_gateway_key_that_is_in_use_is_taken(desk: Desk, settings: dict[str, Any], key: str) -> None:
    desk.run(desk.admin.configure(settings))
    assert desk.run(gateway_key_in_use(desk.rig)) == key


def test_on_a_server_of_our_own_nothing_is_looked_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {KEY: "ours", MODE: True})
    assert desk.run(gateway_key_in_use(desk.rig)) == ""
    desk.do("configure", pollingTime="00:10:00")
    assert desk.rig.configured == {}
