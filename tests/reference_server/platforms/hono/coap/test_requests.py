"""Requests over CoAP: who may send what, and the answers (spec 4.3, rows C01, C03, C04, C06 and gateways)."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, option

TIME = 0xFDE8


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.key("sensor1")
    rig.key("gw", authorities=["auto-provisioning-enabled"])
    rig.shakes(1, key_of=f"sensor1@{TENANT}")
    rig.shakes(2, key_of=f"gw@{TENANT}")
    rig.plain(3)
    return rig


@pytest.mark.parametrize("path", ["/telemetry", "/t", "/event", "/e", "/telemetry/whatever/comes"])
def test_what_is_accepted_is_changed(rig: AdapterRig, path: str) -> None:
    answer = rig.answer(1, "POST", path)
    assert (answer.code, answer.payload, answer.options, answer.token) == ("2.04", b"", (), b"t")
    assert len(rig.northbound()) == 1


@pytest.mark.parametrize(
    ("method", "path", "code", "text"),
    [
        ("POST", "/nosuch", "4.04", b""),
        ("POST", "/", "4.04", b""),
        ("POST", "/telemetry2", "4.04", b""),
        ("GET", "/telemetry", "4.05", b"Error Code: 405"),
        ("DELETE", "/event", "4.05", b"Error Code: 405"),
        ("iPATCH", "/event", "4.05", b"Error Code: 405"),
        ("PUT", "/telemetry", "4.04", b"request URI must contain device ID"),
        ("PUT", f"/t/{TENANT}", "4.04", b"request URI must contain device ID"),
        ("PUT", "/t/other/sensor1", "4.03", b"tenant ID in request URI must match provided credentials"),
        ("PUT", "/t//nosuch", "4.04", b"device is disabled or not registered"),
        ("GET", "/.well-known", "4.05", b""),
        ("POST", "/.well-known/core", "4.05", b""),
        ("GET", "/.well-known/core/x", "4.04", b""),
    ],
)
def test_what_is_refused(rig: AdapterRig, method: str, path: str, code: str, text: bytes) -> None:
    answer = rig.answer(1, method, path)
    assert (answer.code, answer.payload) == (code, text)
    assert option(answer, 12) == ([b""] if text and code != "4.02" else [])
    assert rig.northbound() == []
    assert [event.reason for event in rig.events if event.kind == "refused"] != []


def test_discovery(rig: AdapterRig) -> None:
    assert rig.answer(1, "GET", "/.well-known/core", b"", options=()).payload.startswith(b"</command_response>")


# Payloads


def test_no_payload_needs_a_type(rig: AdapterRig) -> None:
    """C04."""
    refused = rig.answer(1, "POST", "/telemetry", b"", options=())
    assert (refused.code, refused.payload) == ("4.00", b"content type [null] does not match payload")
    assert rig.answer(1, "POST", "/telemetry", b"").code == "2.04"


def test_an_empty_notification_has_no_payload(rig: AdapterRig) -> None:
    assert rig.answer(1, "POST", "/event?empty", b"", options=()).code == "2.04"
    assert rig.answer(1, "POST", "/event?empty", b"x").code == "4.00"
    assert rig.heard_by_applications() == [
        (f"event.{TENANT}", "application/vnd.eclipse-hono-empty-notification"),
    ]


@pytest.mark.parametrize(
    ("number", "content_type"),
    [
        (b"", "text/plain"),
        (b"\x32", "application/json"),
        (b"\x2a", "application/octet-stream"),
        (b"\x12\x67", "unknown/4711"),
    ],
)
def test_content_formats_become_types(rig: AdapterRig, number: bytes, content_type: str) -> None:
    rig.answer(1, "POST", "/telemetry", options=((12, number),))
    assert rig.heard_by_applications() == [(f"telemetry.{TENANT}", content_type)]


def test_a_payload_without_a_type_is_bytes(rig: AdapterRig) -> None:
    rig.answer(1, "POST", "/telemetry", options=())
    assert rig.heard_by_applications() == [(f"telemetry.{TENANT}", "application/octet-stream")]


@pytest.mark.parametrize(("path", "code", "qos"), [("/telemetry", "2.04", ["0"]), ("/event", "4.00", [])])
def test_messages_that_need_no_acknowledgement(rig: AdapterRig, path: str, code: str, qos: list[str]) -> None:
    """C06."""
    answer = rig.answer(1, "POST", path, confirmable=False)
    assert (answer.code, answer.confirmable) == (code, False)
    assert [str(one.properties["qos"]) for one in rig.northbound()] == qos
    if not qos:
        assert answer.payload == b"event endpoint supports confirmable request messages only"


def test_what_applications_get(rig: AdapterRig) -> None:
    rig.answer(1, "POST", "/t?hono-ttl=5", b"abc")
    (message,) = rig.northbound()
    told = {name: str(value) for name, value in message.properties.items() if name != "creation-time"}
    assert (message.key, message.payload) == ("sensor1", b"abc")
    assert told == {
        "content-type": "application/json",
        "device_id": "sensor1",
        "orig_adapter": "hono-coap",
        "orig_address": "/t",
        "qos": "1",
    }


# The server's time


@pytest.mark.parametrize(("target", "options"), [("/t?hono-time", ()), ("/t?hono-time=1", ()), ("/t", ((TIME, b""),))])
def test_who_asks_for_the_time_gets_it(rig: AdapterRig, target: str, options: tuple[tuple[int, bytes], ...]) -> None:
    answer = rig.answer(1, "POST", target, options=((12, b"\x32"), *options))
    (value,) = option(answer, TIME)
    assert int.from_bytes(value, "big") == rig.now_us // 1_000


def test_errors_tell_no_time(rig: AdapterRig) -> None:
    assert option(rig.answer(1, "POST", "/event?hono-time", confirmable=False), TIME) == []


# States


@pytest.mark.parametrize(
    ("path", "body", "code", "text"),
    [
        (f"tenants/{TENANT}", {"enabled": False}, "4.03", b"tenant is disabled or not registered"),
        (f"tenants/{TENANT}", {"adapters": [{"type": "hono-mqtt", "enabled": True}]}, "4.03", b"adapter is disabled"),
        (f"devices/{TENANT}/sensor1", {"enabled": False}, "4.04", b"device is disabled or not registered"),
    ],
)
def test_what_is_disabled_refuses_each_request(
    rig: AdapterRig, path: str, body: object, code: str, text: bytes
) -> None:
    rig.api("PUT", path, body)
    rig.after(0)
    answer = rig.answer(1, "POST", "/telemetry")
    assert (answer.code, answer.payload) == (code, text)


def test_what_is_deleted(rig: AdapterRig) -> None:
    rig.api("DELETE", f"devices/{TENANT}/sensor1")
    assert rig.answer(1, "POST", "/telemetry").code == "4.04"
    rig.api("DELETE", f"tenants/{TENANT}")
    assert rig.answer(2, "POST", "/telemetry").code == "4.04"


def test_a_tenant_that_has_sent_enough() -> None:
    rig = AdapterRig()
    rig.tenant(resource_limits={"data-volume": {"effective-since": "2025-01-01T00:00:00Z", "max-bytes": 5}})
    rig.key("sensor1")
    rig.shakes(1, key_of=f"sensor1@{TENANT}")
    assert rig.answer(1, "POST", "/telemetry", b"12345").code == "2.04"
    assert rig.answer(1, "POST", "/telemetry", b"6").code == "4.29"


def test_nobody_takes_it(rig: AdapterRig) -> None:
    rig.fault(FaultKind.NORTHBOUND_DOWN)
    answer = rig.answer(1, "POST", "/event")
    assert (answer.code, answer.payload, option(answer, 14)) == ("5.03", b"Temporarily unavailable", [b"\x02"])
    assert rig.answer(1, "POST", "/telemetry", confirmable=False).code == "2.04"


# Gateways, and devices without DTLS


def test_a_gateway_puts_for_its_devices(rig: AdapterRig) -> None:
    assert rig.answer(2, "PUT", "/t//edge1").code == "2.04"
    assert rig.answer(2, "PUT", f"/event/{TENANT}/edge1").code == "2.04"
    assert rig.shown(f"devices/{TENANT}/edge1")["via"] == ["gw"]
    assert rig.answer(1, "PUT", "/t//edge1").code == "4.03"


def test_an_illegal_device_id(rig: AdapterRig) -> None:
    assert rig.answer(2, "PUT", "/t//edge%201").code == "4.00"
    assert rig.device_ids() == ["gw", "sensor1"]


def test_without_dtls_a_post_is_nobodys(rig: AdapterRig) -> None:
    answer = rig.answer(3, "POST", "/telemetry")
    assert (answer.code, answer.payload) == ("4.01", b"DTLS session does not contain authenticated Device")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/telemetry/{TENANT}/sensor1", "2.04"),
        (f"/telemetry/{TENANT}/nosuch", "4.04"),
        ("/telemetry/nosuch/sensor1", "4.04"),
        ("/telemetry//sensor1", "4.04"),
        (f"/telemetry/{TENANT}", "4.04"),
    ],
)
def test_without_dtls_a_put_names_everything(rig: AdapterRig, path: str, code: str) -> None:
    assert rig.answer(3, "PUT", path).code == code


# Responses to commands


@pytest.mark.parametrize(
    ("session", "method", "path", "code"),
    [
        (1, "POST", "/command_response/203abc?hono-cmd-status=200", "2.04"),
        (1, "POST", "/cr/203abc?hono-cmd-status=404", "2.04"),
        (2, "PUT", f"/cr/{TENANT}/edge/203abc?hono-cmd-status=200", "2.04"),
        (2, "PUT", "/command_response//edge/203abc?hono-cmd-status=200", "2.04"),
        (1, "POST", "/cr/203abc", "4.00"),
        (1, "POST", "/cr/203abc?hono-cmd-status", "4.00"),
        (1, "POST", "/cr/203abc?hono-cmd-status=300", "4.00"),
        (1, "POST", "/cr/2ffabc?hono-cmd-status=200", "4.00"),
        (1, "POST", "/cr?hono-cmd-status=200", "4.00"),
        (1, "POST", "/cr/a/b?hono-cmd-status=200", "4.00"),
        (2, "PUT", "/cr//nosuch-and//203abc?hono-cmd-status=200", "4.00"),
        (1, "PUT", "/cr//edge/203abc?hono-cmd-status=200", "4.03"),
    ],
)
def test_responses(rig: AdapterRig, session: int, method: str, path: str, code: str) -> None:
    rig.device("edge", via=["gw"])
    assert rig.answer(session, method, path, b"done").code == code
    responses = [one for one in rig.northbound() if one.topic == f"hono.command_response.{TENANT}"]
    assert len(responses) == (code == "2.04")


def test_the_text_of_a_response_that_cannot_be_told(rig: AdapterRig) -> None:
    answer = rig.answer(1, "POST", "/cr/203abc")
    assert answer.payload == b"command-request-id [203abc] or status code [null] is missing/invalid"


def test_a_response_wants_an_acknowledgement(rig: AdapterRig) -> None:
    answer = rig.answer(1, "POST", "/cr/203abc?hono-cmd-status=200", confirmable=False)
    assert answer.payload == b"command response endpoint supports confirmable request messages only"


# The rest


def test_resets_and_garbage_come_to_nothing(rig: AdapterRig) -> None:
    assert lines(rig.to_server(1, CoapReset(b"t"))) == []
    assert lines(rig.to_server(1, Undecodable(Flaw.MALFORMED, "a test"))) == []
    assert rig.events[-1].reason == "a test"


def test_a_registry_that_fails(rig: AdapterRig) -> None:
    request = CoapRequest("POST", "coaps://h:5684", "/telemetry", b"{}")
    reaction = rig.platform.failed(rig.sessions[1], request, "a test", rig.now_us)
    assert (lines(reaction.outputs), reaction.reason) == (["1 5.03"], "a test")
    assert rig.platform.failed(rig.sessions[1], CoapReset(), "a test", rig.now_us).outputs == ()
