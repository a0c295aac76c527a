"""The REST API with one account: sign-in, calls below `/v1` and `/v2`, lists (docs/contracts/kura.md §1.5, §5.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
SIGN_IN: Final = "/v1/authentication/user"
REQUESTS: Final = "/v2/provisionRequests"
CREATED: Final = (200, 201)
GONE: Final = (200, 204, 404)
PAGE: Final = 50
MOST_PAGES: Final = 1000


@dataclass(slots=True)
class SignIn:
    """An account, and the token of its session once there is one."""

    account: UserPassword
    token: str = field(default="", repr=False)
    scope_id: str = ""
    """Of the Kapua account to which the user belongs."""


class KapuaApi:
    """Calls of one user."""

    def __init__(self, http: ExactClient, sign_in: SignIn) -> None:
        self.http = http
        self.sign_in = sign_in

    def say_sign_in(self, user: str, password: str) -> Answer:
        """The answer to a sign-in, whatever it is."""
        body = json.dumps({"username": user, "password": password}).encode()
        return self.http.call("POST", SIGN_IN, JSON, body)

    def authenticate(self) -> None:
        """Raises BrokenBench when the account is not accepted."""
        account = self.sign_in.account
        answer = self.say_sign_in(account.user, account.password)
        if answer.status != 200:
            raise BrokenBench(f"{self.http.url} does not accept {account.user!r}: it answered {answer.status}")
        told = answer.json()
        self.sign_in.token, self.sign_in.scope_id = told["tokenId"], told["scopeId"]

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        """`/v1/…` as this user; signs in anew once its token has run out. Headers are written `content_type`."""
        data = document if isinstance(document, bytes) else None if document is None else json.dumps(document).encode()
        if not self.sign_in.token:
            self.authenticate()
        answer = self._send(method, path, data, headers)
        if answer.status == 401:
            self.authenticate()
            answer = self._send(method, path, data, headers)
        return answer

    def _send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        more = {name.replace("_", "-").title(): value for name, value in headers.items()}
        return self.http.call(method, path, {**JSON, **self.authorization, **more}, data)

    @property
    def scope_id(self) -> str:
        """Of the account to which this user belongs."""
        if not self.sign_in.scope_id:
            self.authenticate()
        return self.sign_in.scope_id

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.sign_in.token}"}

    def asked(self, method: str, path: str, document: object = None, *statuses: int) -> Any:
        """The document of an answer with one of these statuses (200); None for an empty one."""
        answer = self.call(method, path, document)
        expect_status(answer, *(statuses or (200,)))
        return answer.json() if answer.body else None

    def remove(self, path: str) -> None:
        """DELETE; what is gone already is no mistake."""
        expect_status(self.call("DELETE", path), *GONE)

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """What a list holds, over all pages. `path` ends in `?` or `&`."""
        for number in range(MOST_PAGES):
            page = self.asked("GET", f"{path}limit={PAGE}&offset={number * PAGE}")
            yield from page["items"]
            if not page["limitExceeded"]:
                return

    # -- what rows ask most

    def device(self, scope_id: str, client_id: str) -> dict[str, Any] | None:
        """The device of that client id, or None."""
        path = f"/v1/{scope_id}/devices?clientId={quote(client_id, safe='')}&"
        return next((one for one in self.items(path) if one["clientId"] == client_id), None)

    def connection(self, scope_id: str, client_id: str) -> dict[str, Any] | None:
        """The connection of that client id, or None."""
        path = f"/v1/{scope_id}/deviceconnections?clientId={quote(client_id, safe='')}&"
        return next((one for one in self.items(path) if one["clientId"] == client_id), None)

    def events(self, scope_id: str, device_id: str) -> list[dict[str, Any]]:
        return list(self.items(f"/v1/{scope_id}/devices/{device_id}/events?"))


def expect_status(answer: Answer, *statuses: int) -> None:
    if answer.status not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise Mismatch(Finding(f"{answer.request}: {wanted}", f"{answer.status} {answer.text[:200]}".strip()))
