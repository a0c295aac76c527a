"""Calls over REST that the gateway answers (docs/contracts/kura.md §2.5, §2.6, §3.2, §3.4, §3.6, §5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.audit import refusals_of
from fleetrig.harness.platforms.kura.conformance.control_requests import (
    CALL_TIMEOUT_S,
    ControlRequest,
    HeldCall,
    Managed,
    as_managed,
    managed,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import now_ms
from fleetrig.harness.platforms.kura.conformance.kapua_api import expect_status
from fleetrig.harness.platforms.kura.conformance.payload_bytes import Value, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "management")
NEEDS: Final = ("mqtt",)
DATA_SERVICE: Final = "org.eclipse.kura.data.DataService"
CONFIGURATIONS: Final = "CONF-V1/GET/configurations"
XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<esf:configurations xmlns:esf="http://eurotech.com/esf/2.0" xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0">
<esf:configuration pid="{DATA_SERVICE}"><esf:properties>
<esf:property array="false" encrypted="false" name="connect.retry-interval" type="Integer"><esf:value>61</esf:value>
</esf:property></esf:properties></esf:configuration></esf:configurations>""".encode()
"""One component with one property, as a gateway writes it."""
SNAPSHOTS: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<esf:snapshot-ids xmlns:esf="http://eurotech.com/esf/2.0"><esf:snapshotIds>11</esf:snapshotIds>
<esf:snapshotIds>22</esf:snapshotIds></esf:snapshot-ids>"""


def component(answered: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Of the one component that a call shows: id, its one property and that one's value."""
    [found] = answered["configuration"]
    [shown] = found["properties"]["property"]
    return found["id"], shown["name"], shown["value"]


@ROWS.row("M01", "configurations", "GET configurations asks CONF-V1, and gives what the gateway answers", needs=NEEDS)
def configurations(client: RowClient) -> None:
    gateway = managed(client)
    for rest, resource in (("", ""), (f"/{DATA_SERVICE}", f"/{DATA_SERVICE}")):
        call = HeldCall(client, "GET", f"{gateway.device}/configurations{rest}")
        gateway.answer(gateway.hear(f"{CONFIGURATIONS}{resource}"), body=XML)
        expect("the component", (DATA_SERVICE, "connect.retry-interval", ["61"]), component(call.expect_result()))


@ROWS.row("M02", "write", "PUT of a component sends its properties as XML with the prefix esf, and is 204 once the "
          "gateway has taken them", needs=NEEDS)  # fmt: skip
def write(client: RowClient) -> None:
    gateway = managed(client)
    shown = {"name": "connect.retry-interval", "array": False, "encrypted": False, "type": "Integer", "value": ["62"]}
    document = {"id": DATA_SERVICE, "properties": {"property": [shown]}}
    call = HeldCall(client, "PUT", f"{gateway.device}/configurations/{DATA_SERVICE}", document)
    request = gateway.hear(f"CONF-V1/PUT/configurations/{DATA_SERVICE}")
    text = request.content.body.decode("utf-8", "replace")
    for wanted in ("<esf:configurations", f'pid="{DATA_SERVICE}"', 'name="connect.retry-interval"', ">62<"):
        expect_that(wanted in text, f"the body of the request has {wanted}", text)
    gateway.answer(request)
    call.expect_result(200, 204)


@ROWS.row("M03", "errors", "What the gateway answers with 400, 404 or 500 is an error of the call, too", needs=NEEDS)
def errors(client: RowClient) -> None:
    gateway = managed(client)
    for code in (400, 404, 500):
        call = HeldCall(client, "GET", f"{gateway.device}/configurations")
        said = {"response.code": code, "response.exception.message": "a row wants it"}
        gateway.answer(gateway.hear(CONFIGURATIONS), said, XML)
        call.expect_failure(f"after response.code {code}")


@ROWS.row("S41", "unknown-codes", "A reply with another code than the four, or without one, is an error of protocol, "
          "and no success", needs=NEEDS)  # fmt: skip
def unknown_codes(client: RowClient) -> None:
    gateway = managed(client)
    odd: list[dict[str, Value]] = [{"response.code": 202}, {}, {"response.code": "200"}, {"response.code": -200}]
    for said in odd:
        call = HeldCall(client, "GET", f"{gateway.device}/configurations")
        gateway.answer(gateway.hear(CONFIGURATIONS), said, XML)
        call.expect_failure(f"after a reply with {said}")


@ROWS.row("M04", "unreadable-reply", "A reply that is no payload, or whose body is no XML, is an error of the call; "
          "the gateway's session goes on", needs=NEEDS)  # fmt: skip
def unreadable_reply(client: RowClient) -> None:
    gateway = managed(client)
    for data in (b"\xff\xff\xff", b"\x1f\x8bnot gzip", payload({"response.code": 200}, body=b"<no xml")):
        call = HeldCall(client, "GET", f"{gateway.device}/configurations")
        gateway.session.publish(gateway.hear(CONFIGURATIONS).reply_topic(), data)
        gateway.session.settle()
        call.expect_failure(f"after {data[:12].hex()}")


@ROWS.row("M05", "no-reply", "A call that the gateway does not answer is an error when its time has passed; a reply "
          "that comes later is ignored", needs=NEEDS)  # fmt: skip
def no_reply(client: RowClient) -> None:
    gateway = managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations?timeout=5000")
    request = gateway.hear(CONFIGURATIONS)
    client.under_test.let_pass(6)
    call.expect_failure("after 6 s with a timeout of 5 s")
    later = HeldCall(client, "GET", f"{gateway.device}/configurations")
    second = gateway.hear(CONFIGURATIONS)
    gateway.answer(request, body=XML.replace(b"61", b"99"))
    gateway.answer(second, body=XML)
    expect("what the second call gives", ["61"], component(later.expect_result())[2])


@ROWS.row("M06", "default-timeout", "Without a timeout a call waits 30 s for the gateway", needs=NEEDS)
def default_timeout(client: RowClient) -> None:
    gateway = managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    request = gateway.hear(CONFIGURATIONS)
    client.under_test.let_pass(CALL_TIMEOUT_S - 2)
    gateway.answer(request, body=XML)
    call.expect_result()
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    gateway.hear(CONFIGURATIONS)
    client.under_test.let_pass(CALL_TIMEOUT_S + 1)
    call.expect_failure("after 31 s without an answer")


@ROWS.row("M07", "not-connected", "A device that is not connected is 409 at once, one that is not there 404",
          needs=NEEDS)  # fmt: skip
def not_connected(client: RowClient) -> None:
    gateway = managed(client)
    gateway.session.disconnect()

    def look() -> None:
        expect_status(client.call("GET", f"{gateway.device}/configurations?timeout=1000"), 409)

    client.under_test.until(look)
    nobody = f"/v1/{client.account().scope_id}/devices/bm9ib2R5"
    expect_status(client.call("GET", f"{nobody}/configurations?timeout=1000"), 404)


def forge(rogue: Managed, request: ControlRequest, request_id: str) -> None:
    """A stranger answers in the gateway's place."""
    said = payload({"response.code": 200}, body=XML.replace(b"61", b"666"), timestamp_ms=now_ms())
    rogue.session.publish(request.reply_topic(request_id), said)
    rogue.session.settle()


@ROWS.row("S29", "forged", "A reply to an id that was guessed is ignored, and told; the true one is taken", needs=NEEDS)
def forged(client: RowClient) -> None:
    gateway, rogue = managed(client), managed(client)
    before = refusals_of(client, rogue.session.client_id)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    request = gateway.hear(CONFIGURATIONS)
    near = request.request_id[:-1] + ("0" if request.request_id[-1] != "0" else "1")
    for guess in (near, request.request_id[:-1], f"{request.request_id}0", "1", request.request_id.swapcase() + "x"):
        forge(rogue, request, guess)
    gateway.answer(request, body=XML)
    expect("what the call gives", ["61"], component(call.expect_result())[2])
    if not client.under_test.is_foreign:
        told = refusals_of(client, rogue.session.client_id) - before
        expect_that(told >= 5, "each forged reply is told", told)


@ROWS.row("M08", "forged-exactly", "A reply with the right id that comes from another gateway is ignored",
          needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def forged_exactly(client: RowClient) -> None:
    gateway, rogue = managed(client), managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    request = gateway.hear(CONFIGURATIONS)
    forge(rogue, request, request.request_id)
    gateway.answer(request, body=XML)
    expect("what the call gives", ["61"], component(call.expect_result())[2])


@ROWS.row("M09", "first-reply", "The first reply decides: a second one to the same request changes nothing, and does "
          "not answer the next call", needs=NEEDS)  # fmt: skip
def first_reply(client: RowClient) -> None:
    gateway = managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    request = gateway.hear(CONFIGURATIONS)
    gateway.answer(request, body=XML)
    gateway.answer(request, body=XML.replace(b"61", b"99"))
    expect("what the call gives", ["61"], component(call.expect_result())[2])
    second = HeldCall(client, "GET", f"{gateway.device}/configurations")
    later = gateway.hear(CONFIGURATIONS)
    gateway.answer(request, body=XML.replace(b"61", b"99"))
    gateway.answer(later, body=XML)
    expect("what the second call gives", ["61"], component(second.expect_result())[2])


@ROWS.row("M10", "ids", "Request ids are all different and cannot be guessed from the one before", needs=NEEDS)
def ids(client: RowClient) -> None:
    gateway = managed(client)
    found = []
    for _ in range(4):
        call = HeldCall(client, "GET", f"{gateway.device}/configurations")
        request = gateway.hear(CONFIGURATIONS)
        gateway.answer(request, body=XML)
        call.expect_result()
        found.append(request.request_id)
    expect("different ids", len(found), len(set(found)))
    for one, after in pairwise(found):
        differing = sum(a != b for a, b in zip(one, after, strict=False)) + abs(len(one) - len(after))
        expect_that(differing >= 8, f"ids differ in 8 characters at least ({one}, {after})", differing)


@ROWS.row("M11", "snapshots", "GET snapshots and a rollback ask CONF-V1 and give what the gateway answers", needs=NEEDS)
def snapshots(client: RowClient) -> None:
    gateway = managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/snapshots")
    gateway.answer(gateway.hear("CONF-V1/GET/snapshots"), body=SNAPSHOTS)
    text = json.dumps(call.expect_result())
    expect_that("11" in text and "22" in text, "the ids of the snapshots", text)
    call = HeldCall(client, "POST", f"{gateway.device}/snapshots/11/_rollback")
    gateway.answer(gateway.hear("CONF-V1/EXEC/rollback/11"))
    call.expect_result(200, 204)


@ROWS.row("M12", "packages", "A download asks DEPLOY-V2 with what the operator said", needs=NEEDS)
def packages(client: RowClient) -> None:
    gateway = managed(client)
    document = {"uri": "http://127.0.0.1:9/x.dp", "name": "x", "version": "1.0.0", "install": True}
    call = HeldCall(client, "POST", f"{gateway.device}/packages/_download", document)
    request = gateway.hear("DEPLOY-V2/EXEC/download")
    wanted = {"dp.uri": document["uri"], "dp.name": "x", "dp.version": "1.0.0"}
    expect("what was asked", wanted, {name: request.content.value(name) for name in wanted})
    expect_that("job.id" in request.content.metrics, "a job.id", sorted(request.content.metrics))
    gateway.answer(request)
    call.expect_result(200, 204)


@ROWS.row("S30", "after-birth", "The first request after BIRTH waits until the gateway has subscribed: 2 s, or it "
          "comes again; and the call succeeds", needs=NEEDS)  # fmt: skip
def after_birth(client: RowClient) -> None:
    account, session = client.account(), client.plain_gateway()
    session.birth()
    gateway = as_managed(client, account, session)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    client.existing_device(account, session.client_id)
    session.settle()
    client.under_test.let_pass(1)
    session.subscribe(session.control("#"))
    client.under_test.let_pass(2)
    gateway.answer(gateway.hear(CONFIGURATIONS), body=XML)
    call.expect_result()
