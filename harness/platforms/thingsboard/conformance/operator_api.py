"""ThingsBoard's REST API with one account: login, calls, pages (docs/contracts/thingsboard.md §4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import expect
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
ANY: Final = "*/*"
"""What to accept where the answer is a text: it is 406 for who wants JSON."""
PAGE: Final = 100
MOST_PAGES: Final = 1000


@dataclass(slots=True)
class Login:
    """An account, and the token of its session once there is one."""

    account: UserPassword
    token: str = field(default="", repr=False)


class OperatorApi:
    """Calls below `/api`."""

    def __init__(self, http: ExactClient, login: Login) -> None:
        self.http = http
        self.login = login

    def log_in(self) -> None:
        """Raises BrokenBench when the account is not accepted."""
        answer = self.say_log_in()
        if answer.status != 200:
            raise BrokenBench(f"{self.http.url} does not accept {self.login.account.user}: it answered {answer.status}")
        self.login.token = answer.json()["token"]

    def say_log_in(self) -> Answer:
        """The answer to the login, whatever it is."""
        account = self.login.account
        body = json.dumps({"username": account.user, "password": account.password}).encode()
        return self.http.call("POST", "/api/auth/login", JSON, body)

    def api(self, method: str, path: str, body: object = None, accept: str = "application/json") -> Answer:
        """As this account; logs in anew once its token has run out."""
        data = None if body is None else json.dumps(body).encode()
        if not self.login.token:
            self.log_in()
        answer = self._send(method, path, data, accept)
        if answer.status == 401:
            self.log_in()
            answer = self._send(method, path, data, accept)
        return answer

    def _send(self, method: str, path: str, data: bytes | None, accept: str) -> Answer:
        headers = {**JSON, "Accept": accept, "X-Authorization": f"Bearer {self.login.token}"}
        return self.http.call(method, f"/api{path}", headers, data)

    def asked(self, method: str, path: str, body: object = None) -> Any:
        """The document of an answer that has to be 200; None for an empty one."""
        answer = self.api(method, path, body)
        expect(f"status of {method} /api{path} ({answer.text[:200]})", 200, answer.status)
        return answer.json() if answer.body else None

    def remove(self, path: str) -> None:
        """DELETE; what is gone already is no mistake."""
        answer = self.api("DELETE", path)
        if answer.status != 404:
            expect(f"status of DELETE /api{path} ({answer.text[:200]})", 200, answer.status)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """What a list holds. `path` ends in `?` or `&`."""
        for number in range(MOST_PAGES):
            page = self.asked("GET", f"{path}pageSize={PAGE}&page={number}")
            yield from page["data"]
            if not page["hasNext"]:
                return


def id_of(document: Mapping[str, Any]) -> str:
    """The id of a device, a profile or whatever else has one."""
    return str(document["id"]["id"])
