"""Debian's `swupdate` is updated by the reference server: to the end, errors, cancels, outages (hawkBit's §7.1).

Nobody here wrote the device's side. What counts is the server's registry, read through the Management API, and the
bytes that the device has installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.care import Care
from tests.peers.mgmt import Json, messages, types
from tests.peers.programs import until
from tests.peers.serving import GATEWAY_KEY, ServedFleetrig
from tests.peers.swupdate_device import FAILED, SUCCESS
from tests.peers.swupdate_image import Signer, Update
from tests.peers.swupdate_line import ALL_INSTALLED, ATTRIBUTES, DeviceLine

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PAYLOAD = bytes(range(256)) * 1200
CLOSED_WINDOW = {"schedule": "0 0 3 1 1 ? 2099", "duration": "01:00:00", "timezone": "+00:00"}
OPEN_WINDOW = {"schedule": "0 * * * * ?", "duration": "01:00:00", "timezone": "+00:00"}
STARTS = "Installing Update Chunk Artifacts."


def test_an_update_is_installed_at_once_and_finished_by_the_restarted_device(line: DeviceLine, tmp_path: Path):
    mgmt, name, installed = line.mgmt, "AA:BB:CC:00:00:01", tmp_path / "installed.bin"
    settings = line.register(name)
    action = line.assign(name, Update(PAYLOAD, installed))
    device = line.start(settings)
    line.until_installed(name, action, device)
    assert installed.read_bytes() == PAYLOAD

    # it tells the result only after its restart; until then it reads the same action again and again
    until("it reads again", lambda: types(mgmt.history(name, action))[-1] == "retrieved", device, line.server)
    assert mgmt.is_active(name, action)
    assert mgmt.update_status(name) == "pending"
    assert mgmt.set_version(name, "installedDS") is None
    device.stop()

    restarted = line.start(settings, report=SUCCESS)
    line.until_ended(name, action, restarted)
    _check_finished(line, name, action)
    _check_history(mgmt.history(name, action))
    # a finished update makes the server ask for attributes anew
    until("attributes", lambda: not (mgmt.target(name) or {})["requestAttributes"], restarted, line.server)
    assert mgmt.attributes(name) == ATTRIBUTES


def _check_history(history: list[Json]) -> None:
    said = messages(history)
    expected = ["Assignment initiated by user 'admin'", STARTS, "Installed Chunk.", ALL_INSTALLED, "Update Installed."]
    assert [message for message in said if message in expected] == expected
    downloads = [message for message in said if message.startswith("Update Server: Target downloads ")]
    assert len(downloads) == 2, "one HEAD, then one GET of the artifact"
    assert all(path.endswith("/artifacts/image.swu") for path in downloads)
    assert "Software Update started !" in said, "it reports its log too, up to 48 lines at a time"
    found = types(history)
    assert found[:2] == ["running", "retrieved"]
    assert found.count("download") == 2
    assert found[-2:] == ["retrieved", "finished"]


def test_a_self_registered_device_is_updated_too(line: DeviceLine, tmp_path: Path):
    name, installed = "swu-gateway-update", tmp_path / "installed.bin"
    settings = line.settings(name, gateway_token=GATEWAY_KEY)
    device = line.start(settings)
    until("registered", lambda: line.mgmt.update_status(name) == "registered", device, line.server)
    action = line.assign(name, Update(PAYLOAD, installed), type="soft", maintenanceWindow=OPEN_WINDOW)
    line.until_installed(name, action, device)
    assert installed.read_bytes() == PAYLOAD
    device.stop()
    line.until_ended(name, action, line.start(settings, report=SUCCESS))
    _check_finished(line, name, action)


def test_a_failure_reported_after_the_restart_is_an_error(line: DeviceLine, tmp_path: Path):
    name = "swu-fails-late"
    settings = line.register(name)
    action = line.assign(name, Update(PAYLOAD, tmp_path / "installed.bin"))
    # as after a crash in the middle of the installation: all it knows is that it went wrong
    line.until_ended(name, action, line.start(settings, report=FAILED))
    _check_error(line, name, action)
    assert messages(line.mgmt.history(name, action))[-1] == "Update Failed."


@pytest.mark.parametrize("damage", ["foreign signature", "altered payload", "no image at all"])
def test_an_image_that_cannot_be_trusted_is_an_error(line: DeviceLine, tmp_path: Path, damage: str):
    name, installed = f"swu-{damage.replace(' ', '-')}", tmp_path / "installed.bin"
    settings = line.register(name)
    match damage:
        case "foreign signature":
            action = line.assign(name, Update(PAYLOAD, installed), Signer.make(tmp_path, "stranger"))
        case "altered payload":
            action = line.assign(name, Update(PAYLOAD, installed, promised=PAYLOAD[:-1] + b"x"))
        case _:
            action = line.mgmt.assign(line.mgmt.create_update(name, PAYLOAD), name)

    device = line.start(settings)
    line.until_ended(name, action, device)

    _check_error(line, name, action)
    said = messages(line.mgmt.history(name, action))
    assert STARTS in said
    assert ALL_INSTALLED not in said
    assert not installed.exists() or installed.read_bytes() != PAYLOAD


def test_a_cancel_before_the_first_poll_is_acknowledged_and_nothing_installed(line: DeviceLine, tmp_path: Path):
    name, installed = "swu-cancel", tmp_path / "installed.bin"
    settings = line.register(name)
    action = line.assign(name, Update(PAYLOAD, installed))
    line.mgmt.cancel(name, action)
    assert line.mgmt.action(name, action)["status"] == "canceling"

    line.until_ended(name, action, line.start(settings))

    _check_canceled(line, name, action)
    assert line.mgmt.update_status(name) == "in_sync"
    assert not installed.exists()


def test_a_newer_update_is_installed_after_the_cancel_of_the_older(line: DeviceLine, tmp_path: Path):
    name, early, late = "swu-newer", tmp_path / "early.bin", tmp_path / "late.bin"
    settings = line.register(name)
    first = line.assign(name, Update(PAYLOAD, early, "1.0"))
    second = line.assign(name, Update(PAYLOAD[::-1], late))
    assert line.mgmt.action(name, first)["status"] == "canceling"

    device = line.start(settings)
    line.until_installed(name, second, device)
    _check_canceled(line, name, first)
    assert late.read_bytes() == PAYLOAD[::-1]
    assert not early.exists()
    device.stop()
    line.until_ended(name, second, line.start(settings, report=SUCCESS))
    _check_finished(line, name, second)


def test_an_update_outside_its_maintenance_window_is_skipped_and_yet_reported_as_done(line: DeviceLine, tmp_path: Path):
    """A mistake of swupdate 2022.12: it closes what it should leave for later. hawkBit takes its word (§2.5)."""
    name, installed = "swu-window", tmp_path / "installed.bin"
    settings = line.register(name)
    action = line.assign(name, Update(PAYLOAD, installed), maintenanceWindow=CLOSED_WINDOW)
    line.until_ended(name, action, line.start(settings))
    _check_finished(line, name, action)
    history = line.mgmt.history(name, action)
    assert messages(history)[-1] == "Skipped Update."
    assert "download" not in types(history)
    assert not installed.exists()


def test_an_update_waits_for_the_operators_confirmation(line: DeviceLine, tmp_path: Path):
    name, installed, flow = "swu-confirm", tmp_path / "installed.bin", "/system/configs/user.confirmation.flow.enabled"
    settings = line.register(name)
    line.mgmt.call("PUT", flow, {"value": True})
    try:
        action = line.assign(name, Update(PAYLOAD, installed), confirmationRequired=True)
        device = line.start(settings)
        until("it polls", lambda: device.said().count("No pending action") >= 2, device, line.server)
        assert line.mgmt.action(name, action)["status"] == "wait_for_confirmation"
        path = f"/targets/{name}/actions/{action}/confirmation"
        line.mgmt.call("PUT", path, {"confirmation": "confirmed", "code": 1, "details": ["go on"]})
        line.until_installed(name, action, device)
    finally:
        line.mgmt.call("DELETE", flow)
    assert installed.read_bytes() == PAYLOAD


def test_neither_side_forgets_an_update_when_the_server_is_killed(vendor: Signer, care: Care, tmp_path: Path):
    name, installed, data = "swu-outage", tmp_path / "installed.bin", tmp_path / "server"
    data.mkdir()
    server = care.take(ServedFleetrig(data))
    server.accept_tokens()
    line = DeviceLine(server, vendor, care, tmp_path)
    settings = line.register(name)
    device = line.start(settings)
    until("attributes", lambda: line.mgmt.attributes(name) == ATTRIBUTES, device, server)
    action = line.assign(name, Update(PAYLOAD, installed))
    server.kill()
    until("it finds nobody", lambda: "Couldn't connect to server" in device.said(), device)

    line = DeviceLine(care.take(ServedFleetrig(data, server.host_port)), vendor, care, tmp_path)
    line.until_installed(name, action, device)
    assert installed.read_bytes() == PAYLOAD
    line.server.kill()
    device.stop()

    line = DeviceLine(care.take(ServedFleetrig(data, server.host_port)), vendor, care, tmp_path)
    line.until_ended(name, action, line.start(settings, report=SUCCESS))
    _check_finished(line, name, action)


def _check_finished(line: DeviceLine, name: str, action: int) -> None:
    assert line.mgmt.action(name, action)["status"] == "finished"
    assert line.mgmt.update_status(name) == "in_sync"
    assert line.mgmt.set_version(name, "installedDS") == "2.0"


def _check_error(line: DeviceLine, name: str, action: int) -> None:
    assert line.mgmt.action(name, action)["status"] == "error"
    assert line.mgmt.update_status(name) == "error"
    assert line.mgmt.set_version(name, "assignedDS") is None
    assert line.mgmt.set_version(name, "installedDS") is None
    assert types(line.mgmt.history(name, action))[-1] == "error"


def _check_canceled(line: DeviceLine, name: str, action: int) -> None:
    assert line.mgmt.action(name, action)["status"] == "canceled"
    history = line.mgmt.history(name, action)
    assert "cancellation acknowledged." in messages(history)
    assert "download" not in types(history)
