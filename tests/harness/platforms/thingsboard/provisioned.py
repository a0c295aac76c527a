"""Devices that provision at a served ThingsBoard, byte for byte, over each transport."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_coap import POST, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login, OperatorApi
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import profile_document
from fleetrig.simulator.contract.identity import UserPassword
from tests.harness.served import Served

PATH = "/api/v1/provision"
KEYS = {"A": ("KA", "SA", "ALLOW_CREATE_NEW_DEVICES"), "C": ("KC", "SC", "CHECK_PRE_PROVISIONED_DEVICES")}
LISTENERS = tuple(f"--{name}=127.0.0.1:0" for name in ("mqtt", "mqtts", "coap", "coaps"))
ADMINISTRATOR = UserPassword("tenant@thingsboard.org", "tenant")
JSON = {"Content-Type": "application/json"}


def thingsboard(folder: Path, *options: str) -> Served:
    """With its store in a file of the folder, and listeners on free ports."""
    store = f"sqlite:///{folder / 'fleet.db'}"
    return Served(folder, "--platform", "thingsboard", "--control", "off", *LISTENERS, "--store", store, *options)


def request(name: str, profile: str = "A", **members: Any) -> bytes:
    key, secret, _ = KEYS[profile]
    return json.dumps(
        {"deviceName": name, "provisionDeviceKey": key, "provisionDeviceSecret": secret, **members}
    ).encode()


@dataclass
class Devices:
    """Where they ask. Each call is a connection of its own, but for HTTP."""

    served: Served
    http: ExactClient

    def place(self, listener: str) -> tuple[str, int]:
        host, _, port = self.served.ready[listener].rpartition(":")
        return host, int(port)

    @contextlib.contextmanager
    def mqtt(self, level: int = 4, user_name: str = "provision") -> Iterator[ExactMqtt]:
        """Connected."""
        with contextlib.closing(ExactMqtt(*self.place("mqtt"), level)) as connection:
            assert connection.connect(user_name=user_name) == "CONNACK 0"
            yield connection

    def over_http(self, body: bytes) -> tuple[int, bytes]:
        answer = self.http.call("POST", PATH, JSON, body)
        return answer.status, answer.body

    def over_coap(self, body: bytes) -> tuple[str, bytes]:
        with contextlib.closing(ExactCoap(*self.place("coap"))) as endpoint:
            answer = endpoint.ask(POST, PATH, body)
        return answer.code, answer.payload

    def over_mqtt(self, body: bytes, level: int = 4) -> list[str]:
        """What is heard up to the reply or the end: its lines."""
        with self.mqtt(level) as connection:
            connection.publish("/provision/request", body)
            lines = [connection.hear().line]
            while lines[-1] != "closed" and not lines[-1].startswith("PUBLISH"):
                lines.append(connection.hear().line)
        return lines

    def token_works(self, token: str) -> bool:
        return self.http.call("POST", f"/api/v1/{token}/telemetry", JSON, b'{"t":1}').status == 200

    def operator(self) -> OperatorApi:
        return OperatorApi(self.http, Login(ADMINISTRATOR))

    def make_profiles(self) -> None:
        for letter, (key, secret, strategy) in KEYS.items():
            self.operator().asked("POST", "/deviceProfile", profile_document(letter, strategy, key, secret))

    def import_listed(self, names: list[str]) -> None:
        """Into the profile of listed devices; the name is the token."""
        columns = [{"type": "NAME"}, {"type": "TYPE"}, {"type": "ACCESS_TOKEN"}]
        mapping = {"columns": columns, "delimiter": ",", "update": True, "header": False}
        file = "".join(f"{name},C,{name}\n" for name in names)
        told = self.operator().asked("POST", "/device/bulk_import", {"file": file, "mapping": mapping})
        assert told["created"] == len(names), told


@contextlib.contextmanager
def devices_at(served: Served) -> Iterator[Devices]:
    with contextlib.closing(ExactClient(f"http://127.0.0.1:{served.port}")) as http:
        yield Devices(served, http)
