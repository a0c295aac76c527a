"""Provision requests over REST (docs/contracts/kura.md §1.5): made, changed, listed, refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.dialogue import bootstrap, expect_error, expect_material
from fleetrig.harness.platforms.kura.conformance.kapua_api import CREATED, REQUESTS, expect_status
from fleetrig.harness.platforms.kura.conformance.row_client import EVERYTHING, RowClient, RowRequest, new_password
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "request")
NEEDS: Final = ("provisioning",)
WITH_GATEWAY: Final = ("mqtt", "provisioning")
KEY_CHARACTERS: Final = 32
DEFAULT_LIMIT: Final = 50
FOR_EVER_MS: Final = 4_102_444_800_000
REQUIRED: Final = ("id", "accountId", "createdBy", "modifiedBy", "provisionUserId", "optlock", "provisionSecureURL")
CONFIGURATION: Final = {"type": "CONFIGURATION", "name": "configuration", "content": "PGEvPg=="}


def bundle(number: int) -> dict[str, Any]:
    """One of the attachments that are installed."""
    return {"type": "BUNDLE", "name": f"b{number}", "version": "1.0.0", "uri": f"http://127.0.0.1:9/b{number}.dp"}


def create(client: RowClient, **members: Any) -> Answer:
    """The answer to a request that may be refused; its client id is new unless it is given."""
    client_id = members.pop("clientId", None) or client.name()
    return client.call("POST", REQUESTS, client.creator(client.account(), client_id, **members))


def listed(client: RowClient, query: Sequence[tuple[str, object]] = ()) -> dict[str, Any]:
    """The list of the row's own account."""
    asked = urlencode([("accountId", client.account().scope_id), *query])
    return dict(client.asked("GET", f"{REQUESTS}?{asked}"))


def ids_of(found: dict[str, Any]) -> list[str]:
    return sorted(one["clientId"] for one in found["provisionRequest"])


@ROWS.row("S23", "duplicate", "Profile: a second request for a client id is refused, unless it says "
          "overwriteIfDuplicate: then it takes the place of the first, whose activation key is void",
          needs=WITH_GATEWAY)  # fmt: skip
def duplicate(client: RowClient) -> None:
    first = client.request(generateActivationKey=True)
    expect_status(create(client, clientId=first.client_id), 400, 409)
    expect_material(bootstrap(client, first).request(activation_key=first.activation_key))
    second = client.request(client_id=first.client_id, generateActivationKey=True, overwriteIfDuplicate=True)
    expect("the requests of this client id", [first.client_id], ids_of(listed(client)))
    provisioning = bootstrap(client, second)
    expect_error(provisioning.request(activation_key=first.activation_key), 400, "BAD_ACTIVATION_KEY")
    expect_material(provisioning.request(activation_key=second.activation_key))


@ROWS.row("S24", "impossible", "What activates no earlier than it expires, has two configurations or eleven "
          "attachments is refused with 400, and nothing is made", needs=NEEDS)  # fmt: skip
def impossible(client: RowClient) -> None:
    expect_status(create(client, activatesOn=FOR_EVER_MS, expiresOn=FOR_EVER_MS), 400)
    expect_status(create(client, activatesOn=FOR_EVER_MS + 1, expiresOn=FOR_EVER_MS), 400)
    expect_status(create(client, provisionAttachments=[CONFIGURATION, CONFIGURATION]), 400)
    expect_status(create(client, provisionAttachments=[CONFIGURATION, *map(bundle, range(10))]), 400)
    expect_status(create(client, provisionAttachments=[*map(bundle, range(10))]), 400)
    expect("the requests of the account", [], ids_of(listed(client)))
    expect_status(create(client, provisionAttachments=[CONFIGURATION, *map(bundle, range(9))]), *CREATED)


@ROWS.row("S25", "activation-keys", "Activation keys that are generated have 32 characters and are all different; none "
          "is told anywhere else", needs=NEEDS)  # fmt: skip
def activation_keys(client: RowClient) -> None:
    keys = []
    for _ in range(client.under_test.crowd):
        answer = create(client, generateActivationKey=True)
        expect_status(answer, *CREATED)
        keys.append(answer.json()["activationKey"])
    expect("the lengths of the keys", {KEY_CHARACTERS}, set(map(len, keys)))
    expect("different keys", len(keys), len(set(keys)))
    if client.under_test.control is not None:
        told = client.under_test.control.call("GET", "/trace?limit=1000").text
        expect("keys in the trace", [], [number for number, key in enumerate(keys, 1) if key in told])
    answer = create(client)
    expect("a key that nobody asked for", "", answer.json().get("activationKey") or "")


@ROWS.row("S26", "stale", "An update with an old optlock is refused with 409, and changes nothing", needs=NEEDS)
def stale(client: RowClient) -> None:
    request = client.request()
    path = f"{REQUESTS}/{request.id}?accountId={request.account.scope_id}"
    now = client.request_document(request)
    client.asked("PUT", path, {**now, "status": "DISABLED"}, 200, 204)
    expect_status(client.call("PUT", path, {**now, "status": "ENABLED"}), 409)
    changed = client.request_document(request)
    expect("status", "DISABLED", changed["status"])
    expect_that(changed["optlock"] > now["optlock"], "optlock has grown", changed["optlock"])


def jobs_by_status(client: RowClient) -> tuple[RowRequest, RowRequest, RowRequest]:
    """One request whose job is CREATED, one whose job runs, one that was disabled."""
    created, running, disabled = client.request(), client.request(), client.request()
    expect_material(bootstrap(client, running).request())
    now = client.request_document(disabled)
    path = f"{REQUESTS}/{disabled.id}?accountId={disabled.account.scope_id}"
    client.asked("PUT", path, {**now, "status": "DISABLED"}, 200, 204)
    return created, running, disabled


@ROWS.row("S27", "list", "Profile: a list is filtered by activity period, else by client ids, else by job statuses; it "
          "has 50 unless a limit is given, and says whether there are more", needs=WITH_GATEWAY)  # fmt: skip
def list_(client: RowClient) -> None:
    created, running, disabled = jobs_by_status(client)
    every = sorted(one.client_id for one in (created, running, disabled))
    expect("without a filter", every, ids_of(listed(client)))
    by_client = [("clientIDs", created.client_id), ("clientIDs", running.client_id)]
    expect("two client ids", every_of(created, running), ids_of(listed(client, by_client)))
    status = client.job(running)["status"]
    expect(f"statuses {status}", [running.client_id], ids_of(listed(client, [("statuses", status)])))
    both = [("statuses", status), ("clientIDs", created.client_id)]
    expect("client ids before statuses", [created.client_id], ids_of(listed(client, both)))
    period = [("startDate", 1), ("endDate", FOR_EVER_MS), *both]
    expect("a period before all else", every, ids_of(listed(client, period)))
    long_ago = [("startDate", 1), ("endDate", 2), *both]
    dated = client.request(activatesOn=FOR_EVER_MS - 10, expiresOn=FOR_EVER_MS)
    expect_that(dated.client_id not in ids_of(listed(client, long_ago)), "nothing of later is in a period of long ago",
                ids_of(listed(client, long_ago)))  # fmt: skip


@ROWS.row("P03", "pages", "Lists have 50 unless a limit is given, go on at an offset, and say whether there are more",
          needs=NEEDS)  # fmt: skip
def pages(client: RowClient) -> None:
    for _ in range(DEFAULT_LIMIT + 1):
        expect_status(create(client), *CREATED)
    found = listed(client)
    expect("how many, and whether there are more", (DEFAULT_LIMIT, True), counted(found))
    rest = listed(client, [("offset", DEFAULT_LIMIT)])
    expect("how many behind them, and whether there are more", (1, False), counted(rest))
    expect("different ones", DEFAULT_LIMIT + 1, len({*ids_of(found), *ids_of(rest)}))
    expect("with a limit of 51", (DEFAULT_LIMIT + 1, False), counted(listed(client, [("limit", DEFAULT_LIMIT + 1)])))
    expect("with a limit of 1", (1, True), counted(listed(client, [("limit", 1)])))


def counted(found: dict[str, Any]) -> tuple[int, bool]:
    return len(found["provisionRequest"]), found["limitExceeded"]


def every_of(*requests: RowRequest) -> list[str]:
    return sorted(one.client_id for one in requests)


@ROWS.row("P04", "form", "A request that was made has the members that the page says, its dates in milliseconds, a job "
          "that is CREATED, and never the password", needs=NEEDS)  # fmt: skip
def form(client: RowClient) -> None:
    request = client.request(activatesOn=1_000, expiresOn=FOR_EVER_MS, retryMaxAttempts=7, generateActivationKey=True)
    for document in (request.document, client.request_document(request)):
        missing = [name for name in REQUIRED if document.get(name) in (None, "")]
        expect("members without a value", [], missing)
        expect("dates", (1_000, FOR_EVER_MS), (document["activatesOn"], document["expiresOn"]))
        expect("status", "ENABLED", document["status"])
        expect("accountId", request.account.scope_id, document["accountId"])
        job = document["provisionJob"]
        expect("the job", ("CREATED", 0, 7), (job["status"], job["retryCount"], job["retryMaxAttempts"]))
        expect("the password in it", False, request.password in json.dumps(document))


@ROWS.row("P05", "unreadable", "What is no JSON, lacks a member that is required or has one of another type is 400",
          needs=NEEDS)  # fmt: skip
def unreadable(client: RowClient) -> None:
    creator = client.creator(client.account(), client.name())
    whole = json.dumps(creator).encode()
    for body in (b"", b"{", b"[]", b"7", whole[:-1], b"\xff" + whole):
        expect_status(client.call("POST", REQUESTS, body), 400)
    for name in ("provisionUserUsername", "provisionUserPassword", "clientId"):
        expect_status(client.call("POST", REQUESTS, {k: v for k, v in creator.items() if k != name}), 400)
    for wrong in ({"activatesOn": "soon"}, {"retryMaxAttempts": "many"}, {"provisionAttachments": 3}):
        expect_status(client.call("POST", REQUESTS, {**creator, **wrong}), 400)
    expect("the requests of the account", [], ids_of(listed(client)))
    expect_status(client.call("GET", f"{REQUESTS}/bm9ib2R5?accountId={client.account().scope_id}"), 404)


@ROWS.row("P06", "xml", "The same request in XML, in the namespace http://eurotech.com/edc/2.0, is made and shown in "
          "XML; entities are not followed", needs=NEEDS)  # fmt: skip
def xml(client: RowClient) -> None:
    kind = {"content_type": "application/xml", "accept": "application/xml"}
    creator = client.creator(client.account(), client.name())
    answer = client.call("POST", REQUESTS, as_xml(creator), **kind)
    expect_status(answer, *CREATED)
    for wanted in ("http://eurotech.com/edc/2.0", creator["clientId"], "CREATED"):
        expect_that(wanted in answer.text, f"the answer has {wanted}", answer.text)
    evil = as_xml({**creator, "clientId": "&e;"}, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')
    expect_status(client.call("POST", REQUESTS, evil, **kind), 400)
    expect("the requests of the account", [creator["clientId"]], ids_of(listed(client)))


@ROWS.row("P13", "basic", "Provision requests are shown to who signs in by HTTP Basic, too, and to nobody else",
          needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def basic(client: RowClient) -> None:
    account = client.account()
    user, path = client.user(account, EVERYTHING), f"{REQUESTS}?accountId={account.scope_id}"
    statuses = []
    for password in (user.password, new_password()):
        credentials = base64.b64encode(f"{user.name}:{password}".encode()).decode()
        headers = {"Accept": "application/json", "Authorization": f"Basic {credentials}"}
        statuses.append(client.http.call("GET", path, headers).status)
    expect("the right password, and a wrong one", [200, 401], statuses)


def as_xml(creator: dict[str, Any], head: str = "") -> bytes:
    """A creator as an XML document; its values stand as they are."""
    members = "".join(f"<{name}>{text_of(value)}</{name}>" for name, value in creator.items())
    root = "provisionRequestCreator"
    return f'<?xml version="1.0"?>{head}<{root} xmlns="http://eurotech.com/edc/2.0">{members}</{root}>'.encode()


def text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
