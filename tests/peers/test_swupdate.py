"""Debian's `swupdate` gets itself known to the reference server: tokens, attributes (hawkBit's §3, §7.1).

Nobody here wrote the device's side. What counts is the server's registry, read through the Management API.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.programs import until
from tests.peers.serving import GATEWAY_KEY
from tests.peers.swupdate_line import ATTRIBUTES, DeviceLine

pytestmark = [pytest.mark.peer, pytest.mark.slow]

WRONG_TOKEN = "not-the-one-of-this-target"
REFUSED = "HTTP error code 401"


@pytest.mark.parametrize("tenant", ["DEFAULT", "default"])
def test_a_device_with_a_target_token_registers_and_sends_its_attributes(line: DeviceLine, tenant: str):
    name = f"swu-attributes-{tenant}"
    token = line.mgmt.create_target(name)
    assert line.mgmt.update_status(name) == "unknown"

    device = line.start(line.settings(name, target_token=token, tenant=tenant))
    until("attributes", lambda: line.mgmt.attributes(name) == ATTRIBUTES, device, line.server)

    target = _target(line, name)
    assert target["updateStatus"] == "registered"
    assert target["createdBy"] == "admin"
    assert target["requestAttributes"] is False
    assert target["securityToken"] == token


def test_a_device_sends_its_attributes_again_when_the_operator_asks(line: DeviceLine):
    settings = line.register("swu-asked")
    device = line.start(settings)
    until("attributes", lambda: line.mgmt.attributes("swu-asked") == ATTRIBUTES, device, line.server)
    line.mgmt.call("PUT", "/targets/swu-asked", {"requestAttributes": True})
    until("again", lambda: not _target(line, "swu-asked")["requestAttributes"], device, line.server)
    assert line.mgmt.attributes("swu-asked") == ATTRIBUTES


def test_a_wrong_token_stays_refused_until_the_operator_makes_it_the_right_one(line: DeviceLine):
    line.mgmt.create_target("swu-refused")
    device = line.start(line.settings("swu-refused", target_token=WRONG_TOKEN))
    until("it polls on", lambda: device.said().count(REFUSED) >= 3, device, line.server)

    target = _target(line, "swu-refused")
    assert target["updateStatus"] == "unknown"
    assert "lastControllerRequestAt" not in target
    assert line.mgmt.attributes("swu-refused") == {}
    assert "target swu-refused exists, token differs" in line.server.said()
    assert WRONG_TOKEN not in line.server.said()

    line.mgmt.call("PUT", "/targets/swu-refused", {"securityToken": WRONG_TOKEN})
    until("attributes", lambda: line.mgmt.attributes("swu-refused") == ATTRIBUTES, device, line.server)
    assert line.mgmt.update_status("swu-refused") == "registered"


def test_a_changed_token_shuts_the_device_out(line: DeviceLine):
    device = line.start(line.register("swu-rotated"))
    until("attributes", lambda: line.mgmt.attributes("swu-rotated") == ATTRIBUTES, device, line.server)
    assert REFUSED not in device.said()
    line.mgmt.call("PUT", "/targets/swu-rotated", {"securityToken": "another-one", "requestAttributes": True})
    until("it is refused", lambda: device.said().count(REFUSED) >= 2, device, line.server)
    assert _target(line, "swu-rotated")["requestAttributes"] is True


def test_a_target_token_registers_no_unknown_device(line: DeviceLine):
    device = line.start(line.settings("swu-nobody", target_token="some-token"))
    until("it polls on", lambda: device.said().count(REFUSED) >= 2, device, line.server)
    assert line.mgmt.target("swu-nobody") is None


def test_a_device_with_the_gateway_token_registers_itself_also_after_its_deletion(line: DeviceLine):
    mac = "00:1A:2B:3C:4D:5E"
    assert line.mgmt.target(mac) is None
    device = line.start(line.settings(mac, gateway_token=GATEWAY_KEY))
    until("attributes", lambda: line.mgmt.attributes(mac) == ATTRIBUTES, device, line.server)
    first = _target(line, mac)
    assert first["updateStatus"] == "registered"
    assert first["createdBy"] == "CONTROLLER_PLUG_AND_PLAY"
    assert first["description"] == f"Plug and Play target: {mac}"

    line.mgmt.call("DELETE", f"/targets/{mac}")
    until("attributes anew", lambda: line.mgmt.attributes(mac) == ATTRIBUTES, device, line.server)
    again = _target(line, mac)
    assert again["updateStatus"] == "registered"
    assert again["securityToken"] != first["securityToken"]


def test_a_wrong_gateway_token_registers_nothing(line: DeviceLine):
    device = line.start(line.settings("swu-stranger", gateway_token=WRONG_TOKEN))
    until("it polls on", lambda: device.said().count(REFUSED) >= 2, device, line.server)
    assert line.mgmt.target("swu-stranger") is None


def _target(line: DeviceLine, controller_id: str) -> dict[str, Any]:
    target = line.mgmt.target(controller_id)
    assert target is not None
    return target
