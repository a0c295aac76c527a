"""A small operator for these tests: hawkBit's Management API over plain http.client, sharing nothing with the harness.

Shapes from docs/contracts/hawkbit.md §1.
"""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()
BOUNDARY = "peers-5d41402abc4b2a76"
WITHIN_S = 30.0
KINDS = ("/targetfilters", "/targets", "/targettags", "/targettypes", "/distributionsets", "/softwaremodules")
"""In the order in which they can be deleted."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mgmt:
    """The account admin/admin on one server."""

    host_port: str

    def call(self, method: str, path: str, body: object = None, expect: tuple[int, ...] = (200, 201, 204)) -> Any:
        """The JSON of the answer; None when it has no body."""
        content = b"" if body is None else json.dumps(body).encode()
        return self._exchange(method, path, content, "application/json", expect)

    def configure(self, **values: object) -> None:
        """Tenant settings; a double underscore stands for the dot in a key."""
        self.call("PUT", "/system/configs", {key.replace("__", "."): value for key, value in values.items()})

    def make_empty(self) -> None:
        """Removes what tests make, and what a command that was stopped left; and the settings of the tenant."""
        for path in KINDS:
            for one in self.call("GET", f"{path}?limit=500")["content"]:
                self.call("DELETE", f"{path}/{one['controllerId' if path == '/targets' else 'id']}")
        for key, entry in self.call("GET", "/system/configs").items():
            if not entry["global"] and key != "default.ds.type":  # which has no default
                self.call("DELETE", f"/system/configs/{key}")

    def create_target(self, controller_id: str) -> str:
        """The security token that the server made for it."""
        created: str = self.call("POST", "/targets", [{"controllerId": controller_id}])[0]["securityToken"]
        return created

    def target(self, controller_id: str) -> Json | None:
        """None when there is no such target."""
        answer: Json = self.call("GET", f"/targets/{controller_id}", expect=(200, 404))
        return answer if "controllerId" in answer else None

    def update_status(self, controller_id: str) -> str | None:
        return (self.target(controller_id) or {}).get("updateStatus")

    def attributes(self, controller_id: str) -> dict[str, str]:
        """Empty when there are none, or no target."""
        answer: Json = self.call("GET", f"/targets/{controller_id}/attributes", expect=(200, 204, 404)) or {}
        return {} if "errorCode" in answer else answer

    def set_version(self, controller_id: str, which: str) -> str | None:
        """Version of the `assignedDS` or the `installedDS`; None when there is none."""
        return (self.call("GET", f"/targets/{controller_id}/{which}") or {}).get("version")

    def create_update(self, name: str, image: bytes, version: str = "2.0") -> int:
        """A distribution set with one module and one artifact `image.swu`."""
        [module] = self.call("POST", "/softwaremodules", [{"name": name, "version": version, "type": "os"}])
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="image.swu"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        form = head.encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
        form_type = f"multipart/form-data; boundary={BOUNDARY}"
        self._exchange("POST", f"/softwaremodules/{module['id']}/artifacts", form, form_type, (201,))
        update = {"name": name, "version": version, "type": "os", "modules": [{"id": module["id"]}]}
        return int(self.call("POST", "/distributionsets", [update])[0]["id"])

    def assign(self, set_id: int, controller_id: str, **how: object) -> int:
        """The new action's id."""
        body = [{"id": controller_id, **how}]
        [action] = self.call("POST", f"/distributionsets/{set_id}/assignedTargets", body)["assignedActions"]
        return int(action["id"])

    def action(self, controller_id: str, action_id: int) -> Json:
        answer: Json = self.call("GET", f"/targets/{controller_id}/actions/{action_id}")
        return answer

    def is_active(self, controller_id: str, action_id: int) -> bool:
        active: bool = self.action(controller_id, action_id)["active"]
        return active

    def cancel(self, controller_id: str, action_id: int) -> None:
        """A soft cancel: the device is asked."""
        self.call("DELETE", f"/targets/{controller_id}/actions/{action_id}")

    def history(self, controller_id: str, action_id: int) -> list[Json]:
        """The action's status entries, oldest first."""
        path = f"/targets/{controller_id}/actions/{action_id}/status?limit=500&sort=id:ASC"
        entries: list[Json] = self.call("GET", path)["content"]
        return entries

    def _exchange(self, method: str, path: str, content: bytes, content_type: str, expect: tuple[int, ...]) -> Any:
        connection = http.client.HTTPConnection(self.host_port, timeout=WITHIN_S)
        headers = {"Authorization": ADMIN, "Accept": "application/json", "Content-Type": content_type}
        try:
            connection.request(method, quote(f"/rest/v1{path}", safe="/%?&=:*,@"), content or None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status in expect, f"{method} {path} answered {answer.status}: {text[:500]!r}"
        return json.loads(text) if text else None


def types(history: list[Json]) -> list[str]:
    return [entry["type"] for entry in history]


def messages(history: list[Json]) -> list[str]:
    """All of them in order; a later entry's come later, those of one entry as the server lists them."""
    return [message for entry in history for message in entry["messages"]]
