"""A hawkBit platform in memory, with the few calls of deployment tests. Time stands still unless moved."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.interface import Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent

ORIGIN = "http://127.0.0.1:8080"
ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()
GATEWAY_KEY = "the-gateway-key"
GATEWAY = f"GatewayToken {GATEWAY_KEY}"
FILE = b"hello fleetrig"
CLOSED = {"execution": "closed", "result": {"finished": "success"}}
FAILED = {"execution": "closed", "result": {"finished": "failure"}}


def said(execution: str, finished: str = "none", **more: Any) -> dict[str, Any]:
    return {"execution": execution, "result": {"finished": finished}, **more}


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]
    raw: bytes
    reason: str


@dataclass
class Bench:
    settings: Settings = field(default_factory=Settings)
    now_us: int = VIRTUAL_EPOCH_US
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open(MemoryStore())

    def open(self, store: Store) -> None:
        """A server on this store, which may hold what another one left."""
        self.store = store
        self.platform = HawkbitPlatform(self.store, MemoryBlobs(), SeededEntropy(1), self.settings)
        trace = Trace()
        trace.listen(self._hear)
        self.server = Server(self.platform, self.store, FaultPlan(Random(1).random), trace, Secrets())
        self.configure({"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": GATEWAY_KEY})

    def wait(self, seconds: float) -> None:
        """Lets time pass, and everything that falls due in it."""
        until_us = self.now_us + to_us(seconds)
        while (due_us := self.server.next_due_us()) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            self.server.advance(self.now_us)
        self.now_us = until_us

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`headers` with `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if raw:
            given.setdefault("Content-Type", "application/json")
        request = HttpRequest(method, ORIGIN, path, tuple(given.items()), raw)
        self.reasons.append("")
        response = self.server.exchange(request, Session(), self.now_us).response
        assert response is not None
        return self._answer(response)

    def mgmt(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send(method, f"/rest/v1{path}", body, Authorization=ADMIN, **headers)

    def device(self, method: str, path: str, body: Any = None, device: str = "dev", **headers: str) -> Answer:
        return self.send(method, f"/DEFAULT/controller/v1/{device}{path}", body, Authorization=GATEWAY, **headers)

    def configure(self, values: dict[str, Any]) -> None:
        assert self.mgmt("PUT", "/system/configs", values).status in {200, 204}

    def target(self, controller_id: str = "dev") -> None:
        assert self.mgmt("POST", "/targets", [{"controllerId": controller_id}]).status == 201

    def module(
        self, name: str = "firmware", kind: str = "os", file: bytes | None = FILE, filename: str = "fw.bin"
    ) -> int:
        module = self.mgmt("POST", "/softwaremodules", [{"name": name, "version": "1", "type": kind}])
        assert module.status == 201, module.body
        module_id: int = module.body[0]["id"]
        if file is not None:
            assert self.upload(module_id, file, filename).status == 201
        return module_id

    def upload(self, module_id: int, file: bytes, filename: str = "fw.bin", query: str = "", **fields: str) -> Answer:
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()
        ]
        opening = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'.encode()
        body = b"".join(parts) + opening + file + b"\r\n--edge--\r\n"
        content_type = "multipart/form-data; boundary=edge"
        return self.mgmt("POST", f"/softwaremodules/{module_id}/artifacts{query}", body, Content_Type=content_type)

    def set_of(self, *module_ids: int, name: str = "release", kind: str = "os", **more: Any) -> int:
        modules = [{"id": module_id} for module_id in module_ids]
        made = self.mgmt(
            "POST", "/distributionsets", [{"name": name, "version": "1", "type": kind, "modules": modules, **more}]
        )
        assert made.status == 201, made.body
        set_id: int = made.body[0]["id"]
        return set_id

    def release(self, name: str = "release", **more: Any) -> int:
        return self.set_of(self.module(name), name=name, **more)

    def assign(self, set_id: int, controller_id: str = "dev", **more: Any) -> int:
        """The id of the new action."""
        answer = self.mgmt("POST", f"/distributionsets/{set_id}/assignedTargets", [{"id": controller_id, **more}])
        assert answer.status == 200, answer.body
        assert answer.body["assigned"] == 1, answer.body
        action_id: int = answer.body["assignedActions"][0]["id"]
        return action_id

    def deployed(self, **more: Any) -> int:
        """A target `dev` with one action."""
        self.target()
        return self.assign(self.release(), **more)

    def report(self, action_id: int, status: dict[str, Any], what: str = "deploymentBase", **more: Any) -> Answer:
        return self.device("POST", f"/{what}/{action_id}/feedback", {"status": status, **more})

    def links(self, device: str = "dev") -> dict[str, str]:
        """The poll's links: rel -> what follows the device's base."""
        answer = self.device("GET", "", device=device)
        assert answer.status == 200, answer.body
        base = f"{ORIGIN}/DEFAULT/controller/v1/{device}/"
        return {rel: link["href"].removeprefix(base) for rel, link in answer.body.get("_links", {}).items()}

    def state(self, controller_id: str = "dev") -> str:
        status: str = self.mgmt("GET", f"/targets/{controller_id}").body["updateStatus"]
        return status

    def action(self, action_id: int, controller_id: str = "dev") -> dict[str, Any]:
        document: dict[str, Any] = self.mgmt("GET", f"/targets/{controller_id}/actions/{action_id}").body
        return document

    def history(self, action_id: int, controller_id: str = "dev") -> list[tuple[str, list[str]]]:
        """(type, messages), newest first."""
        answer = self.mgmt("GET", f"/targets/{controller_id}/actions/{action_id}/status?limit=500")
        return [(line["type"], line["messages"]) for line in answer.body["content"]]

    def set_id_of(self, which: str, controller_id: str = "dev") -> int | None:
        """The target's `assignedDS` or `installedDS`."""
        answer = self.mgmt("GET", f"/targets/{controller_id}/{which}")
        return None if answer.status == 204 else answer.body["id"]

    def _hear(self, event: TraceEvent) -> None:
        if event.kind == "refused":
            self.reasons[-1] = event.reason

    def _answer(self, response: HttpResponse) -> Answer:
        raw = body_bytes(response.body)
        is_json = "json" in (response.header("Content-Type") or "")
        return Answer(
            response.status, json.loads(raw) if is_json and raw else None, dict(response.headers), raw, self.reasons[-1]
        )
