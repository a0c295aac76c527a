"""A server of the Kura namespace, seen by its operator. Each gateway has its own account, so nothing is removed."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.mqtt_bytes import DISCONNECT, packet
from fleetrig.harness.servers.serve_process import Ready
from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, string
from tests.harness.doctor.kura.material import ASKING, SECRETS

ADMIN = {"username": "kapua-sys", "password": "kapua-password"}
PROVISIONING = "ec-provisioning"
DEVICES = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
CONNECTIONS = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"
PASSWORD = SECRETS["SECRET"]
Options = tuple[str, ...]


@dataclass
class KuraBench:
    """The server's addresses and its REST API."""

    ready: Ready
    client: ExactClient | None = None
    token: str = ""
    root: str = ""
    scopes: dict[str, str] = field(default_factory=dict)

    @property
    def rest(self) -> str:
        return f"http://{self.ready['http']}"

    @property
    def broker(self) -> str:
        return f"mqtt://{self.ready['mqtt']}"

    # -- the operator

    def api(self, method: str, path: str, body: object = None) -> Answer:
        client = self.client = self.client or ExactClient(self.rest)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return client.call(method, path, headers, None if body is None else json.dumps(body).encode())

    def asked(self, method: str, path: str, body: object = None) -> Any:
        if not self.token:
            told = self.api("POST", "/v1/authentication/user", ADMIN).json()
            self.token, self.root = told["tokenId"], told["scopeId"]
        answer = self.api(method, path, body)
        assert answer.status in (200, 201, 204), (method, path, answer.status, answer.text)
        return answer.json() if answer.body else None

    def close(self) -> None:
        if self.client is not None:
            self.client.close()

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.asked("GET", path)["items"]
        return found

    def change(self, path: str, **members: Any) -> None:
        """Read, changed and written back."""
        self.asked("PUT", path, {**self.asked("GET", path), **members})

    def account(self, name: str) -> str:
        """Its scope id; made when it is not there."""
        if not self.scopes:
            self.scopes |= {one["name"]: one["id"] for one in self.items(f"/v1/{self._root()}/accounts")}
        if name not in self.scopes:
            about = {"name": name, "organizationName": "x", "organizationEmail": "x@localhost"}
            self.scopes[name] = self.asked("POST", f"/v1/{self._root()}/accounts", about)["id"]
            self.configure(name, DEVICES, infiniteChildEntities="true")
        return self.scopes[name]

    def _root(self) -> str:
        if not self.root:
            self.asked("GET", "/v1/AQ/users")
        return self.root

    def configure(self, account: str, service: str, **properties: str) -> None:
        listed = [{"name": name, "type": "String", "value": [value]} for name, value in properties.items()]
        path = f"/v1/{self.scopes[account]}/serviceConfigurations/{service}"
        self.asked("PUT", path, {"id": service, "properties": {"property": listed}})

    # -- what a gateway is known by

    def request(self, account: str, client_id: str, login: str, **members: Any) -> dict[str, Any]:
        """A provision request; `members` in the words of the API."""
        usual = {"generateActivationKey": False, "retryMaxAttempts": 3, "overwriteIfDuplicate": True,
                 "provisionSecureURL": False, "provisionAttachments": []}  # fmt: skip
        document = {"accountId": self.account(account), "clientId": client_id, "provisionUserUsername": login,
                    "provisionUserPassword": PASSWORD, **usual, **members}  # fmt: skip
        made: dict[str, Any] = self.asked("POST", "/v2/provisionRequests", document)
        return made

    def requests(self, account: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.asked("GET", f"/v2/provisionRequests?accountId={self.account(account)}")[
            "provisionRequest"
        ]
        return found

    def change_request(self, account: str, **members: Any) -> None:
        (one,) = self.requests(account)
        self.asked("PUT", f"/v2/provisionRequests/{one['id']}", {**one, **members})

    def change_job(self, account: str, status: str) -> None:
        (one,) = self.requests(account)
        self.change_request(account, provisionJob={**one["provisionJob"], "status": status})

    def user(self, account: str, name: str, *, password: bool = True, connects: bool = True, **members: Any) -> str:
        """One that may connect. Returns its id."""
        scope = self.account(account)
        place = f"/v1/{scope}"
        about = {"name": name, "status": "ENABLED", "userType": "INTERNAL", **members}
        user_id = str(self.asked("POST", f"{place}/users", about)["id"])
        if password:
            self.password(account, user_id)
        if connects:
            self.permit(account, user_id)
        return user_id

    def password(self, account: str, user_id: str) -> None:
        secret = {"credentialType": "PASSWORD", "credentialKey": PASSWORD, "credentialStatus": "ENABLED"}
        self.asked("POST", f"/v1/{self.scopes[account]}/credentials", {"userId": user_id, **secret})

    def permit(self, account: str, user_id: str) -> None:
        right = {"domain": "broker", "action": "connect", "targetScopeId": self.scopes[account], "forwardable": False}
        place = f"/v1/{self.scopes[account]}/accessinfos"
        known = self.items(f"{place}?userId={user_id}")
        if known:
            self.asked("POST", f"{place}/{known[0]['id']}/permissions", {"permission": right})
        else:
            self.asked("POST", place, {"userId": user_id, "permissions": [right], "roleIds": []})

    def credential(self, account: str, user_id: str) -> dict[str, Any]:
        (one,) = self.items(f"/v1/{self.scopes[account]}/credentials?userId={user_id}")
        return one

    def connection(self, account: str, client_id: str) -> dict[str, Any]:
        (one,) = self.items(f"/v1/{self.scopes[account]}/deviceconnections?clientId={client_id}")
        return one

    def options(self, account: str, client_id: str, **members: Any) -> None:
        one = self.connection(account, client_id)
        self.change(f"/v1/{self.scopes[account]}/deviceconnections/{one['id']}/options", **members)

    # -- the gateway itself

    def connects(self, client_id: str, login: str, secret: str = PASSWORD) -> str:
        """The answer to a CONNECT, then it leaves."""
        host, _, port = str(self.ready["mqtt"]).rpartition(":")
        with closing(ExactMqtt(host, int(port))) as connection:
            line = connection.connect(client_id, login, secret)
            if line == "CONNACK 0":
                connection.send(packet(DISCONNECT, b""))
                connection.hear()
            return line

    def born(self, account: str, client_id: str, login: str, secret: str = PASSWORD, **metrics: str) -> None:
        """Connects and says BIRTH; underscores are part of the metrics' names."""
        host, _, port = str(self.ready["mqtt"]).rpartition(":")
        payload = encode(KuraPayload(metrics={name: string(value) for name, value in metrics.items()}))
        with closing(ExactMqtt(host, int(port))) as connection:
            assert connection.connect(client_id, login, secret) == "CONNACK 0"
            connection.publish(f"$EDC/{account}/{client_id}/MQTT/BIRTH", payload)
            assert connection.hear().line == "PUBACK"
            connection.send(packet(DISCONNECT, b""))
            connection.hear()

    def provisioned(self, client_id: str, login: str, result: str = "") -> dict[str, str]:
        """Asks to be provisioned as PROV-SIM1 has it, and confirms with that result. Returns what it was given."""
        host, _, port = str(self.ready["mqtt"]).rpartition(":")
        base = f"$EDC/{PROVISIONING}/{client_id}/PROV-SIM1"
        ids = {"requester.client.id": string(client_id)}
        with closing(ExactMqtt(host, int(port))) as connection:
            assert connection.connect(client_id, login, PASSWORD) == "CONNACK 0"
            connection.subscribe(f"{base}/REPLY/#")
            connection.publish(f"{base}/POST/request", encode(KuraPayload(metrics={**ASKING, **ids})), 0)
            given = decode(connection.hear().payload)
            assert given.response_code == 200, given
            if result:
                told = {"request.id": string("43"), **ids, "prov.job.id": given.metrics["prov.job.id"],
                        "prov.result": string(result), "prov.reason": string("")}  # fmt: skip
                connection.publish(f"{base}/POST/confirm", encode(KuraPayload(metrics=told)), 0)
                connection.hear()
            connection.send(packet(DISCONNECT, b""))
            connection.hear()
        return {name: str(one.value) for name, one in given.metrics.items()}

    def footprint(self, account: str) -> list[object]:
        """What a question could have changed."""
        scope = self.account(account)
        listed = [
            self.items(f"/v1/{scope}/{what}") for what in ("devices", "deviceconnections", "users", "credentials")
        ]
        return [*listed, self.requests(account)]


def in_ms(after_s: float) -> int:
    """A date of the API."""
    return int((time.time() + after_s) * 1000)
