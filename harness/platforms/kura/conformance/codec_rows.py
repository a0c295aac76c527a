"""Payloads that a server has to read, or to survive (docs/contracts/kura.md §2.3, §2.4).

Each is a BIRTH: what a server made of it is what the registry shows of the device.
"""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.control_requests import HeldCall, managed
from fleetrig.harness.platforms.kura.conformance.gateway_session import BIRTH, GatewaySession, now_ms
from fleetrig.harness.platforms.kura.conformance.lifecycle import SHOWN
from fleetrig.harness.platforms.kura.conformance.payload_bytes import (
    EIGHT_BYTES,
    FLOAT,
    GZIP,
    INT64,
    LENGTH,
    METRIC,
    NAME,
    POSITION,
    STRING,
    TYPE,
    VARINT,
    Value,
    compressed,
    metric,
    numbered,
    payload,
    unpacked,
    value_field,
    varint,
)
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "payload")
NEEDS: Final = ("mqtt",)
MOST_BYTES: Final = 16 << 20
"""That a gateway publishes."""
LATER_MS: Final = 60_000
EVERY_TYPE: Final = (
    metric("d", 1.5), metric("f", 1.5, FLOAT), metric("l", -1, INT64), metric("i", -1), metric("b", True),
    metric("y", b"\x00\xff"),
)  # fmt: skip
AT_46_13: Final = numbered(POSITION, LENGTH, bytes.fromhex("090000000000004740110000000000002a40"))
"""The position of the golden vector."""
EXTENSIONS: Final = (
    numbered(10, VARINT, varint(7)) + numbered(4000, LENGTH, b"unknown") + numbered(6000, VARINT, b"\x01")
)


def say(gateway: GatewaySession, data: bytes) -> None:
    """These bytes as BIRTH; the session goes on."""
    gateway.publish(gateway.control("MQTT/BIRTH"), data, 1)
    gateway.expect_nothing("after BIRTH")


def births(serial: str, *more: bytes, **changes: Value) -> bytes:
    """A BIRTH with this serial number, of a little later than any other: of an older one nothing would be taken."""
    return payload({**BIRTH, "serial_number": serial, **changes}, *more, timestamp_ms=now_ms() + LATER_MS)


def expect_read(client: RowClient, what: str, data: bytes, serial: str) -> dict[str, Any]:
    """A new gateway says these bytes, and its device has this serial number then."""
    gateway = client.plain_gateway()
    say(gateway, data)
    found = client.existing_device(client.account(), gateway.client_id)
    expect(f"{what}: serialNumber", serial, found.get("serialNumber"))
    return found


def expect_unread(client: RowClient, what: str, data: bytes) -> None:
    """A gateway that is born says these bytes, and nothing of them is taken."""
    gateway = client.plain_gateway()
    gateway.birth()
    before = client.existing_device(client.account(), gateway.client_id)
    say(gateway, data)
    after = client.existing_device(client.account(), gateway.client_id)
    for name in ("serialNumber", "firmwareVersion"):
        if after.get(name) not in (before[name], None, ""):
            expect(f"{what}: {name}", before[name], after[name])
    gateway.settle()


@ROWS.row("C01", "every-type", "A payload with a metric of each type, a position and a body is read", needs=NEEDS)
def every_type(client: RowClient) -> None:
    data = births("SN-C01", *EVERY_TYPE, AT_46_13, numbered(5001, LENGTH, b"\x01\x02"))
    found = expect_read(client, "every type", data, "SN-C01")
    shown = {name: found.get(name) for name in SHOWN if name != "serialNumber"}
    wanted = {name: BIRTH[one] for name, one in SHOWN.items() if name != "serialNumber"}
    expect("the rest of the device", wanted, shown)


@ROWS.row("C02", "any-order", "The order of metrics, and of fields, means nothing", needs=NEEDS)
def any_order(client: RowClient) -> None:
    values = {**BIRTH, "serial_number": "SN-C02"}
    backwards = b"".join(metric(name, value) for name, value in reversed(values.items()))
    data = numbered(5001, LENGTH, b"body") + backwards + AT_46_13 + numbered(1, VARINT, varint(now_ms()))
    expect_read(client, "backwards", data, "SN-C02")


@ROWS.row("C03", "extensions", "Fields that nobody knows, in the range of extensions and beyond, are ignored",
          needs=NEEDS)  # fmt: skip
def extensions(client: RowClient) -> None:
    expect_read(client, "with unknown fields", EXTENSIONS + births("SN-C03", EXTENSIONS), "SN-C03")


def odd_metric(*members: bytes) -> bytes:
    return numbered(METRIC, LENGTH, b"".join(members))


@ROWS.row("C04", "odd-metrics", "A metric of type 99, without type or without name makes the whole payload unreadable; "
          "one without a value is empty, and the rest is read", needs=NEEDS)  # fmt: skip
def odd_metrics(client: RowClient) -> None:
    name, kind, value = numbered(NAME, LENGTH, b"odd"), numbered(TYPE, VARINT, b"\x05"), value_field(STRING, "x")
    for what, odd in (
        ("type 99", odd_metric(name, numbered(TYPE, VARINT, varint(99)), value)),
        ("no type", odd_metric(name, value)),
        ("no name", odd_metric(kind, value)),
        ("no longitude", numbered(POSITION, LENGTH, numbered(1, EIGHT_BYTES, bytes(8)))),
    ):
        expect_unread(client, what, births("SN-BAD", odd, firmware_version="BAD"))
    found = expect_read(client, "no value", births("SN-C04", odd_metric(name, kind)), "SN-C04")
    expect("firmwareVersion", BIRTH["firmware_version"], found["firmwareVersion"])


@ROWS.row("C05", "gzip", "A payload in gzip is read; what begins like gzip and is none harms nobody", needs=NEEDS)
def gzip(client: RowClient) -> None:
    expect_read(client, "in gzip", compressed(births("SN-C05")), "SN-C05")
    packed = compressed(births("SN-BAD", firmware_version="BAD"))
    for what, data in (
        ("no gzip", GZIP + b"is no gzip"), ("two bytes", GZIP), ("cut off", packed[: len(packed) // 2]),
    ):  # fmt: skip
        expect_unread(client, what, data)


@ROWS.row("C06", "gzip-if-shorter", "What a server sends is plain, or in gzip that is shorter than plain", needs=NEEDS)
def gzip_if_shorter(client: RowClient) -> None:
    gateway = managed(client)
    call = HeldCall(client, "GET", f"{gateway.device}/configurations")
    request = gateway.hear("CONF-V1/GET/configurations")
    sent, plain = request.message.payload, unpacked(request.message.payload)
    expect_that(sent == plain or len(sent) < len(plain), "no gzip that is longer than plain", (len(sent), len(plain)))
    gateway.answer(request, {"response.code": 404})
    call.expect_failure("after 404")


@ROWS.row("C07", "no-payload", "An empty payload, random bytes and text harm nobody", needs=NEEDS)
def no_payload(client: RowClient) -> None:
    for what, data in (
        ("empty", b""), ("random bytes", bytes.fromhex("ff00a8137f5e9912c0de")), ("text", b"hello"),
        ("a field that is cut off", births("SN-BAD", firmware_version="BAD")[:-3]),
    ):  # fmt: skip
        expect_unread(client, what, data)


@ROWS.row("C08", "json", "A BIRTH in JSON is not read, or read as what it says; it harms nobody",
          needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def json_birth(client: RowClient) -> None:
    gateway = client.plain_gateway()
    say(gateway, b'{"sentOn":1700000000000,"metrics":{"serial_number":"SN-C08","display_name":"json"}}')
    found = client.device(client.account().scope_id, gateway.client_id) or {}
    expect_that(found.get("serialNumber") in (None, "", "SN-C08"), "serialNumber", found.get("serialNumber"))
    gateway.birth()
    found = client.existing_device(client.account(), gateway.client_id)
    expect("serialNumber after a BIRTH in protobuf", "SN-ROW-1", found["serialNumber"])


@ROWS.row("C09", "too-large", "A message of 16 MiB is taken; one of a byte more is not: it is not heard of, or its "
          "connection ends; others go on", needs=NEEDS)  # fmt: skip
def too_large(client: RowClient) -> None:
    other, gateway, largest = (client.plain_gateway() for _ in range(3))
    largest.publish(largest.control("MQTT/BIRTH"), of_size("SN-LARGE", MOST_BYTES), 1)
    heard = largest.connection.hear().line
    client.inferred("what BIRTH with 16,777,216 bytes is answered", "PUBACK", heard.partition(" ")[0])
    gateway.publish(gateway.control("MQTT/BIRTH"), of_size("SN-BAD", MOST_BYTES + 1), 1)
    try:
        gateway.settle()
    except Mismatch as ended:
        expect_that("closed" in ended.finding.got, "the connection goes on, or is closed", ended.finding.got)
    other.expect_nothing("after a message that is too large")
    expect("the device", None, client.device(client.account().scope_id, gateway.client_id))


def of_size(serial: str, size_bytes: int) -> bytes:
    """A BIRTH with a body that makes it as large as that."""
    around = len(births(serial, numbered(5001, LENGTH, bytes(MOST_BYTES >> 1)))) - (MOST_BYTES >> 1)
    return births(serial, numbered(5001, LENGTH, bytes(size_bytes - around)))


@ROWS.row("C10", "gzip-bomb", "A payload that unpacks to more than 16 MiB is not taken, and harms nobody", needs=NEEDS)
def gzip_bomb(client: RowClient) -> None:
    expect_unread(client, "a bomb", compressed(births("SN-BAD", numbered(5001, LENGTH, bytes(MOST_BYTES + 1)),
                                                      firmware_version="BAD")))  # fmt: skip
