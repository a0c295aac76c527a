"""Looks at a tenant with its administrator's account: profiles, the device, its credentials, who has what is presented.

Everything here only reads. What the doctor makes for a trial is in `trial.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, SERVER_SCOPE
from fleetrig.harness.platforms.thingsboard.doctor.facts import DeviceRecord, Kind, Presented, ProfileRecord, Tenant
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.identity import UserPassword

PAGE: Final = 500
MOST_PAGES: Final = 4
MOST_LOOKED_AT: Final = 100
"""Devices whose credentials are read one by one to find who has a token."""
CLAIMING: Final = "claimingAllowed"
JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}


class NoAccount(Exception):
    """Nothing can be looked at; `str()` says why."""


class TenantView:
    """The REST API with a login. Raises BrokenBench when the server gives no answer."""

    def __init__(self, client: ExactClient, account: UserPassword) -> None:
        """Logs in. Raises NoAccount, BrokenBench."""
        self._client = client
        self.user = account.user
        body = json.dumps({"username": account.user, "password": account.password}).encode()
        answer = client.call("POST", "/api/auth/login", JSON, body)
        token = _document(answer).get("token")
        if answer.status == 401:
            raise NoAccount(f"the server does not accept the account {account.user!r}: check user and password")
        if answer.status != 200 or not isinstance(token, str):
            raise NoAccount(f"no REST API of ThingsBoard here: POST /api/auth/login answers {answer.status}")
        self._headers = {**JSON, "X-Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """One request below `/api`."""
        data = None if body is None else json.dumps(body).encode()
        return self._client.call(method, f"/api{path}", self._headers, data)

    # -- looking

    def tenant(self) -> Tenant:
        """Profiles, names and limits. Raises NoAccount for an account that may not see them."""
        profiles = list(self._pages("/deviceProfiles?"))
        if not profiles:
            raise NoAccount(f"the account {self.user!r} sees no device profiles: it is no tenant administrator's")
        devices = list(self._pages("/tenant/devices?"))
        usage = _document(self.call("GET", "/usage"))
        return Tenant(
            self.user,
            tuple(map(profile_from, profiles)),
            names=tuple(str(one.get("name", "")) for one in devices),
            devices=_number(usage.get("devices")),
            most_devices=_number(usage.get("maxDevices")),
        )

    def device(self, name: str) -> DeviceRecord | None:
        """With its credentials and attributes; None when the tenant has no device of that name."""
        answer = self.call("GET", f"/tenant/devices?deviceName={quote(name, safe='')}")
        found = _document(answer)
        return self._completed(found) if answer.status == 200 and found else None

    def owner(self, presented: Presented) -> tuple[str, bool]:
        """The name of the device that has these credentials; and whether all devices of the tenant were looked at."""
        devices = list(self._pages("/tenant/devices?"))
        for one in devices[:MOST_LOOKED_AT]:
            record = self._completed(one, attributes=False)
            if holds(record, presented):
                return record.name, False
        return "", len(devices) <= MOST_LOOKED_AT

    def _completed(self, device: Mapping[str, Any], *, attributes: bool = True) -> DeviceRecord:
        record = device_from(device)
        credentials = _document(self.call("GET", f"/device/{record.id}/credentials"))
        texts = [str(credentials.get(name) or "") for name in ("credentialsType", "credentialsId", "credentialsValue")]
        record = replace(
            record, credentials_type=texts[0], credentials_id=texts[1], credentials_value=texts[2]
        )  # fmt: skip
        if not attributes:
            return record
        keys = f"{PROVISION_STATE},{CLAIMING}"
        path = f"/plugins/telemetry/DEVICE/{record.id}/values/attributes/{SERVER_SCOPE}?keys={keys}"
        found = _json(self.call("GET", path))
        values = (
            {one.get("key"): one.get("value") for one in found if isinstance(one, dict)}
            if isinstance(found, list)
            else {}
        )
        state, allowed = values.get(PROVISION_STATE), values.get(CLAIMING)
        return replace(
            record,
            state=None if state is None else str(state),
            claiming_allowed=allowed if isinstance(allowed, bool) else None,
        )

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        for number in range(MOST_PAGES):
            page = _document(self.call("GET", f"{path}pageSize={PAGE}&page={number}"))
            data = page.get("data")
            yield from (one for one in data if isinstance(one, dict)) if isinstance(data, list) else ()
            if page.get("hasNext") is not True:
                return


def holds(record: DeviceRecord, presented: Presented) -> bool:
    """Whether a device has what is presented."""
    match presented.kind:
        case Kind.ACCESS_TOKEN:
            return record.credentials_type == "ACCESS_TOKEN" and record.credentials_id == presented.token
        case Kind.CERTIFICATE:
            return record.credentials_type == "X509_CERTIFICATE" and record.credentials_id == presented.chain[0].id
        case Kind.MQTT_BASIC:
            stored = basic_parts(record)
            given = (presented.client_id, presented.user_name or "", presented.password or "")
            return bool(any(stored)) and all(not part or part == own for part, own in zip(stored, given, strict=True))
        case _:
            return False


def basic_parts(record: DeviceRecord) -> tuple[str, str, str]:
    """Client id, user name and password of MQTT_BASIC credentials; empty where there are none."""
    if record.credentials_type != "MQTT_BASIC":
        return "", "", ""
    try:
        found = read_json(record.credentials_value.encode())
    except NotJson:
        found = {}
    parts = found if isinstance(found, dict) else {}
    client_id, user_name, password = (str(parts.get(name) or "") for name in ("clientId", "userName", "password"))
    return client_id, user_name, password


def profile_from(document: Mapping[str, Any]) -> ProfileRecord:
    """From `GET /api/deviceProfiles` (spec 4)."""
    data = document.get("profileData")
    found = data.get("provisionConfiguration") if isinstance(data, dict) else None
    provision: Mapping[str, Any] = found if isinstance(found, dict) else {}
    secret = provision.get("provisionDeviceSecret")
    return ProfileRecord(
        _id(document),
        str(document.get("name", "")),
        str(document.get("provisionType") or "DISABLED"),
        str(document.get("provisionDeviceKey") or ""),
        secret if isinstance(secret, str) else None,
        str(provision.get("certificateRegExPattern") or ""),
        provision.get("allowCreateNewDevicesByX509Certificate") is True,
    )


def device_from(document: Mapping[str, Any]) -> DeviceRecord:
    """From a device of the REST API."""
    info = document.get("additionalInfo")
    is_gateway = isinstance(info, dict) and info.get("gateway") is True
    return DeviceRecord(_id(document), str(document.get("name", "")), str(document.get("type", "")), is_gateway)


def _id(document: Mapping[str, Any]) -> str:
    found = document.get("id")
    return str(found.get("id", "")) if isinstance(found, dict) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _json(answer: Answer) -> Any:
    try:
        return read_json(answer.body) if answer.status == 200 else None
    except NotJson:
        return None


def _document(answer: Answer) -> dict[str, Any]:
    found = _json(answer)
    return found if isinstance(found, dict) else {}
