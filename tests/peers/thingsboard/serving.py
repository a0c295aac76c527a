"""`fleetrig serve --platform thingsboard` among other programs, and what its tenant asks over REST."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fleetrig.harness.servers.serve_process import ServeProcess

KEY, SECRET = "line-7-key", "line-7-secret"
"""Of the profile whose devices are made when they ask."""
LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")
ACCOUNT = {"username": "tenant@thingsboard.org", "password": "tenant"}


class ServedThingsBoard(ServeProcess):
    """All five listeners, on ports of their own."""

    def __init__(self, folder: Path, *options: str) -> None:
        addresses = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
        super().__init__(folder, "--platform", "thingsboard", *addresses, *options)

    def port(self, listener: str) -> str:
        """As text: it goes into command lines."""
        return str(self.ready[listener]).rpartition(":")[2]

    @property
    def ca(self) -> str:
        """The file with whom to trust."""
        return str(self.ready["ca"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port('http')}"


class Tenant:
    """A manufacturer's account."""

    def __init__(self, url: str) -> None:
        self._api = f"{url}/api"
        self._token = ""
        self._token = self.ask("POST", "/auth/login", ACCOUNT)["token"]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Content-Type": "application/json", "X-Authorization": f"Bearer {self._token}"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._api + path, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def let_devices_provision(self) -> None:
        """Whoever has key and secret becomes a device."""
        kind = "ALLOW_CREATE_NEW_DEVICES"
        plain = {"type": "DEFAULT"}
        provision = {"type": kind, "provisionDeviceSecret": SECRET}
        data = {"configuration": plain, "transportConfiguration": plain, "provisionConfiguration": provision}
        profile = {"name": "Line 7", "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": kind}
        self.ask("POST", "/deviceProfile", {**profile, "provisionDeviceKey": KEY, "profileData": data})

    def device(self, name: str) -> dict[str, Any] | None:
        """None when there is no such device."""
        try:
            found: dict[str, Any] = self.ask("GET", f"/tenant/devices?deviceName={quote(name)}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None
        return found

    def credentials(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/device/{self._id(name)}/credentials")
        return found

    def temperature(self, name: str) -> str | None:
        """The newest that the device has sent."""
        newest = self.reading(name)
        return None if newest is None else str(newest["value"])

    def reading(self, name: str) -> dict[str, Any] | None:
        """The same with its time, `ts`, in milliseconds since 1970."""
        path = f"/plugins/telemetry/DEVICE/{self._id(name)}/values/timeseries?keys=temperature"
        newest = self.ask("GET", path).get("temperature", [])
        return newest[0] if newest else None

    def tell(self, name: str, attributes: dict[str, Any]) -> None:
        """Attributes that the device hears of."""
        self.ask("POST", f"/plugins/telemetry/DEVICE/{self._id(name)}/SHARED_SCOPE", attributes)

    def _id(self, name: str) -> str:
        device = self.device(name)
        assert device is not None, f"there is no device {name!r}"
        return str(device["id"]["id"])
