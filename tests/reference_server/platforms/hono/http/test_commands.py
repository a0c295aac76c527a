"""Commands over HTTP: requests that wait for one (`hono-ttd`), and what devices answer to it."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.northbound import CommandRefused, NorthboundCommand
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.http import HttpResponse
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig
from tests.reference_server.platforms.hono.http_requests import answered, ask, post, put, reasons_of, said


@pytest.fixture
def rig() -> AdapterRig:
    made = AdapterRig()
    made.tenant()
    made.password("d1")
    made.password("gw")
    made.device("e1", via=["gw"])
    made.told()
    return made


def waits(rig: AdapterRig, target: str = "/telemetry?hono-ttd=10", user: str = "d1", method: str = "POST") -> Delivery:
    delivery = ask(rig, method, target, user=user)
    assert delivery.ending is Ending.HELD
    return delivery


def command(rig: AdapterRig, device: str = "d1", *, is_one_way: bool = False) -> str:
    sent = NorthboundCommand(TENANT, device, "blink", b'{"times":2}', "application/json", is_one_way)
    return rig.platform.send_command(sent, rig.now_us)


def heard(rig: AdapterRig, after_s: float = 0.0) -> list[HttpResponse]:
    rig.now_us += int(after_s * 1_000_000)
    due_us = rig.server.next_due_us()
    assert due_us is not None
    assert due_us <= rig.now_us
    return [answered(one.delivery) for one in rig.server.advance(rig.now_us) if isinstance(one, LateAnswer)]


def test_a_command_for_who_waits(rig: AdapterRig) -> None:
    waits(rig)
    correlation_id = command(rig)
    (response,) = heard(rig)
    assert response.status == 200
    assert response.header("hono-command") == "blink"
    assert response.header("hono-cmd-target-device") is None
    assert response.header("content-type") == "application/json"
    assert response.body == b'{"times":2}'
    request_id = response.header("hono-cmd-req-id")
    assert request_id is not None
    assert post(rig, f"/command/res/{request_id}?hono-cmd-status=200", b"done", user="d1").status == 202
    told = rig.northbound()[-1]
    assert (told.topic, told.key, told.payload) == (f"hono.command_response.{TENANT}", "d1", b"done")
    assert (told.properties["correlation-id"], told.properties["status"]) == (correlation_id, "200")


def test_a_command_without_an_answer(rig: AdapterRig) -> None:
    waits(rig, "/event?hono-ttd=10")
    assert command(rig, is_one_way=True) == ""
    (response,) = heard(rig)
    assert response.header("hono-cmd-req-id") is None


def test_nobody_sends_one(rig: AdapterRig) -> None:
    waits(rig)
    assert heard(rig, 10) == [HttpResponse(202)]
    assert rig.northbound()[0].properties["ttd"] == "10"
    assert rig.server.next_due_us() is None
    with pytest.raises(CommandRefused, match="nobody takes commands of d1"):
        command(rig)


@pytest.mark.parametrize(
    ("ttd", "tenant", "waits_s"),
    [("100", {}, 48), ("20", {"adapters": [{"type": "hono-http", "enabled": True, "ext": {"max-ttd": 5}}]}, 5)],
)
def test_nobody_waits_for_ever(rig: AdapterRig, ttd: str, tenant: dict[str, object], waits_s: int) -> None:
    rig.api("PUT", f"tenants/{TENANT}", tenant)
    rig.after(0)
    waits(rig, f"/telemetry?hono-ttd={ttd}")
    assert rig.server.next_due_us() == rig.now_us + waits_s * 1_000_000


@pytest.mark.parametrize("ttd", ["0", "-1", "soon", ""])
def test_who_does_not_wait(rig: AdapterRig, ttd: str) -> None:
    assert post(rig, f"/telemetry?hono-ttd={ttd}", user="d1").status == 202


def test_a_client_that_leaves_takes_no_commands(rig: AdapterRig) -> None:
    held = waits(rig)
    rig.server.left(held.held_id, rig.now_us)
    with pytest.raises(CommandRefused):
        command(rig)


def test_the_request_that_came_last_gets_it(rig: AdapterRig) -> None:
    waits(rig)
    waits(rig)
    command(rig)
    assert [one.status for one in heard(rig)] == [200]
    assert [one.status for one in heard(rig, 10)] == [202]


def test_a_gateway_learns_for_which_device_it_is(rig: AdapterRig) -> None:
    waits(rig, f"/telemetry/{TENANT}/e1?hono-ttd=10", "gw", "PUT")
    command(rig, "e1")
    (response,) = heard(rig)
    assert response.header("hono-cmd-target-device") == "e1"
    request_id = response.header("hono-cmd-req-id")
    assert put(rig, f"/command/res/{TENANT}/e1/{request_id}?hono-cmd-status=202", user="gw").status == 202
    assert rig.northbound()[-1].key == "e1"


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", "/command/res/nonsense?hono-cmd-status=200", 400),
        ("POST", "/command/res/2041234", 400),
        ("POST", "/command/res/2041234?hono-cmd-status=300", 400),
        ("POST", "/command/res/2041234?hono-cmd-status=200", 202),
        ("PUT", "/command/res/acme/e1", 404),
        ("PUT", "/command/res/other/e1/2041234?hono-cmd-status=200", 403),
        ("PUT", "/command/res//e1/2041234?hono-cmd-status=200", 202),
        ("PUT", "/command/res//d1/2041234?hono-cmd-status=200", 403),
        ("PUT", "/command/res//nobody/2041234?hono-cmd-status=200", 404),
    ],
)
def test_responses_that_cannot_be_told(rig: AdapterRig, method: str, target: str, expected: int) -> None:
    response = answered(ask(rig, method, target, user="gw"))
    assert response.status == expected
    assert (expected == 202) is (not reasons_of(rig))
    if expected == 400:
        assert "is missing/invalid" in said(response)[1]


def test_a_response_has_no_body_that_is_too_large(rig: AdapterRig) -> None:
    assert post(rig, "/command/res/2041234?hono-cmd-status=200", b"x" * 2049, user="d1").status == 413
    assert body_bytes(post(rig, "/command/res/2041234?hono-cmd-status=200", b"x" * 2048, user="d1").body) == b""
