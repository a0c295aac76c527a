"""What applications get: properties, times to live, and the latest messages only."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hono.northbound import messages
from fleetrig.reference_server.platforms.hono.northbound.command_ids import correlation_id_in, request_id_of
from fleetrig.reference_server.platforms.hono.northbound.properties import downstream_properties
from fleetrig.reference_server.platforms.hono.platform import HonoPlatform
from fleetrig.reference_server.platforms.hono.provisioning.notification import PROVISIONING_NOTIFICATION
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.faults import FaultKind
from tests.reference_server.platforms.hono.adapter_rig import JSON_TYPE, TENANT, AdapterRig, authority, chain
from tests.reference_server.platforms.hono.http_requests import post, steps_of


@pytest.fixture
def rig() -> AdapterRig:
    made = AdapterRig()
    made.tenant()
    made.password("d1")
    return made


def test_telemetry_as_an_application_gets_it(rig: AdapterRig) -> None:
    post(rig, "/telemetry?a=b", b"\xff", user="d1", headers=(("qos-level", "1"), ("hono-ttl", "7")))
    (message,) = rig.northbound()
    assert (message.tenant, message.topic, message.key, message.payload) == (
        TENANT,
        f"hono.telemetry.{TENANT}",
        "d1",
        b"\xff",
    )
    assert message.properties == {
        "content-type": "application/octet-stream",
        "creation-time": "1767225600000",
        "device_id": "d1",
        "orig_adapter": "hono-http",
        "orig_address": "/telemetry?a=b",
        "qos": "1",
    }


def test_defaults_of_tenant_and_device(rig: AdapterRig) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"defaults": {"site": "7", "line": 3, "content-type": "text/plain"}})
    rig.api("PUT", f"devices/{TENANT}/d1", {"defaults": {"line": 4, "ttl": 30}})
    post(rig, "/event", b"x", user="d1", headers=())
    post(rig, "/event", b"x", user="d1", headers=(("hono-ttl", "5"), ("Content-Type", "a/b; charset=utf-8")))
    first, second = (message.properties for message in rig.northbound())
    assert (first["site"], first["line"], first["content-type"], first["ttl"]) == ("7", "4", "text/plain", "30000")
    assert (second["content-type"], second["ttl"]) == ("a/b", "5000")


@pytest.mark.parametrize(
    ("endpoint", "own", "limits", "defaults", "ttl"),
    [
        ("event", {}, {}, {}, None),
        ("event", {"ttl": 10}, {}, {}, "10000"),
        ("event", {"ttl": 10}, {"max-ttl": 5}, {}, "5000"),
        ("event", {"ttl": 3}, {"max-ttl": 5}, {}, "3000"),
        ("event", {}, {"max-ttl": 5}, {}, "5000"),
        ("event", {"ttl": "soon"}, {"max-ttl": -1}, {}, None),
        ("telemetry", {"qos": 0}, {"max-ttl-telemetry-qos0": 2}, {}, "2000"),
        ("telemetry", {"qos": 1}, {"max-ttl-telemetry-qos0": 2}, {}, None),
        ("telemetry", {"qos": 1}, {}, {"ttl-telemetry-qos1": 8}, "8000"),
        ("telemetry", {"qos": 0}, {}, {"ttl-telemetry-qos1": 8}, None),
        ("command_response", {}, {"max-ttl-command-response": 4}, {"ttl-command-response": 9}, "4000"),
    ],
)
def test_how_long_a_message_lives(
    endpoint: str, own: dict[str, Any], limits: dict[str, int], defaults: dict[str, int], ttl: str | None
) -> None:
    tenant = {"resource-limits": limits, "defaults": defaults}
    properties = downstream_properties(endpoint, tenant, {}, own, has_payload=True, now_us=0)
    assert properties.get("ttl") == ttl
    assert not any(name.startswith("ttl-") for name in properties)


def test_only_the_latest_are_kept(rig: AdapterRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_KEPT", 3)
    for number in range(7):
        post(rig, "/event", str(number).encode(), user="d1", headers=(JSON_TYPE,))
    assert [message.payload for message in rig.northbound()] == [b"4", b"5", b"6"]


def test_who_reads_on_gets_what_is_new(rig: AdapterRig) -> None:
    for number in range(5):
        post(rig, "/event", str(number).encode(), user="d1")
    first = rig.platform.northbound(TENANT, 0, 2)
    assert [message.payload for message in first] == [b"0", b"1"]
    assert [message.payload for message in rig.platform.northbound("", first[-1].number, 100)] == [b"2", b"3", b"4"]
    assert rig.platform.northbound("other", 0, 100) == []


def test_what_is_rolled_back_was_never_sent(rig: AdapterRig) -> None:
    assert isinstance(rig.platform, HonoPlatform)
    try:
        with rig.store.transaction():
            assert messages.forward(rig.registry, "event", TENANT, "d1", {}, b"", rig.now_us)
            raise ValueError
    except ValueError:
        pass
    assert rig.northbound() == []


@pytest.mark.parametrize("correlation_id", ["", "a", "x" * 255])
def test_a_request_id_there_and_back(correlation_id: str) -> None:
    assert correlation_id_in(request_id_of(correlation_id)) == correlation_id


@pytest.mark.parametrize("text", ["", "2", "20", "2zz", "x04abcd", "205abcd"])
def test_what_is_no_request_id(text: str) -> None:
    assert correlation_id_in(text) is None


def test_telemetry_does_not_push_out_what_an_external_system_is_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_KEPT", 3)
    made = AdapterRig(settings=Settings(webhook="http://127.0.0.1:9000/"))
    ca = authority()
    made.trusting(ca)
    made.password("d1")
    assert made.join(1, certificates=chain(ca)) == ["1 CONNACK 0"]
    for _ in range(5):
        post(made, "/telemetry", user="d1")
    assert {one.topic for one in made.northbound()} == {f"hono.telemetry.{TENANT}"}
    (owed,) = made.platform.for_webhook(0, 10)
    assert owed.properties["content-type"] == PROVISIONING_NOTIFICATION
    assert made.platform.for_webhook(owed.number, 10) == []


def test_nothing_is_owed_to_nobody(rig: AdapterRig) -> None:
    ca = authority()
    rig.trusting(ca, tenant_id="other")
    assert rig.join(1, certificates=chain(ca)) == ["1 CONNACK 0"]
    assert len(rig.northbound("other")) == 1
    assert rig.platform.for_webhook(0, 10) == []


def test_a_message_that_nobody_took_was_not_forwarded(rig: AdapterRig) -> None:
    """Telemetry of QoS 0: the device does not hear of it, the trace does."""
    rig.fault(FaultKind.NORTHBOUND_DOWN)
    rig.told()
    assert post(rig, "/telemetry", user="d1").status == 202
    assert "message_forwarded" not in steps_of(rig)
