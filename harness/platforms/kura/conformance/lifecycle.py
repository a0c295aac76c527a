"""BIRTH, DC, LWT and what the registry says then (docs/contracts/kura.md §2.2, §5.1, §5.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.gateway_session import BIRTH, GatewaySession, now_ms
from fleetrig.harness.platforms.kura.conformance.isolation import MANAGES
from fleetrig.harness.platforms.kura.conformance.payload_bytes import payload
from fleetrig.harness.platforms.kura.conformance.row_client import DEVICES, RowAccount, RowClient
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("kura", "lifecycle")
NEEDS: Final = ("mqtt",)
CONNECTED, DISCONNECTED, MISSING = "CONNECTED", "DISCONNECTED", "MISSING"
KEEP_ALIVE_S: Final = 30
NOTICED_WITHIN_S: Final = 45
SHOWN: Final = {
    "serialNumber": "serial_number",
    "modelId": "model_id",
    "modelName": "model_name",
    "displayName": "display_name",
    "firmwareVersion": "firmware_version",
    "biosVersion": "bios_version",
    "osVersion": "os_version",
    "applicationFrameworkVersion": "application_framework_version",
    "connectionInterface": "connection_interface",
    "connectionIp": "connection_ip",
    "acceptEncoding": "accept_encoding",
    "applicationIdentifiers": "application_ids",
}
"""Member of a device -> metric of BIRTH."""


def watcher(client: RowClient, account: RowAccount) -> GatewaySession:
    """Hears all control topics of the account."""
    session = client.signed_in(account, client.user(account, *MANAGES))
    session.subscribe(f"$EDC/{account.name}/#")
    return session


def resources(client: RowClient, account: RowAccount, client_id: str) -> list[str]:
    """The kinds of events of a device."""
    device = client.existing_device(account, client_id)
    return [one["resource"] for one in client.events(account.scope_id, device["id"])]


def expect_event(client: RowClient, account: RowAccount, client_id: str, resource: str) -> None:
    def look() -> None:
        found = resources(client, account, client_id)
        expect_that(resource in found, f"an event {resource} of {client_id}", found)

    client.under_test.until(look)


@ROWS.row("L01", "birth", "BIRTH of a client id that nobody knows makes a device with what it says, an event, and the "
          "connection CONNECTED", needs=NEEDS)  # fmt: skip
def birth(client: RowClient) -> None:
    account = client.account()
    gateway = client.plain_gateway()
    client.expect_connection(account, gateway.client_id, CONNECTED)
    expect("the device before BIRTH", None, client.device(account.scope_id, gateway.client_id))
    gateway.birth()
    device = client.existing_device(account, gateway.client_id)
    shown = {name: device.get(name) for name in SHOWN}
    expect("what the device has of BIRTH", {name: BIRTH[metric] for name, metric in SHOWN.items()}, shown)
    expect_event(client, account, gateway.client_id, "BIRTH")


@ROWS.row("L02", "birth-again", "A second BIRTH changes the device and makes no other; without a display name it keeps "
          "its own", needs=NEEDS)  # fmt: skip
def birth_again(client: RowClient) -> None:
    account, gateway = client.account(), client.plain_gateway()
    gateway.birth()
    first = client.existing_device(account, gateway.client_id)
    gateway.publish(gateway.control("MQTT/BIRTH"), payload({**BIRTH, "firmware_version": "2.0", "display_name": ""},
                                                           timestamp_ms=now_ms() + 1), 1)  # fmt: skip
    gateway.settle()

    def look() -> None:
        second = client.existing_device(account, gateway.client_id)
        expect("firmwareVersion", "2.0", second["firmwareVersion"])
        expect("id and displayName", (first["id"], BIRTH["display_name"]), (second["id"], second["displayName"]))

    client.under_test.until(look)
    found = [one for one in client.items(f"/v1/{account.scope_id}/devices?") if one["clientId"] == gateway.client_id]
    expect("devices of this client id", 1, len(found))


@ROWS.row("L03", "apps", "APPS of a device changes its applications and is an event", needs=NEEDS)
def apps(client: RowClient) -> None:
    account, gateway = client.account(), client.plain_gateway()
    gateway.birth()
    client.existing_device(account, gateway.client_id)
    changed = payload({**BIRTH, "application_ids": "CONF-V1,NEW-V1"}, timestamp_ms=now_ms() + 1)
    gateway.publish(gateway.control("MQTT/APPS"), changed, 1)
    gateway.settle()

    def look() -> None:
        found = client.existing_device(account, gateway.client_id)["applicationIdentifiers"]
        expect("applicationIdentifiers", "CONF-V1,NEW-V1", found)

    client.under_test.until(look)
    expect_event(client, account, gateway.client_id, "APPLICATION")


@ROWS.row("L04", "late-birth", "A BIRTH that comes later and bears an older time changes nothing",
          needs=NEEDS, severity=Severity.WARNING)  # fmt: skip
def late_birth(client: RowClient) -> None:
    account, gateway = client.account(), client.plain_gateway()
    gateway.birth()
    client.existing_device(account, gateway.client_id)
    old = payload({**BIRTH, "firmware_version": "0.1"}, timestamp_ms=now_ms() - 600_000)
    gateway.publish(gateway.control("MQTT/BIRTH"), old, 1)
    gateway.expect_nothing("after BIRTH")
    found = client.existing_device(account, gateway.client_id)["firmwareVersion"]
    expect("firmwareVersion", BIRTH["firmware_version"], found)


@ROWS.row("L05", "no-room", "In an account that may have no devices BIRTH makes none, and the session goes on",
          needs=NEEDS)  # fmt: skip
def no_room(client: RowClient) -> None:
    account = client.new_account(client.name("full"), may_have_devices=False)
    gateway = client.plain_gateway(account=account)
    gateway.birth()
    gateway.expect_nothing("after a BIRTH that was refused")
    expect("the device", None, client.device(account.scope_id, gateway.client_id))
    client.set_service(account, DEVICES, infiniteChildEntities=("Boolean", "true"))
    gateway.birth()
    client.existing_device(account, gateway.client_id)


@ROWS.row("S31", "take-over", "A second session of a client id ends the first, and the will of that one does not make "
          "the device MISSING", needs=NEEDS)  # fmt: skip
def take_over(client: RowClient) -> None:
    account, client_id = client.account(), client.name()
    user = client.user(account)
    first = client.signed_in(account, user, client_id, will=True)
    first.birth()
    second = client.signed_in(account, user, client_id, will=True)
    first.expect_closed("after a second CONNECT of its client id")
    second.settle()
    client.expect_connection(account, client_id, CONNECTED)
    second.birth()
    second.expect_nothing("after BIRTH")
    client.expect_connection(account, client_id, CONNECTED)
    expect("events MISSING", 0, resources(client, account, client_id).count("MISSING"))


@ROWS.row("S32", "line-cut", "A gateway that is gone without DISCONNECT is MISSING when its keep-alive has passed, "
          "within 45 s; its will is published, and no DC is counted", needs=NEEDS)  # fmt: skip
def line_cut(client: RowClient) -> None:
    account = client.account()
    gateway = client.plain_gateway(will=True, keep_alive_s=KEEP_ALIVE_S)
    gateway.birth()
    client.expect_connection(account, gateway.client_id, CONNECTED)
    listening = client.signed_in(account, client.user(account, *MANAGES), keep_alive_s=0)
    listening.subscribe(gateway.control("#"))
    client.under_test.let_pass(NOTICED_WITHIN_S + 1)
    gateway.expect_closed("after one and a half keep-alives in silence")
    expect("what is heard", gateway.control("MQTT/LWT"), listening.message("the will").topic)
    client.expect_connection(account, gateway.client_id, MISSING)
    found = resources(client, account, gateway.client_id)
    expect_that("MISSING" in found and "DEATH" not in found, "an event MISSING, and none of DEATH", found)


@ROWS.row("L06", "hung-up", "A connection that is cut makes the device MISSING at once, and its will is published",
          needs=NEEDS)  # fmt: skip
def hung_up(client: RowClient) -> None:
    account = client.account()
    gateway, listening = client.plain_gateway(will=True), watcher(client, account)
    gateway.birth()
    expect("what is heard", gateway.control("MQTT/BIRTH"), listening.message("BIRTH").topic)
    gateway.drop()
    will = listening.message("the will")
    expect("what is heard", (gateway.control("MQTT/LWT"), b""), (will.topic, will.payload))
    client.expect_connection(account, gateway.client_id, MISSING)


@ROWS.row("S33", "orderly", "After DC and DISCONNECT the connection is DISCONNECTED, and no will is published",
          needs=NEEDS)  # fmt: skip
def orderly(client: RowClient) -> None:
    account = client.account()
    gateway, listening = client.plain_gateway(will=True), watcher(client, account)
    gateway.birth()
    gateway.disconnect()
    for suffix in ("MQTT/BIRTH", "MQTT/DC"):
        expect("what is heard", gateway.control(suffix), listening.message(suffix).topic)
    listening.expect_nothing("after an orderly end")
    client.expect_connection(account, gateway.client_id, DISCONNECTED)
    expect_event(client, account, gateway.client_id, "DEATH")


@ROWS.row("N02", "client-ids", "A client id with / or :: is refused; so is, since it would be part of topic rules, one "
          "with + or #", needs=NEEDS)  # fmt: skip
def client_ids(client: RowClient) -> None:
    account = client.account()
    user = client.user(account)
    for client_id in ("a/b", "a::b", "a+b", "+", "#", "a#b"):
        session = client.gateway(account.name, f"{client.name()}{client_id}")
        answer = session.connect(user.name, user.password)
        is_refused = answer.startswith(("CONNACK 2", "CONNACK 4", "CONNACK 5", "closed"))
        what = f"CONNECT with a client id that has {client_id!r} is refused"
        if "/" in client_id or "::" in client_id:
            expect_that(is_refused, what, answer)
        else:
            client.inferred(what, True, is_refused)


@ROWS.row("N03", "mac-with-colons", "A MAC with colons, as real gateways choose it, is a client id, and kept as it is",
          needs=NEEDS)  # fmt: skip
def mac_with_colons(client: RowClient) -> None:
    account = client.account()
    gateway = client.plain_gateway(client_id="00:60:0C:AA:BB:CC")
    gateway.birth()
    expect("clientId", "00:60:0C:AA:BB:CC", client.existing_device(account, "00:60:0C:AA:BB:CC")["clientId"])
    expect("the device without colons", None, client.device(account.scope_id, "00600CAABBCC"))


@ROWS.row("N04", "no-topic", "A message to a topic with # or + is not delivered, and ends its connection and no other",
          needs=NEEDS)  # fmt: skip
def no_topic(client: RowClient) -> None:
    account = client.account()
    listening = watcher(client, account)
    for token in ("#unknown", "+"):
        gateway = client.plain_gateway()
        gateway.publish(gateway.control(f"APP-V1/GET/{token}"), payload({"a": 1}))
        gateway.expect_closed(f"after PUBLISH to a topic with {token}")
    listening.expect_nothing("of messages to topics that are none")
