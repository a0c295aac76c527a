"""Gateways and the devices behind them (G rows), over HTTP."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.faults import FaultKind
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, authority, chain, of_profile
from tests.reference_server.platforms.hono.http_requests import answered, ask, put, reasons_of, said, steps_of

AUTHORITY = ["auto-provisioning-enabled"]
NO_DEVICE = (404, "device is disabled or not registered")
NO_GATEWAY = (403, "gateway is disabled or not registered")


@pytest.fixture
def rig() -> AdapterRig:
    made = AdapterRig()
    made.tenant()
    made.password("gw", device={"authorities": AUTHORITY})
    made.password("gx", device={"authorities": AUTHORITY})
    made.password("plain")
    made.told()
    return made


def announced(rig: AdapterRig) -> list[tuple[str, str]]:
    """(device, gateway) of the notifications."""
    return [
        (str(one.properties["device_id"]), str(one.properties.get("gateway_id")))
        for one in rig.northbound() if one.properties.get("hono_registration_status") == "NEW"
    ]  # fmt: skip


def test_an_unknown_device_is_provisioned_by_its_gateway(rig: AdapterRig) -> None:
    """G01 to G03."""
    assert put(rig, f"/telemetry/{TENANT}/e1", user="gw").status == 202
    assert steps_of(rig)[-4:] == [
        "edge_device_created", "notification_sent", "registration_asserted", "message_forwarded",
    ]  # fmt: skip
    changes = [event.name for event in rig.events if event.kind == "answered" and event.name]
    assert changes == ["edge device e1 provisioned by gw"]
    device = rig.shown(f"devices/{TENANT}/e1")
    assert (device["enabled"], device["via"]) == (True, ["gw"])
    assert device["status"]["auto-provisioned"] is True
    assert rig.shown(f"credentials/{TENANT}/e1") == []
    assert put(rig, "/event//e1", user="gw").status == 202
    assert announced(rig) == [("e1", "gw")]
    assert [message.key for message in rig.northbound()] == ["e1", "e1", "e1"]


def test_who_may_not_provision(rig: AdapterRig) -> None:
    """G04, G06, G09, G12."""
    assert said(put(rig, f"/telemetry/{TENANT}/e2", user="plain")) == NO_DEVICE
    assert said(put(rig, f"/telemetry/{TENANT}/e%24x", user="gw")) == (400, "Error Code: 400")
    foreign = put(rig, "/telemetry/other/e2", user="gw")
    assert said(foreign) == (403, "not authorized to upload data for device from other tenant")
    rig.api("PUT", f"devices/{TENANT}/gw", {"enabled": False, "authorities": AUTHORITY})
    assert said(put(rig, f"/telemetry/{TENANT}/e2", user="gw")) == NO_DEVICE
    assert "" not in reasons_of(rig)
    assert sorted(rig.device_ids()) == ["gw", "gx", "plain"]


def test_who_may_not_send_for_a_device(rig: AdapterRig) -> None:
    """G05 to G07."""
    put(rig, f"/telemetry/{TENANT}/e1", user="gw")
    assert said(put(rig, f"/telemetry/{TENANT}/e1", user="gx")) == NO_GATEWAY
    rig.api("PUT", f"devices/{TENANT}/e1", {"enabled": False, "via": ["gw"]})
    assert said(put(rig, f"/telemetry/{TENANT}/e1", user="gw")) == NO_DEVICE
    rig.api("PUT", f"devices/{TENANT}/e1", {"enabled": True, "via": ["gw"]})
    rig.api("PUT", f"devices/{TENANT}/gw", {"enabled": False})
    assert said(put(rig, f"/telemetry/{TENANT}/e1", user="gw")) == NO_GATEWAY


def test_a_group_of_gateways(rig: AdapterRig) -> None:
    """G08."""
    rig.api("PUT", f"devices/{TENANT}/gw", {"authorities": AUTHORITY, "memberOf": ["g"]})
    rig.api("PUT", f"devices/{TENANT}/plain", {"memberOf": ["f", "g"]})
    assert put(rig, f"/telemetry/{TENANT}/e3", user="gw").status == 202
    assert rig.shown(f"devices/{TENANT}/e3")["viaGroups"] == ["g"]
    assert put(rig, f"/telemetry/{TENANT}/e3", user="plain").status == 202
    assert said(put(rig, f"/telemetry/{TENANT}/e3", user="gx")) == NO_GATEWAY


def test_two_gateways_at_once(rig: AdapterRig) -> None:
    """G10, G11: the first one has it."""
    statuses = [put(rig, f"/telemetry/{TENANT}/e1", user=user).status for user in ("gw", "gx", "gw", "gx")]
    assert statuses == [202, 403, 202, 403]
    assert rig.shown(f"devices/{TENANT}/e1")["via"] == ["gw"]
    assert announced(rig) == [("e1", "gw")]


def test_a_gateway_that_was_provisioned_itself() -> None:
    """G13, A25."""
    devices = authority()
    rig = AdapterRig()
    rig.trusting(devices, auto_provision_as_gateway=True)
    assert put(rig, f"/telemetry/{TENANT}/e1", certificates=chain(devices)).status == 202
    gateway, edge = sorted(rig.device_ids(), key=lambda one: one == "e1")
    assert rig.shown(f"devices/{TENANT}/{gateway}")["authorities"] == AUTHORITY
    assert rig.shown(f"devices/{TENANT}/{edge}")["via"] == [gateway]
    assert announced(rig) == [(gateway, "None"), ("e1", gateway)]


def test_as_many_devices_as_there_may_be(rig: AdapterRig) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"registration-limits": {"max-devices": 3}})
    assert said(put(rig, f"/telemetry/{TENANT}/e1", user="gw")) == (403, "gateway is disabled or not registered")
    assert "the tenant has as many devices as it may have (3)" in reasons_of(rig)[0]


def test_an_edge_device_that_applications_do_not_hear_of(rig: AdapterRig) -> None:
    """Told again when it next sends, after the registry has looked once more."""
    rig.fault(FaultKind.NORTHBOUND_DOWN, hits="EVENT *", for_s=10.0)
    refused = put(rig, f"/telemetry/{TENANT}/e1", user="gw")
    assert said(refused) == (503, "temporarily unavailable")
    assert refused.header("Retry-After") == "2"
    assert "auto-provisioning-notification-sent" not in rig.shown(f"devices/{TENANT}/e1")["status"]
    rig.after(10)
    assert ask(rig, "PUT", f"/telemetry/{TENANT}/e1", user="gw").ending is Ending.HELD
    rig.now_us += 50_000
    (late,) = rig.server.advance(rig.now_us)
    assert isinstance(late, LateAnswer)
    assert answered(late.delivery).status == 202
    assert announced(rig) == [("e1", "gw")]
    assert put(rig, f"/telemetry/{TENANT}/e1", user="gw").status == 202


def test_generation_1_provisions_no_edge_devices() -> None:
    rig = of_profile(Profile.OLD)
    rig.tenant(enabled=True)
    rig.password("gw")
    delivery: Delivery = ask(rig, "PUT", f"/telemetry/{TENANT}/e1", user="gw")
    assert answered(delivery).status == 404
