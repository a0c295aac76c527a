"""Provisioning over CoAP (docs/contracts/thingsboard.md §1.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.exact_coap import ACK, CON, DELETE, GET, NON, POST, PUT
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    NOT_FOUND,
    PATH,
    as_bytes,
    expect_refused,
    expect_token,
    over_coap,
)
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "coap")
COAP: Final = ("coap",)
SLOW_S: Final = 1
TEXT: Final = 0
"""Content-Format of a JSON reply: text/plain."""


@ROWS.row("S71", "bad-request", "FAILURE and NOT_FOUND are 4.00 with the document, in Content-Format 0", needs=COAP)
def bad_request(client: RowClient) -> None:
    members = client.profile().members(client.name())
    endpoint = client.coap()
    made = endpoint.ask(POST, PATH, as_bytes(members))
    expect_token(over_coap(client, made))
    for request, refusal in ((members, FAILURE), ({**members, "provisionDeviceSecret": "wrong"}, NOT_FOUND)):
        answer = endpoint.ask(POST, PATH, as_bytes(request))
        expect_refused(over_coap(client, answer), refusal)
        expect("Content-Format", TEXT, answer.content_format)
    expect("Content-Format of SUCCESS", TEXT, made.content_format)


@ROWS.row("S72", "any-segment", "/api/v1/<anything>/provision is the same", needs=COAP)
def any_segment(client: RowClient) -> None:
    answer = client.coap().ask(POST, "/api/v1/abc/provision", as_bytes(client.profile().members(client.name())))
    expect_token(over_coap(client, answer))


@ROWS.row("S73", "methods", "GET is 4.00, PUT and DELETE are 4.05", needs=COAP)
def methods(client: RowClient) -> None:
    endpoint = client.coap()
    for method, code in ((GET, "4.00"), (PUT, "4.05"), (DELETE, "4.05")):
        answer = endpoint.ask(method, PATH)
        expect("code and payload", (code, b""), (answer.code, answer.payload))


@ROWS.row("S74", "separate", "While the decision takes longer than half a second, a request is acknowledged, and its "
          "reply comes separately", needs=("coap", "slow_store"))  # fmt: skip
def separate(client: RowClient) -> None:
    profile, name = client.profile(), client.name()
    with client.under_test.slow_store("POST coap:*/provision", SLOW_S):
        answer = client.coap().ask(POST, PATH, as_bytes(profile.members(name)))
    expect("whether an empty acknowledgement came first", True, answer.came_separately)
    expect("the type of the reply", CON, answer.type)
    expect_token(over_coap(client, answer))
    client.existing(name)


@ROWS.row("S99", "repeated", "A repeated message gets the same reply and makes one device; NON is answered by NON",
          needs=COAP)  # fmt: skip
def repeated(client: RowClient) -> None:
    endpoint, profile = client.coap(), client.profile()
    request = endpoint.request(POST, PATH, as_bytes(profile.members()))
    first, second = endpoint.exchange(request), endpoint.exchange(request)
    token = expect_token(over_coap(client, first))
    expect("the reply to the repetition", token, expect_token(over_coap(client, second)))
    expect("devices", 1, len(client.devices_of(profile.name)))
    if not first.came_separately:
        expect("the type of the reply", ACK, first.type)
    unconfirmed = endpoint.ask(POST, PATH, as_bytes(profile.members(client.name())), NON)
    expect("the type of the reply to a NON request", NON, unconfirmed.type)
    expect_token(over_coap(client, unconfirmed))
