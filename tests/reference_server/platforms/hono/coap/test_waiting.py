"""Requests that wait for a command (`hono-ttd`), and how a command looks in an answer (spec 4.3)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.northbound import CommandRefused
from fleetrig.reference_server.platforms.hono.coap import waiting
from fleetrig.simulator.contract.coap import CoapResponse
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, coap_answer, option

LOCATION_PATH, CONTENT_FORMAT, LOCATION_QUERY, SERVER_TIME = 8, 12, 20, 0xFDE8


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.key("sensor1")
    rig.key("gw")
    rig.device("edge", via=["gw"])
    rig.shakes(1, key_of=f"sensor1@{TENANT}")
    rig.shakes(2, key_of=f"gw@{TENANT}")
    return rig


def command_in(rig: AdapterRig) -> CoapResponse:
    (output,) = rig.server.advance(rig.now_us)
    return coap_answer(output)


def path_of(response: CoapResponse) -> list[str]:
    return [value.decode() for value in option(response, LOCATION_PATH)]


def test_without_a_command_the_answer_comes_when_time_is_up(rig: AdapterRig) -> None:
    assert rig.asks(1, "POST", "/telemetry?hono-ttd=5") == []
    assert str(rig.northbound()[0].properties["ttd"]) == "5"
    assert rig.after(4.999) == []
    assert rig.after(0.001) == ["1 2.04"]
    with pytest.raises(CommandRefused):
        rig.commands("sensor1")


@pytest.mark.parametrize("ttd", ["0", "-1", "x", "", "9&hono-ttd=x"])
def test_who_does_not_wait_is_answered_at_once(rig: AdapterRig, ttd: str) -> None:
    assert rig.answer(1, "POST", f"/telemetry?hono-ttd={ttd}").code == "2.04"
    assert "ttd" not in rig.northbound()[0].properties


def test_nobody_waits_longer_than_a_minute(rig: AdapterRig) -> None:
    assert rig.asks(1, "POST", "/telemetry?hono-ttd=100") == []
    assert str(rig.northbound()[0].properties["ttd"]) == "60"
    assert rig.after(60) == ["1 2.04"]


def test_a_tenant_may_say_how_long(rig: AdapterRig) -> None:
    adapter = {"type": "hono-coap", "enabled": True, "ext": {"max-ttd": 2}}
    rig.api("PUT", f"tenants/{TENANT}", {"adapters": [adapter]})
    assert rig.asks(1, "POST", "/telemetry?hono-ttd=100") == []
    assert rig.after(2) == ["1 2.04"]


def test_a_command_is_the_answer(rig: AdapterRig) -> None:
    rig.asks(1, "POST", "/telemetry?hono-ttd=5&hono-time")
    correlation_id = rig.commands("sensor1", "set", b'{"on":1}', content_type="application/json")
    answer = command_in(rig)
    assert (answer.code, answer.payload, answer.token) == ("2.04", b'{"on":1}', b"t")
    assert option(answer, LOCATION_QUERY) == [b"hono-command=set"]
    assert option(answer, CONTENT_FORMAT) == [b"\x32"]
    assert len(option(answer, SERVER_TIME)) == 1
    request_id = f"2{len(correlation_id):02x}{correlation_id}"
    assert path_of(answer) == ["command_response", request_id]
    assert [number for number, _ in answer.options] == sorted(number for number, _ in answer.options)
    assert rig.after(60) == []
    assert rig.answer(1, "POST", f"/command_response/{request_id}?hono-cmd-status=200", b"").code == "2.04"
    assert str(rig.northbound()[-1].properties["correlation-id"]) == correlation_id


def test_one_way(rig: AdapterRig) -> None:
    rig.asks(1, "POST", "/t?hono-ttd=5")
    rig.commands("sensor1", is_one_way=True, content_type="text/odd")
    answer = command_in(rig)
    assert (path_of(answer), option(answer, CONTENT_FORMAT)) == (["c"], [])


def test_in_short_for_who_asks_in_short(rig: AdapterRig) -> None:
    rig.asks(1, "POST", "/e?hono-ttd=5")
    rig.commands("sensor1")
    assert path_of(command_in(rig))[0] == "cr"


@pytest.mark.parametrize(("is_one_way", "begins"), [(True, ["c", "", "edge"]), (False, ["cr", "", "edge"])])
def test_a_gateway_learns_for_whom_it_is(rig: AdapterRig, is_one_way: bool, begins: list[str]) -> None:
    rig.asks(2, "PUT", "/t//edge?hono-ttd=5")
    rig.commands("edge", is_one_way=is_one_way)
    assert path_of(command_in(rig))[:3] == begins


def test_a_gateway_that_waits_for_itself_takes_commands_of_its_devices(rig: AdapterRig) -> None:
    rig.asks(2, "POST", "/t?hono-ttd=5")
    rig.commands("edge", is_one_way=True)
    assert path_of(command_in(rig)) == ["c", "", "edge"]


def test_without_dtls_the_response_names_everything(rig: AdapterRig) -> None:
    rig.plain(3)
    rig.asks(3, "PUT", f"/t/{TENANT}/sensor1?hono-ttd=5")
    rig.commands("sensor1")
    assert path_of(command_in(rig))[:3] == ["cr", TENANT, "sensor1"]


def test_a_second_command_comes_too_late(rig: AdapterRig) -> None:
    rig.asks(1, "POST", "/t?hono-ttd=5")
    rig.commands("sensor1")
    rig.commands("sensor1", "second")
    assert len(list(rig.server.advance(rig.now_us))) == 1
    failed = rig.northbound()[-1]
    assert (failed.topic, str(failed.properties["status"])) == (f"hono.command_response.{TENANT}", "503")


def test_who_leaves_waits_no_longer(rig: AdapterRig) -> None:
    rig.asks(1, "POST", "/t?hono-ttd=5")
    assert rig.gone(1) == []
    assert rig.after(60) == []
    with pytest.raises(CommandRefused):
        rig.commands("sensor1")


def test_two_requests_of_one_device_wait_side_by_side(rig: AdapterRig) -> None:
    """The later one takes the command; both come to their end."""
    rig.asks(1, "POST", "/t?hono-ttd=5")
    rig.shakes(4, key_of=f"sensor1@{TENANT}")
    rig.asks(4, "POST", "/t?hono-ttd=5")
    rig.commands("sensor1", is_one_way=True)
    assert rig.after(0) == ["4 2.04"]
    assert rig.after(5) == ["1 2.04"]


def test_who_waits_longest_makes_room(rig: AdapterRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 1)
    assert rig.asks(1, "POST", "/telemetry?hono-ttd=5") == []
    assert rig.after(1) == []
    assert rig.asks(2, "POST", "/telemetry?hono-ttd=5") == []
    assert rig.after(0) == ["1 2.04"]
    assert rig.after(5) == ["2 2.04"]


def test_who_has_gone_is_not_answered(rig: AdapterRig) -> None:
    for session in (1, 1, 2):
        assert rig.asks(session, "POST", "/telemetry?hono-ttd=5") == []
    rig.gone(1)
    assert rig.after(5) == ["2 2.04"]
