"""The REST API as operators use it (docs/contracts/kura.md §5.5)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from fleetrig.harness.conformance.answer_reading import document
from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.kapua_api import CREATED, JSON, KapuaApi, SignIn, expect_status
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, new_password
from fleetrig.simulator.contract.identity import UserPassword

ROWS: Final[Resource[RowClient]] = Resource("kura", "operator")
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""base64url without its padding."""
WEAK: Final = (
    "Short-1!",
    "no-upper-case-1!",
    "NO-LOWER-CASE-1!",
    "No-digit-here!!",
    "NoSymbolHere123",
    "Aa1!" * 64 + "x",
)


def expect_error(answer: Answer, *statuses: int) -> None:
    """A refusal: JSON with a text that says why."""
    expect_status(answer, *statuses)
    expect_that(document(answer).get("message"), f"{answer.request}: JSON with a message", answer.text)


@ROWS.row("R01", "sign-in", "A sign-in gives token, scope and end; a wrong password, a wrong token and none are 401")
def sign_in(client: RowClient) -> None:
    account = client.under_test.account
    told = client.say_sign_in(account.user, account.password)
    expect_status(told, 200)
    for name in ("tokenId", "userId", "scopeId", "expiresOn", "refreshToken"):
        expect_that(told.json().get(name), f"{name} is there", sorted(told.json()))
    expect_status(client.say_sign_in(f"{client.name()}", new_password()), 401)
    path = f"/v1/{client.scope_id}/accounts"
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic bm86bm8="}):
        expect_status(client.http.call("GET", path, {"Accept": "application/json", **headers}), 401)


@ROWS.row("R02", "entities", "What is made has an id in base64url and is found by it; a second one of its name is 409, "
          "and what is deleted 404")  # fmt: skip
def entities(client: RowClient) -> None:
    users = f"/v1/{client.account().scope_id}/users"
    name = client.name("u")
    made = client.asked("POST", users, {"name": name, "status": "ENABLED"}, *CREATED)
    expect_that(ID.fullmatch(made["id"]), "an id in base64url", made["id"])
    expect("name", name, client.asked("GET", f"{users}/{made['id']}")["name"])
    expect_error(client.call("POST", users, {"name": name, "status": "ENABLED"}), 409)
    expect_status(client.call("DELETE", f"{users}/{made['id']}"), 200, 204)
    expect_error(client.call("GET", f"{users}/{made['id']}"), 404)


@ROWS.row("R03", "passwords", "A password has 12 to 255 characters, with upper and lower case, digit and symbol, else "
          "400")  # fmt: skip
def passwords(client: RowClient) -> None:
    scope = client.account().scope_id
    user = client.asked("POST", f"/v1/{scope}/users", {"name": client.name("u"), "status": "ENABLED"}, *CREATED)
    credential = {"userId": user["id"], "credentialType": "PASSWORD", "credentialStatus": "ENABLED"}
    for weak in WEAK:
        expect_error(client.call("POST", f"/v1/{scope}/credentials", {**credential, "credentialKey": weak}), 400)
    answer = client.call("POST", f"/v1/{scope}/credentials", {**credential, "credentialKey": "Good-Enough-12"})
    expect_status(answer, *CREATED)
    expect("the password in the answer", False, "Good-Enough-12" in answer.text)


@ROWS.row("R04", "rights", "Who has no right to something is 403, also in an account that is not his own")
def rights(client: RowClient) -> None:
    account, other = client.account(), client.account("b")
    user = client.user(account, ("device", "read"))
    api = KapuaApi(client.http, SignIn(UserPassword(user.name, user.password)))
    expect_status(api.call("GET", f"/v1/{account.scope_id}/devices"), 200)
    expect_status(api.call("GET", f"/v1/{account.scope_id}/users"), 403)
    expect_status(api.call("POST", f"/v1/{account.scope_id}/devices", {"clientId": client.name()}), 403)
    expect_status(api.call("GET", f"/v1/{other.scope_id}/devices"), 403)


@ROWS.row("R05", "pages", "Lists have 50 unless a limit is given, go on at an offset, and say whether there are more")
def pages(client: RowClient) -> None:
    users = f"/v1/{client.account().scope_id}/users"
    for _ in range(51):
        expect_status(client.call("POST", users, {"name": client.name("u"), "status": "ENABLED"}), *CREATED)
    for query, wanted in (("", (50, True)), ("?offset=50", (1, False)), ("?limit=51", (51, False))):
        found = client.asked("GET", users + query)
        counted = (len(found["items"]), found["limitExceeded"])
        expect(
            f"size and limitExceeded of {query or 'the first page'}", (*wanted, wanted[0]), (*counted, found["size"])
        )


@ROWS.row("R06", "devices", "A device that an operator made is found by its client id; a second one of it is 409, and "
          "so is an update with an old optlock")  # fmt: skip
def devices(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    path = f"/v1/{account.scope_id}/devices"
    made = client.asked("POST", path, {"clientId": client_id, "displayName": "one"}, *CREATED)
    found = client.device(account.scope_id, client_id)
    expect("the device of this client id", made["id"], found and found["id"])
    expect_error(client.call("POST", path, {"clientId": client_id}), 409)
    client.asked("PUT", f"{path}/{made['id']}", {**made, "displayName": "two"})
    expect_that(client.call("PUT", f"{path}/{made['id']}", {**made, "displayName": "three"}).status >= 400,
                "an update with an old optlock is refused", "it was made")  # fmt: skip
    expect("displayName", "two", client.asked("GET", f"{path}/{made['id']}")["displayName"])


@ROWS.row("R07", "unreadable", "What is no JSON, or has no name, is 400; an id that is none, or of nothing, 400 or 404")
def unreadable(client: RowClient) -> None:
    users = f"/v1/{client.account().scope_id}/users"
    for body in (b"{", b"[]", b"7", b"", json.dumps({"status": "ENABLED"}).encode(), b'{"name": 7}' * 2):
        expect_status(client.call("POST", users, body), 400)
    for path in (f"{users}/bm9ib2R5", "/v1/bm9ib2R5/users", f"{users}/%00", f"{users}/{'x' * 300}"):
        expect_status(client.call("GET", path), 400, 404)
    shown: list[dict[str, Any]] = list(client.items(f"{users}?"))
    expect("users of the account", [], shown)


@ROWS.row("R08", "tokens", "A token is good until it is logged out; refreshed, it is replaced by another")
def tokens(client: RowClient) -> None:
    user = client.user(client.account(), ("device", "read"))
    told = client.say_sign_in(user.name, user.password).json()
    document = {"tokenId": told["tokenId"], "refreshToken": told["refreshToken"]}
    renewed = client.http.call("POST", "/v1/authentication/refresh", JSON, json.dumps(document).encode())
    expect_status(renewed, 200)
    again = str(renewed.json()["tokenId"])
    expect_that(again != told["tokenId"], "another token", "the same")
    path = f"/v1/{client.account().scope_id}/devices"
    expect("the status with the old token", 401, as_bearer(client, "GET", path, told["tokenId"]).status)
    expect("the status with the new token", 200, as_bearer(client, "GET", path, again).status)
    expect_status(as_bearer(client, "POST", "/v1/authentication/logout", again), 200, 204)
    expect("the status after logout", 401, as_bearer(client, "GET", path, again).status)


def as_bearer(client: RowClient, method: str, path: str, token: str) -> Answer:
    return client.http.call(method, path, {**JSON, "Authorization": f"Bearer {token}"}, None)


@ROWS.row("R09", "queries", "Devices are counted and queried by their members")
def queries(client: RowClient) -> None:
    path = f"/v1/{client.account().scope_id}/devices"
    names = [client.name() for _ in range(3)]
    for name in names:
        client.asked("POST", path, {"clientId": name}, *CREATED)
    expect("how many there are", 3, client.asked("POST", f"{path}/_count", {})["count"])
    attribute = {"type": "attributePredicate", "attributeName": "clientId", "operator": "EQUAL"}
    query = {"predicate": {**attribute, "attributeValue": names[1]}, "limit": 50, "offset": 0}
    found = client.asked("POST", f"{path}/_query", query)
    expect("what is found", [names[1]], [one["clientId"] for one in found["items"]])
    expect("how many are found", 1, client.asked("POST", f"{path}/_count", query)["count"])
