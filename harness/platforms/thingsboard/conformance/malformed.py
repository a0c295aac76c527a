"""Requests that cannot be read, and requests in protobuf (docs/contracts/thingsboard.md §1.5, §1.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    PATH,
    REQUEST,
    RESPONSE,
    as_bytes,
    ask,
    ask_mqtt,
    session,
)
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, without

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "malformed")
UNREADABLE: Final = ((4, 1, ("closed",)), (5, 1, ("PUBACK 0x99",)), (5, 0, ("DISCONNECT 0x99", "closed")))
UNFIT: Final = (
    (4, 1, ("PUBACK", "closed")),
    (4, 0, ("closed",)),
    (5, 1, ("PUBACK 0x83", "DISCONNECT 0x83", "closed")),
    (5, 0, ("DISCONNECT 0x83", "closed")),
)
"""(level, QoS, what comes) for what is neither JSON nor protobuf, and for documents that lack something."""
NOT_FOUND_BYTES: Final = b"\x08\x02"
TOKEN_BYTES: Final = re.compile(rb"\x08\x01\x1a\x14[A-Za-z0-9]{20}")


def expect_error(client: RowClient, request: bytes, status: int, code: int, secret: str = "") -> None:
    """Over HTTP: the error document, with no secret in it but in the text of a missing member (1.6)."""
    answer = client.http.call("POST", PATH, {"Content-Type": "application/json"}, request)
    expect(f"status of {request[:40]!r}", status, answer.status)
    document = answer.json()
    expect("the members of the error", ["errorCode", "message", "status", "timestamp"], sorted(document))
    expect("status and errorCode", (status, code), (document["status"], document["errorCode"]))
    if secret:
        expect_that(secret not in answer.text, "no secret in the error", "it is there")


def expect_on_each(client: RowClient, request: bytes, endings: Sequence[tuple[int, int, tuple[str, ...]]]) -> None:
    """500 over HTTP, 4.00 without payload over CoAP, and the endings over MQTT."""
    expect_error(client, request, 500, 2)
    if "coap" in client.transports:
        answer = client.coap().ask(exact_coap.POST, PATH, request)
        expect("code and payload over CoAP", ("4.00", b""), (answer.code, answer.payload))
    if "mqtt" not in client.transports:
        return
    for level, qos, lines in endings:
        connection = session(client, level)
        connection.publish(REQUEST, request, qos)
        lines = client.generation.ending(*lines)
        connection.expect_heard(f"after {request[:40]!r}, QoS {qos}, level {level}", *lines)
        if lines[-1] != "closed":
            connection.expect_open("after a request that cannot be read")


@ROWS.row("S28", "unknown-type", "An unknown credentialsType is an error of the transport, and no device is made")
def unknown_type(client: RowClient) -> None:
    name = client.name()
    for kind in ("FOO", "access_token"):
        expect_on_each(client, as_bytes(client.profile().members(name, credentialsType=kind)), UNFIT)
    expect("the device", None, client.device(name))


@ROWS.row("S32", "null", "A null in a known member is an error of the transport")
def null_member(client: RowClient) -> None:
    name = client.name()
    for members in ({"deviceName": None}, {"deviceName": name, "token": None}):
        expect_on_each(client, as_bytes({**client.profile().members(), **members}), UNFIT)
    expect("the device", None, client.device(name))


@ROWS.row("S33", "missing", "A missing key or secret is an error of the transport")
def missing(client: RowClient) -> None:
    members: dict[str, Any] = client.profile().members(client.name())
    for name in ("provisionDeviceKey", "provisionDeviceSecret"):
        expect_on_each(client, as_bytes(without(members, name)), UNFIT)


@ROWS.row("S34", "unreadable", "What is neither JSON nor protobuf is an error of the transport, and so is a list as a "
          "value")  # fmt: skip
def unreadable(client: RowClient) -> None:
    name = client.name()
    listed = as_bytes({**client.profile().members(), "deviceName": [name, name]})
    for request in (b"{", b"[]", b"hello", listed):
        expect_on_each(client, request, UNREADABLE)
    expect("the device", None, client.device(name))


@ROWS.row("S35", "empty", "An empty payload is an empty protobuf message: NOT_FOUND; over HTTP it is 400")
def empty(client: RowClient) -> None:
    expect_error(client, b"", 400, 31)
    expect_not_found(client, b"")


def expect_not_found(client: RowClient, request: bytes) -> None:
    """NOT_FOUND in protobuf."""
    if "coap" in client.transports:
        said = ask(client, "coap", request)
        expect("code and payload over CoAP", ("4.00", NOT_FOUND_BYTES), (said.code, said.body))
    if "mqtt" in client.transports:
        expect("the reply over MQTT", NOT_FOUND_BYTES, ask(client, "mqtt", request).body)


def field(number: int, value: bytes | str) -> bytes:
    """A member of a protobuf message: text, or a message."""
    data = value.encode() if isinstance(value, str) else value
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def in_protobuf(members: dict[str, Any]) -> bytes:
    """Name, key and secret."""
    key, secret = members["provisionDeviceKey"], members["provisionDeviceSecret"]
    return field(1, members["deviceName"]) + field(3, field(1, key) + field(2, secret))


@ROWS.row("S36", "protobuf", "A request in protobuf gets a reply in protobuf")
def protobuf(client: RowClient) -> None:
    for over in client.transports[1:]:
        name = client.name()
        said = ask(client, over, in_protobuf(client.profile().members(name)))
        expect(f"Content-Format over {over}", None, said.content_format)
        expect_that(TOKEN_BYTES.fullmatch(said.body), "08 01 1a 14 and a token", said.body.hex())
        client.existing(name)


@ROWS.row("S37", "protobuf-unknown", "An unknown key in protobuf is 08 02")
def protobuf_unknown(client: RowClient) -> None:
    members = {"deviceName": "", "provisionDeviceKey": client.name("k"), "provisionDeviceSecret": "x"}
    expect_not_found(client, in_protobuf(members))


@ROWS.row("S93", "protobuf-stays", "Once asked in protobuf, a session answers JSON in protobuf, too", needs=("mqtt",))
def protobuf_stays(client: RowClient) -> None:
    connection = session(client)
    for request in (
        in_protobuf(client.profile().members(client.name())),
        as_bytes(client.profile().members(client.name())),
    ):
        said = ask_mqtt(connection, request)
        expect_that(TOKEN_BYTES.fullmatch(said.body), f"a token in protobuf on {RESPONSE}", said.body.hex())
