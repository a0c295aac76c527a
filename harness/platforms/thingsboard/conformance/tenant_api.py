"""ThingsBoard's REST API as a tenant administrator calls it (docs/contracts/thingsboard.md §4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.simulator.contract.errors import BrokenBench

JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
PAGE: Final = 100
STATE: Final = "provisionState"


class TenantApi:
    """Calls below `/api`."""

    def __init__(self, under_test: ServerUnderTest) -> None:
        self.under_test = under_test
        self.http = under_test.http

    def log_in(self) -> None:
        """Raises BrokenBench when the account is not accepted."""
        account = self.under_test.account
        body = json.dumps({"username": account.user, "password": account.password}).encode()
        answer = self.http.call("POST", "/api/auth/login", JSON, body)
        if answer.status != 200:
            raise BrokenBench(f"{self.http.url} does not accept {account.user}: it answered {answer.status}")
        self.under_test.login = answer.json()["token"]

    def api(self, method: str, path: str, body: object = None) -> Answer:
        """As the administrator; logs in anew once its token has run out."""
        data = None if body is None else json.dumps(body).encode()
        if not self.under_test.login:
            self.log_in()
        answer = self._send(method, path, data)
        if answer.status == 401:
            self.log_in()
            answer = self._send(method, path, data)
        return answer

    def _send(self, method: str, path: str, data: bytes | None) -> Answer:
        headers = {**JSON, "X-Authorization": f"Bearer {self.under_test.login}"}
        return self.http.call(method, f"/api{path}", headers, data)

    def asked(self, method: str, path: str, body: object = None) -> Any:
        """The document of an answer that has to be 200; None for an empty one."""
        answer = self.api(method, path, body)
        expect(f"status of {method} /api{path} ({answer.text[:200]})", 200, answer.status)
        return answer.json() if answer.body else None

    # -- devices

    def device(self, name: str) -> dict[str, Any] | None:
        """The device of that name, or None."""
        answer = self.api("GET", f"/tenant/devices?deviceName={quote(name, safe='')}")
        return None if answer.status == 404 else dict(answer.json())

    def existing(self, name: str) -> dict[str, Any]:
        """The device of that name. Raises Mismatch when there is none."""
        found = self.device(name)
        expect(f"whether device {name} exists", True, found is not None)
        assert found is not None
        return found

    def devices_of(self, profile: str) -> list[dict[str, Any]]:
        return list(self._pages(f"/tenant/devices?type={quote(profile, safe='')}&"))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        for number in range(1000):
            page = self.asked("GET", f"{path}pageSize={PAGE}&page={number}")
            yield from page["data"]
            if not page["hasNext"]:
                return

    def delete_device(self, device: Mapping[str, Any]) -> None:
        self.asked("DELETE", f"/device/{id_of(device)}")

    def credentials(self, device: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.asked("GET", f"/device/{id_of(device)}/credentials"))

    def save_credentials(self, credentials: Mapping[str, Any]) -> None:
        self.asked("POST", "/device/credentials", dict(credentials))

    # -- attributes and telemetry

    def provision_state(self, device: Mapping[str, Any]) -> Any:
        """The server attribute, or None."""
        path = f"/plugins/telemetry/DEVICE/{id_of(device)}/values/attributes/SERVER_SCOPE?keys={STATE}"
        found = self.asked("GET", path)
        return found[0]["value"] if found else None

    def telemetry(self, device: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
        """Key -> its newest value, as text; keys that have none are left out."""
        path = f"/plugins/telemetry/DEVICE/{id_of(device)}/values/timeseries?keys={','.join(keys)}"
        found = self.asked("GET", path)
        return {key: values[0]["value"] for key, values in found.items() if values and values[0]["value"] is not None}

    def set_provision_state(self, device: Mapping[str, Any], value: str) -> None:
        self.asked("POST", f"/plugins/telemetry/DEVICE/{id_of(device)}/SERVER_SCOPE", {STATE: value})

    def delete_provision_state(self, device: Mapping[str, Any]) -> None:
        self.asked("DELETE", f"/plugins/telemetry/DEVICE/{id_of(device)}/SERVER_SCOPE?keys={STATE}")


def id_of(document: Mapping[str, Any]) -> str:
    """The id of a device or profile."""
    return str(document["id"]["id"])


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
