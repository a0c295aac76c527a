"""ThingsBoard's REST API as a tenant administrator calls it (docs/contracts/thingsboard.md §4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.expect import Mismatch, expect
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login, OperatorApi, id_of
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest

SETTLES_WITHIN_S: Final = 5.0
LOOK_EVERY_S: Final = 0.2
STATE: Final = "provisionState"
REMOVALS: Final = 5
"""Whoever asked just before may still get a device of a profile that is being removed."""


class TenantApi(OperatorApi):
    """Calls below `/api` of the administrator under whom rows work, or of another tenant's."""

    def __init__(self, under_test: ServerUnderTest, login: Login | None = None) -> None:
        super().__init__(under_test.http, login or under_test.login)
        self.under_test = under_test

    def until(self, check: Callable[[], None], within_s: float = SETTLES_WITHIN_S) -> None:
        """Asks again until the check agrees: a real server stores what devices send a little later."""
        ends_s = time.monotonic() + within_s
        while True:
            try:
                return check()
            except Mismatch:
                if time.monotonic() >= ends_s:
                    raise
            time.sleep(LOOK_EVERY_S)

    # -- devices

    def device(self, name: str) -> dict[str, Any] | None:
        """The device of that name, or None."""
        path = f"/tenant/devices?deviceName={quote(name, safe='')}"
        answer = self.api("GET", path)
        if answer.status == 404:
            return None
        expect(f"status of GET /api{path}", 200, answer.status)
        return dict(answer.json())

    def existing(self, name: str) -> dict[str, Any]:
        """The device of that name. Raises Mismatch when there is none, nor comes to be soon."""
        found: list[dict[str, Any] | None] = []

        def look() -> None:
            found.append(self.device(name))
            expect(f"whether device {name} exists", True, found[-1] is not None)

        self.until(look)
        assert found[-1] is not None
        return found[-1]

    def devices_of(self, profile: str) -> list[dict[str, Any]]:
        return list(self.pages(f"/tenant/devices?type={quote(profile, safe='')}&"))

    def delete_device(self, device: Mapping[str, Any]) -> None:
        self.remove(f"/device/{id_of(device)}")

    def delete_profile(self, profile_id: str, name: str) -> None:
        """With its devices; a request that is still under way may add one meanwhile."""
        for attempt in range(REMOVALS):
            for device in self.devices_of(name):
                self.delete_device(device)
            try:
                self.remove(f"/deviceProfile/{profile_id}")
            except Mismatch:
                if attempt == REMOVALS - 1:
                    raise
            else:
                return

    def credentials(self, device: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.asked("GET", f"/device/{id_of(device)}/credentials"))

    def save_credentials(self, credentials: Mapping[str, Any]) -> None:
        self.asked("POST", "/device/credentials", dict(credentials))

    # -- attributes and telemetry

    def server_attribute(self, device: Mapping[str, Any], key: str) -> Any:
        """Its value, or None."""
        path = f"/plugins/telemetry/DEVICE/{id_of(device)}/values/attributes/SERVER_SCOPE?keys={key}"
        found = self.asked("GET", path)
        return found[0]["value"] if found else None

    def telemetry(self, device: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
        """Key -> its newest value, as text; keys that have none are left out."""
        path = f"/plugins/telemetry/DEVICE/{id_of(device)}/values/timeseries?keys={','.join(keys)}"
        found = self.asked("GET", path)
        return {key: values[0]["value"] for key, values in found.items() if values and values[0]["value"] is not None}

    def expect_state(self, device: Mapping[str, Any], wanted: Any) -> None:
        self.expect_attribute(device, STATE, wanted)

    def expect_attribute(self, device: Mapping[str, Any], key: str, wanted: Any) -> None:
        """A real server writes attributes a little later than it answers."""
        self.until(lambda: expect(key, wanted, self.server_attribute(device, key)))

    def set_provision_state(self, device: Mapping[str, Any], value: str) -> None:
        self.set_server_attribute(device, STATE, value)

    def set_server_attribute(self, device: Mapping[str, Any], key: str, value: Any) -> None:
        self.asked("POST", f"/plugins/telemetry/DEVICE/{id_of(device)}/SERVER_SCOPE", {key: value})

    def delete_provision_state(self, device: Mapping[str, Any]) -> None:
        self.asked("DELETE", f"/plugins/telemetry/DEVICE/{id_of(device)}/SERVER_SCOPE?keys={STATE}")


def profile_document(
    name: str, strategy: str, key: str, secret: str, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A device profile as it is saved; `more` are further members of its provision configuration."""
    return {
        "name": name,
        "type": "DEFAULT",
        "transportType": "DEFAULT",
        "provisionType": strategy,
        "provisionDeviceKey": key,
        "profileData": {
            "configuration": {"type": "DEFAULT"},
            "transportConfiguration": {"type": "DEFAULT"},
            "provisionConfiguration": {"type": strategy, "provisionDeviceSecret": secret, **(more or {})},
            "alarms": None,
        },
    }
