"""Kapua's REST API as an operator uses it: each call a generator of Asks, so it runs in virtual and real time.

The first call logs in; a token that has run out is renewed once (spec 5.5). Raises `BrokenBench` with the first cause.
What is asked of provision requests stands in `request_calls`, what is asked of devices in `device_management`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from fleetrig.harness.servers.first_answer import Sought
from fleetrig.harness.servers.http_admin import ADMIN_WITHIN_S, HttpAdmin
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Reply

SOUGHT: Final = Sought(
    "Kapua", "Kapua", "give the address of the REST API without /v1, not that of the console or the broker"
)

JsonDict = dict[str, Any]
PAGE: Final = 100
LOGIN: Final = "/v1/authentication/user"
LOGIN_WITHIN_S: Final = 30.0
TOKEN_ENDED: Final = 401
CONNECTS: Final = ({"domain": "broker", "action": "connect"},)
"""What a device user needs (spec 5.3)."""


class KuraAdmin(HttpAdmin):
    """An administrator's account on one server; `tenant` is the name of the account that it belongs to."""

    def __init__(self, url: str, account: UserPassword, tenant: str) -> None:
        super().__init__(url, account, tenant, sought=SOUGHT, api="")
        self.masks: Secrets | None = None
        """Learns the tokens of logins; a run sets it."""
        self.scope_id = ""
        """Of the account that the administrator belongs to; known once logged in."""
        self._token = ""

    @property
    def authorization(self) -> str:
        return f"Bearer {self._token}"

    def secrets(self) -> Iterator[tuple[str, str]]:
        yield "password", self.account.password

    def greet(self) -> AdminCall[None]:
        """Finds out at once whether there is a server that accepts the account. Raises BrokenBench."""
        yield from self.log_in()

    def log_in(self) -> AdminCall[None]:
        self._token = ""
        request = self.request("POST", LOGIN, {"username": self.account.user, "password": self.account.password})
        document = self.part((yield from self.first(request, LOGIN_WITHIN_S, "tokenId")), dict)
        self._token, self.scope_id = self.part(document, str, "tokenId"), self.part(document, str, "scopeId")
        if self.masks is not None:
            for kind in ("tokenId", "refreshToken"):
                if isinstance(secret := document.get(kind), str) and secret:
                    self.masks.learn("login-token", secret)

    def request(self, method: str, path: str, body: object = None, headers: Headers = ()) -> HttpRequest:
        own = super().request(method, path, body, headers)
        return own if self._token else _without_authorization(own)

    def send(self, request: HttpRequest, within_s: float = ADMIN_WITHIN_S) -> AdminCall[HttpResponse]:
        """A token that has run out is renewed, once."""
        if not self._token:
            yield from self.log_in()
        answer = yield Ask("admin", self._signed(request), within_s)
        if not isinstance(answer, Reply) or not isinstance(answer.envelope, HttpResponse):
            return (yield from super().send(self._signed(request), within_s))
        if answer.envelope.status != TOKEN_ENDED:
            return self.not_redirected(request, answer.envelope)
        yield from self.log_in()
        return (yield from super().send(self._signed(request), within_s))

    def _signed(self, request: HttpRequest) -> HttpRequest:
        plain = _without_authorization(request)
        headers = (("Authorization", self.authorization), *plain.headers)
        return HttpRequest(plain.method, plain.origin, plain.target, headers, plain.body)

    # -- what all kinds of records have in common

    def found(self, path: str, **query: str) -> AdminCall[JsonDict | None]:
        """The one record that fits; None where there is none."""
        items = yield from self.listed(path, **query)
        return items[0] if items else None

    def listed(self, path: str, **query: str) -> AdminCall[list[JsonDict]]:
        """All records that fit, page by page."""
        found: list[JsonDict] = []
        while True:
            asked = urlencode({**query, "offset": len(found), "limit": PAGE}, quote_via=quote)
            page = self.part((yield from self.call("GET", f"/v1/{path}?{asked}")), dict)
            items = [self.part(one, dict) for one in self.part(page, list, "items")]
            found += items
            if not items or page.get("limitExceeded") is not True:
                return found

    def count(self, path: str) -> AdminCall[int]:
        return self.part((yield from self.call("POST", f"/v1/{path}/_count", {})), int, "count")

    def create(self, path: str, document: Mapping[str, Any]) -> AdminCall[JsonDict]:
        return self.part((yield from self.call("POST", f"/v1/{path}", dict(document), expect=(200, 201))), dict)

    def change(self, path: str, members: Mapping[str, Any]) -> AdminCall[None]:
        """Read first, since an update carries all that was read, `optlock` too."""
        read = self.part((yield from self.call("GET", f"/v1/{path}")), dict)
        yield from self.call("PUT", f"/v1/{path}", {**read, **members}, expect=(200, 204))

    def delete(self, path: str) -> AdminCall[None]:
        """Harmless for what is not there."""
        yield from self.call("DELETE", f"/v1/{path}", expect=(200, 204, 404))

    # -- accounts

    def account_id(self, name: str) -> AdminCall[str | None]:
        """None where the administrator's account has no such child."""
        if not self.scope_id:
            yield from self.log_in()
        account = yield from self.found(f"{self.scope_id}/accounts", name=name)
        return None if account is None else self.part(account, str, "id")

    def create_account(self, name: str) -> AdminCall[str]:
        if not self.scope_id:
            yield from self.log_in()
        about = {"name": name, "organizationName": "fleetrig", "organizationEmail": "fleetrig@localhost"}
        return self.part((yield from self.create(f"{self.scope_id}/accounts", about)), str, "id")

    def configure(self, scope_id: str, service: str, properties: Mapping[str, Any]) -> AdminCall[None]:
        """Properties of a service of an account."""
        document = {"id": service, "properties": {"property": [property_of(*one) for one in properties.items()]}}
        yield from self.call("PUT", f"/v1/{scope_id}/serviceConfigurations/{service}", document, expect=(200, 204))

    # -- users

    def create_user(self, scope_id: str, name: str, password: str) -> AdminCall[str]:
        """One that may connect to the broker, with a password. Returns its id."""
        user = yield from self.create(f"{scope_id}/users", {"name": name, "userType": "INTERNAL", "status": "ENABLED"})
        user_id = self.part(user, str, "id")
        yield from self.create_password(scope_id, user_id, password)
        rights = [{**one, "targetScopeId": scope_id, "forwardable": False} for one in CONNECTS]
        yield from self.create(f"{scope_id}/accessinfos", {"userId": user_id, "permissions": rights, "roleIds": []})
        return user_id

    def create_password(self, scope_id: str, user_id: str, password: str) -> AdminCall[None]:
        secret = {"credentialType": "PASSWORD", "credentialKey": password, "credentialStatus": "ENABLED"}
        yield from self.create(f"{scope_id}/credentials", {"userId": user_id, **secret})

    def reset_password(self, scope_id: str, user_id: str, password: str) -> AdminCall[None]:
        path = f"/v1/{scope_id}/users/{user_id}/credentials/password/_reset"
        yield from self.call("POST", path, {"newPassword": password}, expect=(200, 204))

    def user(self, scope_id: str, name: str) -> AdminCall[JsonDict | None]:
        return (yield from self.found(f"{scope_id}/users", name=name))

    def credentials(self, scope_id: str, user_id: str) -> AdminCall[list[JsonDict]]:
        return (yield from self.listed(f"{scope_id}/credentials", userId=user_id))

    # -- devices and their connections

    def device(self, scope_id: str, client_id: str) -> AdminCall[JsonDict | None]:
        return (yield from self.found(f"{scope_id}/devices", clientId=client_id))

    def connection(self, scope_id: str, client_id: str) -> AdminCall[JsonDict | None]:
        return (yield from self.found(f"{scope_id}/deviceconnections", clientId=client_id))


def property_of(name: str, value: Any) -> JsonDict:
    """A property as JSON documents of Kapua have it: its values are text."""
    kinds = {bool: "Boolean", int: "Integer", float: "Double"}
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"name": name, "array": False, "encrypted": False, "type": kinds.get(type(value), "String"), "value": [text]}


def _without_authorization(request: HttpRequest) -> HttpRequest:
    headers = tuple(one for one in request.headers if one[0] != "Authorization")
    return HttpRequest(request.method, request.origin, request.target, headers, request.body)
