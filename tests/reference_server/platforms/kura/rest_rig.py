"""Kura's REST API in memory, with a clock that moves when told, a device that answers calls, and words for tests."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.rest.api import RestApi
from fleetrig.reference_server.platforms.kura.rest.device_calls import CallOutcome, DeviceCall
from fleetrig.reference_server.platforms.kura.state.accounts import account_by_name
from fleetrig.reference_server.platforms.kura.state.connections import connected
from fleetrig.reference_server.platforms.kura.state.devices import born
from fleetrig.reference_server.platforms.kura.state.installation import open_installation
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.settings import Account, Settings
from fleetrig.reference_server.platforms.kura.state.users import user_by_name
from fleetrig.reference_server.stores.interface import Entropy, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.http import Headers, HttpRequest
from fleetrig.simulator.contract.session import Session

ORIGIN = "http://kura.test:8081"
JSON = "application/json"
XML = "application/xml"
ADMIN, PASSWORD = "kapua-sys", "kapua-password"
ACCOUNT = Account("acct", "acct-admin", "Acct-password-1")
STRONG = "Strong-password-1"


class Undo(Exception):
    """Leaves a transaction without keeping it, as `Server` does."""


@dataclass
class AnsweringDevice:
    """In place of the broker: keeps what was asked, and answers with what it is told to."""

    asked: list[DeviceCall] = field(default_factory=list)
    outcomes: list[CallOutcome] = field(default_factory=list)

    def start(self, call: DeviceCall, outcome: CallOutcome, session: int, now_us: int) -> HeldRequest:
        self.asked.append(call)
        self.outcomes.append(outcome)
        return HeldRequest(len(self.asked))


@dataclass
class RestRig:
    settings: Settings = field(default_factory=lambda: Settings(accounts=(ACCOUNT,)))
    now_us: int = VIRTUAL_EPOCH_US

    def __post_init__(self) -> None:
        self.device = AnsweringDevice()
        self.tokens: dict[str, str] = {}
        self.use(MemoryStore(), SeededEntropy(1))

    def use(self, store: Store, entropy: Entropy) -> None:
        """Everything is in this store from now on."""
        self.store = store
        self.registry = Registry(store, entropy, self.settings)
        self.api = RestApi(self.registry, self.device)
        with store.transaction():
            open_installation(self.registry, self.now_us)

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    def later(self, seconds: float) -> None:
        self.now_us += round(seconds * US_PER_S)

    def scope(self, name: str = "acct") -> str:
        found = account_by_name(self.registry, name)
        assert found is not None
        return found.id

    # Requests

    def raw(self, method: str, target: str, body: bytes = b"", headers: Headers = ()) -> HttpAnswer | HeldRequest:
        """One request and its transaction."""
        answer: HttpAnswer | HeldRequest | None = None
        with suppress(Undo), self.store.transaction():
            answer = self.api.handle(HttpRequest(method, ORIGIN, target, headers, body), Session(id=1), self.now_us)
            if isinstance(answer, HttpAnswer) and answer.rollback:
                raise Undo
        assert answer is not None
        return answer

    def send(
        self, method: str, target: str, document: Any = None, *, user: str = ADMIN, headers: Headers = ()
    ) -> HttpAnswer:
        """A JSON document of somebody who has logged in; answered at once."""
        answer = self.ask(method, target, document, user=user, headers=headers)
        assert isinstance(answer, HttpAnswer), answer
        return answer

    def ask(
        self, method: str, target: str, document: Any = None, *, user: str = ADMIN, headers: Headers = ()
    ) -> HttpAnswer | HeldRequest:
        body = b"" if document is None else json.dumps(document).encode()
        given = {name.lower() for name, _ in headers}
        own = [] if "authorization" in given else [("Authorization", f"Bearer {self.token(user)}")]
        own += [] if document is None or "content-type" in given else [("Content-Type", JSON)]
        return self.raw(method, target, body, (*own, *headers))

    def token(self, user: str = ADMIN) -> str:
        if user not in self.tokens:
            password = {ADMIN: PASSWORD, ACCOUNT.user: ACCOUNT.password}.get(user, STRONG)
            self.tokens[user] = self.login(user, password)["tokenId"]
        return self.tokens[user]

    def login(self, user: str, password: str) -> Any:
        body = json.dumps({"username": user, "password": password}).encode()
        return self.read(self.raw("POST", "/v1/authentication/user", body, (("Content-Type", JSON),)), 200)

    def done(self, method: str, target: str, document: Any = None, status: int = 0, **options: Any) -> Any:
        """It is accepted; gives the document, None for 204."""
        expected = status or {"POST": 201, "DELETE": 204}.get(method, 200)
        return self.read(self.send(method, target, document, **options), expected)

    def refused(self, method: str, target: str, document: Any = None, **options: Any) -> tuple[int, str]:
        """(status, Kapua's error code; empty without a body)"""
        answer = self.send(method, target, document, **options)
        assert answer.response.status >= 400, answer
        assert answer.reason, "the trace learns nothing"
        body = body_bytes(answer.response.body)
        return answer.response.status, json.loads(body).get("kapuaErrorCode", "") if body else ""

    @staticmethod
    def read(answer: HttpAnswer | HeldRequest, status: int) -> Any:
        assert isinstance(answer, HttpAnswer), answer
        body = body_bytes(answer.response.body)
        assert answer.response.status == status, (answer.response.status, body, answer.reason)
        return json.loads(body) if body else None

    # What tests need to be there

    def user(self, name: str, *permissions: dict[str, Any], scope: str = "acct", password: str = STRONG) -> str:
        """A user with a password and rights; gives its id."""
        scope_id = self.scope(scope)
        user_id: str = self.done("POST", f"/v1/{scope_id}/users", {"name": name})["id"]
        self.done("POST", f"/v1/{scope_id}/credentials", {"userId": user_id, "credentialKey": password})
        self.done("POST", f"/v1/{scope_id}/accessinfos", {"userId": user_id, "permissions": list(permissions)})
        return user_id

    def creator(self, client_id: str = "gw-1", **members: Any) -> dict[str, Any]:
        """A document that makes a provision request in `acct`."""
        return {
            "accountId": self.scope(),
            "clientId": client_id,
            "provisionUserUsername": f"boot-{client_id}",
            "provisionUserPassword": "secret",
            "generateActivationKey": False,
            "overwriteIfDuplicate": False,
            "retryMaxAttempts": 2,
            "provisionSecureURL": False,
            **members,
        }

    def request(self, client_id: str = "gw-1", **members: Any) -> Any:
        return self.done("POST", "/v2/provisionRequests", self.creator(client_id, **members))

    def connect(self, client_id: str = "gw-1", user: str = ACCOUNT.user) -> str:
        """A device that is connected and born; gives its id."""
        account = account_by_name(self.registry, "acct")
        found = user_by_name(self.registry, user)
        assert account is not None
        assert found is not None
        with self.store.transaction():
            connection = connected(self.registry, account, client_id, found, "127.0.0.1", "MQTT", self.now_us)
            return born(self.registry, account.id, client_id, {}, None, self.now_us, connection.id).id

    def answer(self, reply: KuraPayload) -> HttpAnswer:
        """What the device says to the last call."""
        return self.device.outcomes[-1].replied(reply)
