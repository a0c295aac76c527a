"""Looks at a server over REST: accounts, provision requests, users, connections, devices. All of it only reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.platforms.kura.doctor.records import Document
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.contract.identity import UserPassword

PAGE: Final = 50
MOST_RECORDS: Final = 1_000
MOST_ACCOUNTS: Final = 50
"""Accounts whose provision requests are listed: each is asked by itself."""
LOG_IN: Final = "/v1/authentication/user"
LOG_OUT: Final = "/v1/authentication/logout"
REQUESTS: Final = "/v2/provisionRequests"
LISTS: Final = ("items", "provisionRequest")
JSON: Final = {"Accept": "application/json", "Content-Type": "application/json"}


class NoServer(Exception):
    """Nothing can be looked at; `str()` says why."""


class RestView:
    """With an account. Raises BrokenBench when there is no answer, NoServer when it is of no use."""

    def __init__(self, client: ExactClient, account: UserPassword) -> None:
        self._client, self._account = client, account
        self._token = ""
        self.scope_id = ""
        """Of the account that the operator belongs to."""

    def greet(self) -> None:
        """Signs in. Raises NoServer."""
        body = json.dumps({"username": self._account.user, "password": self._account.password}).encode()
        answer = self._client.call("POST", LOG_IN, JSON, body)
        found = _document(answer)
        if answer.status == 401:
            raise NoServer("the server does not take the account: give --user NAME --password env:NAME")
        if answer.status != 200 or not isinstance(found.get("tokenId"), str):
            raise NoServer(f"POST {LOG_IN} answers {answer.status}, which no Kapua does: is that its REST interface?")
        self._token, self.scope_id = str(found["tokenId"]), str(found.get("scopeId") or "")

    def leave(self) -> None:
        """Gives the token back."""
        if self._token:
            self._client.call("POST", LOG_OUT, self._headers(), b"")

    def one(self, path: str) -> Document | None:
        """A document; None where there is none, or the account may not see it."""
        answer = self._client.call("GET", path, self._headers())
        return _document(answer) if answer.status == 200 else None

    def listed(self, path: str, query: Mapping[str, str] | None = None) -> tuple[list[Document], bool] | None:
        """And whether these are all; None where the account may not see them, or the server has no such thing."""
        found: list[Document] = []
        while len(found) < MOST_RECORDS:
            asked = urlencode({**(query or {}), "offset": len(found), "limit": PAGE}, quote_via=quote)
            answer = self._client.call("GET", f"{path}?{asked}", self._headers())
            if answer.status != 200:
                return (found, False) if found else None
            page = _document(answer)
            items: list[Any] = next((page[name] for name in LISTS if isinstance(page.get(name), list)), [])
            new = [one for one in items if isinstance(one, dict)]
            found += new
            if not new or page.get("limitExceeded") is not True:
                return found, True
        return found, False

    def _headers(self) -> dict[str, str]:
        return {**JSON, "Authorization": f"Bearer {self._token}"}


def properties_of(document: Document | None) -> dict[str, str]:
    """Name -> first value, of a service's configuration in either form in which it is shown."""
    return dict(_properties(document or {}))


def _properties(document: Document) -> Iterator[tuple[str, str]]:
    listed = document.get("configuration")
    for one in listed if isinstance(listed, list) else [document]:
        holder = one.get("properties") if isinstance(one, dict) else None
        found = holder.get("property") if isinstance(holder, dict) else None
        for each in found if isinstance(found, list) else ():
            value = each.get("value") if isinstance(each, dict) else None
            if isinstance(value, list) and value:
                yield str(each.get("name")), str(value[0])


def _document(answer: Answer) -> dict[str, Any]:
    """Empty for what is no JSON object."""
    try:
        found = read_json(answer.body)
    except NotJson:
        return {}
    return found if isinstance(found, dict) else {}
