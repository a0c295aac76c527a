"""A ThingsBoard with all its listeners, seen by its operator: profiles, devices, certificates, all removed again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.servers.serve_process import Ready
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate, as_pem

ALLOW, CHECK, OFF, CHAIN = (
    "ALLOW_CREATE_NEW_DEVICES",
    "CHECK_PRE_PROVISIONED_DEVICES",
    "DISABLED",
    "X509_CERTIFICATE_CHAIN",
)
KEY, SECRET = "key-of-the-model-0123", "secret-of-the-model-4567"
TOKEN = "token-of-gw-17-0123"
ACCOUNT = {"username": "tenant@thingsboard.org", "password": "tenant"}
NAME = "gw-17"
LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")


@dataclass
class Bench:
    """The server's addresses and its REST API."""

    ready: Ready
    folder: Path
    login: str = ""
    client: ExactClient | None = None
    files: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.ready['http']}"

    @property
    def server_ca(self) -> str:
        return str(self.ready.get("ca", ""))

    def over(self, transport: str) -> str:
        """What a device calls."""
        return f"{transport}://{self.ready[transport]}"

    # -- the operator

    def api(self, method: str, path: str, body: object = None) -> Answer:
        client = self.client = self.client or ExactClient(self.url)
        json_type = {"Content-Type": "application/json"}
        if not self.login:
            answer = client.call("POST", "/api/auth/login", json_type, json.dumps(ACCOUNT).encode())
            self.login = answer.json()["token"]
        headers = {**json_type, "X-Authorization": f"Bearer {self.login}"}
        return client.call(method, f"/api{path}", headers, None if body is None else json.dumps(body).encode())

    def close(self) -> None:
        if self.client is not None:
            self.client.close()

    def asked(self, method: str, path: str, body: object = None) -> Any:
        answer = self.api(method, path, body)
        assert answer.status == 200, (method, path, answer.text)
        return answer.json() if answer.body else None

    def profile(
        self, name: str, strategy: str = ALLOW, key: str = KEY, secret: str = SECRET, **more: Any
    ) -> dict[str, Any]:
        """Saves it anew or changes it."""
        known = [one for one in self.profiles() if one["name"] == name]
        return dict(self.asked("POST", "/deviceProfile", {
            **(known[0] if known else {}),
            "name": name, "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": strategy,
            "provisionDeviceKey": key,
            "profileData": {
                "configuration": {"type": "DEFAULT"}, "transportConfiguration": {"type": "DEFAULT"}, "alarms": None,
                "provisionConfiguration": {"type": strategy, "provisionDeviceSecret": secret, **more},
            },
        }))  # fmt: skip

    def chain_profile(self, name: str, pattern: str = "(.*)", *, creates: bool = True) -> CertificateAuthority:
        """A profile for chains, and the authority that backs it."""
        ca = self.authority(f"{name} CA")
        self.chain_profile_of(name, ca, pattern, creates=creates)
        return ca

    def chain_profile_of(
        self, name: str, ca: CertificateAuthority, pattern: str = "(.*)", *, creates: bool = True
    ) -> None:
        more = {"certificateRegExPattern": pattern, "allowCreateNewDevicesByX509Certificate": creates}
        self.profile(name, CHAIN, "", ca.certificate_pem.decode(), **more)

    def profiles(self) -> list[dict[str, Any]]:
        return list(self.asked("GET", "/deviceProfiles?pageSize=100&page=0")["data"])

    def devices(self) -> list[dict[str, Any]]:
        return list(self.asked("GET", "/tenant/devices?pageSize=100&page=0")["data"])

    def names(self) -> list[str]:
        return sorted(one["name"] for one in self.devices())

    def device(self, name: str = NAME, profile: str = "default", token: str = TOKEN) -> dict[str, Any]:
        return dict(self.asked("POST", f"/device?accessToken={token}", {"name": name, "type": profile}))

    def credentials(self, name: str = NAME) -> dict[str, Any]:
        return dict(self.asked("GET", f"/device/{self.id_of(name)}/credentials"))

    def set_credentials(self, kind: str, value: object = None, credentials_id: str = "", name: str = NAME) -> None:
        text = value if isinstance(value, str) or value is None else json.dumps(value)
        changed = {"credentialsType": kind, "credentialsId": credentials_id, "credentialsValue": text}
        self.asked("POST", "/device/credentials", {**self.credentials(name), **changed})

    def set_state(self, value: str, name: str = NAME) -> None:
        self.set_attributes({"provisionState": value}, name)

    def set_attributes(self, values: Mapping[str, object], name: str = NAME) -> None:
        self.asked("POST", f"/plugins/telemetry/DEVICE/{self.id_of(name)}/SERVER_SCOPE", values)

    def delete_state(self, name: str = NAME) -> None:
        self.asked("DELETE", f"/plugins/telemetry/DEVICE/{self.id_of(name)}/SERVER_SCOPE?keys=provisionState")

    def state(self, name: str = NAME) -> Any:
        path = f"/plugins/telemetry/DEVICE/{self.id_of(name)}/values/attributes/SERVER_SCOPE?keys=provisionState"
        found = self.asked("GET", path)
        return found[0]["value"] if found else None

    def id_of(self, name: str = NAME) -> str:
        return next(str(one["id"]["id"]) for one in self.devices() if one["name"] == name)

    def delete(self, name: str = NAME) -> None:
        self.asked("DELETE", f"/device/{self.id_of(name)}")

    def tidy(self) -> None:
        """As it was at the start."""
        for device in self.devices():
            self.asked("DELETE", f"/device/{device['id']['id']}")
        for profile in self.profiles():
            if not profile["default"]:
                self.asked("DELETE", f"/deviceProfile/{profile['id']['id']}")

    # -- files of the device

    def authority(self, name: str) -> CertificateAuthority:
        return CertificateAuthority(name, now_us())

    def cert_files(self, leaf: ClientCertificate, *behind: CertificateAuthority) -> tuple[str, ...]:
        """`--cert` and `--key`: the leaf, and the certificates of these authorities after it."""
        self.files += 1
        cert, key = (self.folder / f"{what}-{self.files}.pem" for what in ("cert", "key"))
        cert.write_bytes(as_pem(leaf.chain[0]) + b"".join(ca.certificate_pem for ca in behind))
        key.write_bytes(leaf.key_pem)
        return "--cert", str(cert), "--key", str(key)

    def request_file(self, request: Mapping[str, Any] | bytes) -> tuple[str, ...]:
        """`--request`, with key and secret unless the request says otherwise."""
        self.files += 1
        file = self.folder / f"request-{self.files}.json"
        file.touch(0o600)
        file.write_bytes(request if isinstance(request, bytes) else json.dumps(request).encode())
        return "--request", str(file)


def now_us() -> int:
    return time.time_ns() // 1000


def later(days: float) -> Validity:
    """Begins in so many days."""
    start_us = now_us() + int(days * 86_400) * US_PER_S
    return Validity.days(start_us, 30, earlier_us=0)


def ask(bench: Bench, over: str = "http", name: str | None = NAME, key: str = KEY, secret: str = SECRET) -> str:
    """A real request over HTTP; its status."""
    named = {} if name is None else {"deviceName": name}
    body = json.dumps({**named, "provisionDeviceKey": key, "provisionDeviceSecret": secret}).encode()
    client = ExactClient(bench.url)
    try:
        return str(
            client.call("POST", "/api/v1/provision", {"Content-Type": "application/json"}, body).json()["status"]
        )
    finally:
        client.close()
