"""ThingsBoard's HTTP in memory, with a clock that only moves when told, and words for the requests that tests make."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.thingsboard.http.api import HttpApi
from fleetrig.reference_server.platforms.thingsboard.state.people import open_installation
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

ORIGIN = "http://thingsboard.test:8080"
OPERATOR = Account()
OTHER = Account("other@example.org", "other-pass", "Other")


class Undo(Exception):
    """Leaves a transaction without keeping it, as `Server` does."""


@dataclass
class HttpRig:
    settings: Settings = field(default_factory=lambda: Settings(accounts=(OPERATOR, OTHER)))
    now_us: int = VIRTUAL_EPOCH_US

    def __post_init__(self) -> None:
        self.registry = Registry(MemoryStore(), SeededEntropy(1), self.settings)
        open_installation(self.registry, self.now_us)
        self.api = HttpApi(self.registry)
        self._tokens: dict[str, str] = {}

    def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> HttpAnswer:
        """One request and its transaction, to the end of its time if it is held. `X_Authorization` stands for
        `X-Authorization`."""
        answer = self.begin(method, target, body, **headers)
        if isinstance(answer, HttpAnswer):
            return answer
        due_us = self.api.waiting.next_due_us()
        assert due_us is not None
        self.now_us = due_us
        (late,) = self.api.waiting.advance(due_us)
        return answered(late, answer.held_id)

    def begin(self, method: str, target: str, body: bytes = b"", **headers: str) -> HttpAnswer | HeldRequest:
        """One request and its transaction."""
        sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        request = HttpRequest(method, ORIGIN, target, sent, body)
        answer: HttpAnswer | HeldRequest | None = None
        with suppress(Undo), self.registry.store.transaction():
            answer = self.api.handle(request, Session(), self.now_us)
            if isinstance(answer, HttpAnswer) and answer.rollback:
                raise Undo
        assert answer is not None
        return answer

    def post(self, target: str, body: Any, **headers: str) -> HttpAnswer:
        """A document without a login."""
        headers.setdefault("Content_Type", "application/json")
        return self.send("POST", target, json.dumps(body).encode(), **headers)

    def ask(self, method: str, target: str, body: Any = None, *, account: Account = OPERATOR) -> HttpAnswer:
        """As an operator."""
        data = b"" if body is None else json.dumps(body).encode()
        bearer = f"Bearer {self.token(account)}"
        return self.send(method, target, data, Content_Type="application/json", X_Authorization=bearer)

    def get(self, target: str) -> Any:
        return document(self.ask("GET", target))

    def token(self, account: Account = OPERATOR) -> str:
        if account.email not in self._tokens:
            login = self.post("/api/auth/login", {"username": account.email, "password": account.password})
            self._tokens[account.email] = document(login)["token"]
        return self._tokens[account.email]

    def profile(self, name: str = "A", strategy: str = "ALLOW_CREATE_NEW_DEVICES", **more: Any) -> dict[str, Any]:
        """A new device profile with key `K<name>` and secret `S<name>`."""
        answer = self.ask("POST", "/api/deviceProfile", profile_document(name, strategy) | more)
        assert answer.response.status == 200, answer
        made: dict[str, Any] = document(answer)
        return made

    def device(self, name: str, profile: str = "default", token: str = "") -> dict[str, Any]:
        """A new device."""
        query = f"?accessToken={token}" if token else ""
        answer = self.ask("POST", f"/api/device{query}", {"name": name, "type": profile})
        assert answer.response.status == 200, answer
        made: dict[str, Any] = document(answer)
        return made


def answered(reaction: Reaction, held_id: int) -> HttpAnswer:
    """What a held request gets at last."""
    (answer,) = reaction.outputs
    assert isinstance(answer, LateAnswer)
    assert answer.held_id == held_id
    assert answer.delivery.response is not None
    return HttpAnswer(answer.delivery.response, reaction.reason, reaction.device)


def profile_document(name: str, strategy: str) -> dict[str, Any]:
    provision = {"type": strategy, "provisionDeviceSecret": f"S{name}"}
    data = {
        "configuration": {"type": "DEFAULT"},
        "transportConfiguration": {"type": "DEFAULT"},
        "provisionConfiguration": provision,
        "alarms": None,
    }
    return {
        "name": name,
        "type": "DEFAULT",
        "transportType": "DEFAULT",
        "provisionType": strategy,
        "provisionDeviceKey": f"K{name}",
        "profileData": data,
    }


def text(answer: HttpAnswer) -> str:
    return body_bytes(answer.response.body).decode()


def document(answer: HttpAnswer) -> Any:
    return json.loads(text(answer))


def refused(answer: HttpAnswer) -> tuple[int, int, str]:
    """(status, errorCode, message) of the error document, which repeats the status; and somebody learns why."""
    body = document(answer)
    assert body.keys() == {"status", "message", "errorCode", "timestamp"}
    assert body["status"] == answer.response.status
    assert answer.reason
    return body["status"], body["errorCode"], body["message"]
