"""Devices with a password at the MQTT adapter (docs/contracts/hono.md §4.2, §4.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.exact_mqtt import PACKET_ID, ExactMqtt
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import LEVELS, REASONS, TELEMETRY, levels, mqtt
from fleetrig.harness.platforms.hono.conformance.row_client import AUTH_ID, PASSWORD, RowClient, password
from fleetrig.harness.servers.json_answer import read_json

ROWS: Final[Resource[RowClient]] = Resource("hono", "mqtt")
NEEDS: Final = ("mqtt",)
CURRENT: Final = ("mqtt", "current")
TOPICS: Final = ("telemetry", "t", "event", "e", "telemetry/?content-type=application%2Fjson")


def expect_connack(client: RowClient, account: str | None, code: str) -> None:
    """In MQTT 3.1.1, and its reason in MQTT 5 where that is spoken."""
    for level in levels(client):
        wanted = code if level == LEVELS[0] else REASONS[code]
        expect(f"MQTT {level} as {account}", f"CONNACK {wanted}", mqtt(client, account, level)[1])


def signed_in(client: RowClient, account: str, level: int = 4) -> ExactMqtt:
    connection, answer = mqtt(client, account, level)
    expect("CONNECT", "CONNACK 0", answer)
    return connection


@ROWS.row("M01", "password", "The right password is accepted; any other, and what is no account, is refused with 4",
          needs=NEEDS)  # fmt: skip
def sign_in(client: RowClient) -> None:
    tenant = client.tenant()
    account = client.with_password(tenant)
    expect_connack(client, account, "0")
    nobody = client.name("nosuch")
    for other in (f"{AUTH_ID}@{tenant}:x", f"{AUTH_ID}:{PASSWORD}", f"{AUTH_ID}@{nobody}:{PASSWORD}"):
        expect_connack(client, other, "4")


@ROWS.row("M02", "disabled", "A tenant, an adapter or a device that is disabled is refused with 5", needs=NEEDS)
def disabled(client: RowClient) -> None:
    for document in ({"enabled": False}, {"adapters": [{"type": "hono-http", "enabled": True}]}):
        expect_connack(client, client.with_password(client.tenant(document)), "5")
    expect_connack(client, client.with_password(client.tenant(), {"enabled": False}), "5")


@ROWS.row("M03", "nobody", "Without user name and certificate CONNECT is refused with 4", needs=NEEDS)
def nobody(client: RowClient) -> None:
    expect_connack(client, None, "4")


@ROWS.row("M04", "one-connection", "One connection more than max-connections is refused with 5, 0x97 in MQTT 5 (a Hono "
          "without Prometheus does not count)", needs=CURRENT)  # fmt: skip
def one_connection(client: RowClient) -> None:
    tenant = client.tenant({"resource-limits": {"max-connections": 1}})
    first = signed_in(client, client.with_password(tenant))
    other = client.with_password(tenant, None, "e", "sensor2")
    answers = [mqtt(client, other, level)[1] for level in LEVELS]
    refused, accepted = ["CONNACK 5", "CONNACK 0x97"], ["CONNACK 0", "CONNACK 0"]
    client.expect_known("CONNECTs", answers, lambda one: refused if one.counts_connections else accepted)
    first.expect_open("the first connection")


@ROWS.row("M05", "publish", "Telemetry and events are acknowledged, under their short names and with properties, too",
          needs=NEEDS)  # fmt: skip
def publish(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    for level in levels(client):
        connection = signed_in(client, account, level)
        for topic in TOPICS:
            connection.publish(topic, TELEMETRY)
            connection.expect_heard(f"after PUBLISH {topic}", "PUBACK")
        connection.expect_open("after telemetry and events")


@ROWS.row("M06", "unknown-topic", "A topic that is none ends the connection; who listens for errors is told 404, and "
          "acknowledged", needs=CURRENT)  # fmt: skip
def unknown_topic(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    for level in LEVELS:
        connection = signed_in(client, account, level)
        connection.publish("nosuch", TELEMETRY)
        connection.expect_heard("after PUBLISH nosuch", "closed")
    listening = signed_in(client, account)
    expect("SUBSCRIBE error///#", "SUBACK 0", listening.subscribe("error///#", 0))
    listening.publish("nosuch", TELEMETRY)
    told, _ = listening.expect_heard("PUBLISH nosuch", f"PUBLISH error///unknown/{PACKET_ID}/404 q0", "PUBACK")
    expect("its code", 404, read_json(told.payload)["code"])
    listening.expect_open("after an error that was told")


@ROWS.row("M07", "session-present", "No session is ever kept, whatever CONNECT asks for", needs=NEEDS)
def session_present(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    for level in levels(client):
        for _ in range(2):
            connection, answer = mqtt(client, account, level, client_id="kept", clean=False)
            expect(f"CONNECT of a session to be kept, MQTT {level}", "CONNACK 0", answer)
            if client.generation.is_current:
                expect("SUBSCRIBE error///#", "SUBACK 0", connection.subscribe("error///#", 0))
            connection.close()


@ROWS.row("M08", "client-id", "Credentials that name a client id are good for that one only, else 4", needs=NEEDS)
def client_id(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), {**password(), "ext": {"client-id": "one"}})
    account = f"{AUTH_ID}@{tenant}:{PASSWORD}"
    answers = [mqtt(client, account, client_id=name)[1] for name in ("one", "other")]
    expect("with that client id, and with another", ["CONNACK 0", "CONNACK 4"], answers)
