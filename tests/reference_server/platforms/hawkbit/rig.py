"""A hawkBit server in memory, with a clock that only moves when told, and words for the requests that tests make."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

ORIGIN = "http://hawkbit.test:8080"
ADMIN = Account("admin", "admin")
GATEWAY_KEY = "the-gateway-key"


class Undo(Exception):
    """Leaves a transaction without keeping it, as `Server` does."""


@dataclass
class Rig:
    settings: Settings = field(default_factory=Settings)
    peer: str = "127.0.0.1"
    now_us: int = VIRTUAL_EPOCH_US

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        self.platform = HawkbitPlatform(self.store, MemoryBlobs(), SeededEntropy(1), self.settings)

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> HttpAnswer:
        """One request and its transaction."""
        request = HttpRequest(method, ORIGIN, target, (("Host", "hawkbit.test:8080"), *(headers or {}).items()), body)
        answer: HttpAnswer | HeldRequest | None = None
        with suppress(Undo), self.store.transaction():
            answer = self.platform.handle(request, Session(self.peer), self.now_us)
            if isinstance(answer, HttpAnswer) and answer.rollback:
                raise Undo
        assert answer is not None
        return self.later() if isinstance(answer, HeldRequest) else answer

    def later(self) -> HttpAnswer:
        """The answer to the request that is held."""
        while True:
            with self.store.transaction():
                reactions = self.platform.advance(self.now_us)
            for reaction in reactions:
                for output in reaction.outputs:
                    assert isinstance(output, LateAnswer)
                    assert output.delivery.response is not None
                    return HttpAnswer(output.delivery.response, reaction.reason, reaction.device, reaction.changed)

    def mgmt(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        account: Account = ADMIN,
        headers: dict[str, str] | None = None,
    ) -> HttpAnswer:
        """A Mgmt call by an account (the admin by default); `body` is JSON."""
        sent = {"Authorization": basic(account.user, account.password), **(headers or {})}
        if body is None:
            return self.send(method, f"/rest/v1{path}", sent)
        return self.send(method, f"/rest/v1{path}", {"Content-Type": "application/json", **sent}, to_bytes(body))

    def read(self, path: str) -> Any:
        """The document that a Mgmt GET gives."""
        return document(self.mgmt("GET", path))

    def configure(self, **values: Any) -> None:
        """Changes the tenant's configuration; dots in a key are written as two underscores."""
        answer = self.mgmt("PUT", "/system/configs", {key.replace("__", "."): value for key, value in values.items()})
        assert answer.response.status == 204, answer.reason

    def target_tokens_on(self) -> None:
        self.configure(authentication__targettoken__enabled=True)

    def gateway_on(self) -> None:
        self.configure(authentication__gatewaytoken__enabled=True, authentication__gatewaytoken__key=GATEWAY_KEY)

    def create(self, controller_id: str, **more: Any) -> dict[str, Any]:
        """Creates a target; its document."""
        answer = self.mgmt("POST", "/targets", [{"controllerId": controller_id, **more}])
        assert answer.response.status == 201, answer.reason
        (created,) = document(answer)
        assert isinstance(created, dict)
        return created

    def poll(
        self, controller_id: str, token: str = "", *, tenant: str = "DEFAULT", headers: dict[str, str] | None = None
    ) -> HttpAnswer:
        """A poll with a target token, or with the gateway key if there is none."""
        return self.device("GET", controller_id, "", token, tenant=tenant, headers=headers)

    def device(
        self,
        method: str,
        controller_id: str,
        path: str,
        token: str = "",
        body: Any = None,
        *,
        tenant: str = "DEFAULT",
        headers: dict[str, str] | None = None,
    ) -> HttpAnswer:
        sent = {"Authorization": f"TargetToken {token}" if token else f"GatewayToken {GATEWAY_KEY}", **(headers or {})}
        target = f"/{tenant}/controller/v1/{controller_id}{path}"
        if body is None:
            return self.send(method, target, sent)
        return self.send(method, target, {"Content-Type": "application/json", **sent}, to_bytes(body))

    def put_attributes(self, controller_id: str, token: str, data: Any, mode: str | None = None) -> HttpAnswer:
        body = {"data": data} if mode is None else {"mode": mode, "data": data}
        return self.device("PUT", controller_id, "/configData", token, body)

    def let_pass(self, seconds: float) -> None:
        self.now_us += to_us(seconds)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def to_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def document(answer: HttpAnswer) -> Any:
    data = body_bytes(answer.response.body)
    assert data, f"{answer.response.status} without a body: {answer.reason}"
    return json.loads(data)


def status(answer: HttpAnswer) -> int:
    return answer.response.status


def error_code(answer: HttpAnswer) -> str:
    return str(document(answer)["errorCode"]).removeprefix("hawkbit.server.error.")


def sleep_of(answer: HttpAnswer) -> str:
    return str(document(answer)["config"]["polling"]["sleep"])
