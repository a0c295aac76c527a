"""ThingsBoard's REST API as an operator uses it: each call a generator of Asks, so it runs in virtual and real time.

The first call logs in; a token that has run out is renewed once (spec 4). Raises `BrokenBench` with the first cause.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.servers.file_form import file_form
from fleetrig.harness.servers.first_answer import Sought
from fleetrig.harness.servers.http_admin import ADMIN_WITHIN_S, HttpAdmin, upload_within_s
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import BodyPart, Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Reply

SOUGHT: Final = Sought(
    "ThingsBoard server", "ThingsBoard", "is there a path before /api that belongs to the address (a proxy's)?"
)

JsonDict = dict[str, Any]
PAGE: Final = 500
PROVISION_STATE: Final = "provisionState"
SERVER_SCOPE: Final = "SERVER_SCOPE"
LOGIN: Final = "/auth/login"
LOGIN_WITHIN_S: Final = 30.0
"""The server hashes the password with bcrypt, and that of a real 4.3.1.3 on two busy cores has taken 12 s for it."""
COLUMNS: Final = {
    "token": "ACCESS_TOKEN",
    "client_id": "MQTT_CLIENT_ID",
    "user_name": "MQTT_USER_NAME",
    "password": "MQTT_PASSWORD",
    "certificate": "X509",
    "name": "LABEL",
    "description": "DESCRIPTION",
}
"""Column of a list -> the column type of the bulk import (spec 4)."""


def account_secrets(password: str) -> Iterator[tuple[str, str]]:
    """Not the demo tenant's: everybody knows it, and it is a word of paths (`/api/tenant/devices`)."""
    if password != SERVER.account.password:
        yield "password", password


class ThingsBoardAdmin(HttpAdmin):
    """A tenant administrator's account on one server."""

    def __init__(self, url: str, account: UserPassword, tenant: str) -> None:
        super().__init__(url, account, tenant, sought=SOUGHT, api="/api")
        self.masks: Secrets | None = None
        """Learns the tokens of logins; a run sets it."""
        self._token = ""

    @property
    def authorization(self) -> str:
        return f"Bearer {self._token}"

    def secrets(self) -> Iterator[tuple[str, str]]:
        yield from account_secrets(self.account.password)

    def request(self, method: str, path: str, body: object = None, headers: Headers = ()) -> HttpRequest:
        own = super().request(method, path, body, headers)
        named = tuple(("X-Authorization" if key == "Authorization" else key, value) for key, value in own.headers
                      if key != "Authorization" or self._token)  # fmt: skip
        return HttpRequest(method, own.origin, own.target, named, own.body)

    def greet(self) -> AdminCall[None]:
        """Finds out at once whether there is a ThingsBoard that accepts the account. Raises BrokenBench."""
        yield from self.log_in()

    def log_in(self) -> AdminCall[None]:
        self._token = ""
        account = {"username": self.account.user, "password": self.account.password}
        request = self.request("POST", LOGIN, account)
        self._token = self.part((yield from self.first(request, LOGIN_WITHIN_S, "token")), str, "token")
        if self.masks is not None:
            self.masks.learn("login-token", self._token)

    def send(self, request: HttpRequest, within_s: float = ADMIN_WITHIN_S) -> AdminCall[HttpResponse]:
        """A token that has run out is renewed, once."""
        if not self._token:
            yield from self.log_in()
        answer = yield Ask("admin", self._signed(request), within_s)
        if isinstance(answer, Reply) and isinstance(answer.envelope, HttpResponse) and answer.envelope.status != 401:
            return self.not_redirected(request, answer.envelope)
        yield from self.log_in()
        return (yield from super().send(self._signed(request), within_s))

    def _signed(self, request: HttpRequest) -> HttpRequest:
        headers = tuple(one for one in request.headers if one[0] not in ("X-Authorization", "Authorization"))
        signed = (("X-Authorization", self.authorization), *headers)
        return HttpRequest(request.method, request.origin, request.target, signed, request.body)

    # -- device profiles

    def save_profile(self, body: JsonDict) -> AdminCall[JsonDict]:
        """A new one, or with `id` the changed one."""
        return self.part((yield from self.call("POST", "/deviceProfile", body)), dict)

    def profiles(self) -> AdminCall[list[JsonDict]]:
        return (yield from self._pages("/deviceProfiles"))

    def delete_profile(self, profile_id: str) -> AdminCall[None]:
        yield from self.call("DELETE", f"/deviceProfile/{profile_id}", expect=(200, 404))

    # -- devices

    def device(self, name: str) -> AdminCall[JsonDict | None]:
        """None when there is no such device."""
        request = self.request("GET", f"/tenant/devices?deviceName={quote(name, safe='')}")
        response = yield from self.send(request)
        if response.status == 404:
            return None
        return self.part(self.read(request, response, (200,)), dict)

    def devices(self) -> AdminCall[list[JsonDict]]:
        return (yield from self._pages("/tenant/devices"))

    def import_devices(self, profile: str, lines: Sequence[Mapping[str, str]]) -> AdminCall[None]:
        """Bulk import of devices of a profile. Raises BrokenBench for the first line that the server refuses.

        A line without a name would overwrite another device of the tenant (S100): it is never sent.
        """
        if any(not line["serial"].strip() for line in lines):
            raise BrokenBench("a line of the list has no name, and ThingsBoard would overwrite another device with it")
        used = [column for column in COLUMNS if any(line.get(column) for line in lines)]
        rows = [[line["serial"], profile, *(line.get(column, "") for column in used)] for line in lines]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([["name", "type", *used], *rows])
        columns = [{"type": kind} for kind in ("NAME", "TYPE", *(COLUMNS[column] for column in used))]
        mapping = {"columns": columns, "delimiter": ",", "update": True, "header": True}
        answer = yield from self.call("POST", "/device/bulk_import", {"file": text.getvalue(), "mapping": mapping})
        if self.part(answer, int, "errors"):
            raise BrokenBench(f"{self.url} did not import every device: {self.part(answer, list, 'errorsList')[0]}")

    def create_device(self, device: JsonDict) -> AdminCall[JsonDict]:
        """A new one. Without `type`, the name of a profile, it is of the tenant's default profile."""
        return self.part((yield from self.call("POST", "/device", device)), dict)

    def save_device(self, device: JsonDict) -> AdminCall[None]:
        """The changed one: with `id` and `version`, as it was read."""
        yield from self.call("POST", "/device", device)

    def delete_device(self, device_id: str) -> AdminCall[None]:
        yield from self.call("DELETE", f"/device/{device_id}", expect=(200, 404))

    def credentials(self, device_id: str) -> AdminCall[JsonDict]:
        return self.part((yield from self.call("GET", f"/device/{device_id}/credentials")), dict)

    def save_credentials(self, credentials: JsonDict) -> AdminCall[None]:
        yield from self.call("POST", "/device/credentials", credentials)

    # -- packages of firmware and software (spec 3.6)

    def package(self, called: tuple[str, str]) -> AdminCall[JsonDict | None]:
        """By title and version; None when there is none."""
        found = yield from self._pages("/otaPackages")
        return next((one for one in found if (one.get("title"), one.get("version")) == called), None)

    def create_package(self, document: JsonDict) -> AdminCall[JsonDict]:
        """Without data, as which it cannot be assigned yet."""
        return self.part((yield from self.call("POST", "/otaPackage", document)), dict)

    def fill_package(self, package_id: str, filename: str, content: BodyPart, sha256: str) -> AdminCall[None]:
        form = file_form(filename, content)
        path = f"/otaPackage/{package_id}?checksumAlgorithm=SHA256&checksum={sha256}"
        upload = self.upload(path, form.content_type, form.body)
        yield from self.json_of(upload, within_s=upload_within_s(content))

    def delete_package(self, package_id: str) -> AdminCall[None]:
        yield from self.call("DELETE", f"/otaPackage/{package_id}", expect=(200, 404))

    # -- attributes

    def attributes(self, device_id: str) -> AdminCall[dict[str, Any]]:
        """Those of the server's scope."""
        path = f"/plugins/telemetry/DEVICE/{device_id}/values/attributes/{SERVER_SCOPE}"
        found = self.part((yield from self.call("GET", path)), list)
        return {self.part(one, str, "key"): one.get("value") for one in found}

    def latest(self, device_id: str) -> AdminCall[dict[str, str]]:
        """The newest telemetry: key -> value, as text."""
        path = f"/plugins/telemetry/DEVICE/{device_id}/values/timeseries"
        found = self.part((yield from self.call("GET", path)), dict)
        return {key: str(values[0].get("value")) for key, values in found.items() if values}

    def latest_of(self, device_id: str, key: str) -> AdminCall[JsonDict]:
        """The newest value of one key of telemetry, with `ts` and `value`; empty if it was never sent."""
        path = f"/plugins/telemetry/DEVICE/{device_id}/values/timeseries?keys={quote(key, safe='')}"
        found = self.part((yield from self.call("GET", path)), dict)
        values = found.get(key) or [{}]
        return self.part(values, dict, 0)

    def delete_attribute(self, device_id: str, key: str) -> AdminCall[None]:
        yield from self.call("DELETE", f"/plugins/telemetry/DEVICE/{device_id}/{SERVER_SCOPE}?keys={quote(key)}")

    def _pages(self, path: str) -> AdminCall[list[JsonDict]]:
        found: list[JsonDict] = []
        for number in range(1_000_000):
            page = yield from self.call("GET", f"{path}?pageSize={PAGE}&page={number}")
            found += self.part(page, list, "data")
            if not self.part(page, bool, "hasNext"):
                break
        return found


def id_of(document: Mapping[str, Any]) -> str:
    """The id of a device or profile."""
    return str(document["id"]["id"])
