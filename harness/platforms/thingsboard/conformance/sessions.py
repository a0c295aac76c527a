"""What an MQTT session for provisioning may do (docs/contracts/thingsboard.md §1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.exact_mqtt import PACKET_ID
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    PROVISION,
    REQUEST,
    as_bytes,
    ask_mqtt,
    expect_refused,
    expect_token,
    reply,
    session,
    subscribe,
)
from fleetrig.harness.platforms.thingsboard.conformance.logins import MEASURED, TELEMETRY, expect_no_login, log_in
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, RowMqtt
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "mqtt-session")
MQTT: Final = ("mqtt",)
LEVELS: Final = (4, 5)
TOO_LONG_BYTES: Final = 70_000


@ROWS.row("S52", "user-name", "The user name provision without a client id makes a provision session", needs=MQTT)
def user_name(client: RowClient) -> None:
    for level in LEVELS:
        expect_token(ask_mqtt(session(client, level), client.profile().members(client.name())))


@ROWS.row("S53", "client-id", "The client id provision without a user name does, too", needs=MQTT)
def client_id(client: RowClient) -> None:
    for level in LEVELS:
        connection = session(client, level, client_id=PROVISION)
        expect_token(ask_mqtt(connection, client.profile().members(client.name())))


@ROWS.row("S54", "case", "The user name Provision is an ordinary login, and refused", needs=MQTT)
def case(client: RowClient) -> None:
    expect_no_login(client, "5", "0x86", user_name="Provision")


@ROWS.row("S55", "password", "A password beside the user name provision is ignored", needs=MQTT)
def password(client: RowClient) -> None:
    for level in LEVELS:
        session(client, level, user_name=PROVISION, password="anything")


@ROWS.row("S56", "subscribe-qos-2", "QoS 2 is granted as 1, and the reply comes with 1", needs=MQTT)
def subscribe_qos_2(client: RowClient) -> None:
    expect_token(ask_mqtt(session(client, qos=2), client.profile().members(client.name())))


@ROWS.row("S57", "subscribe-qos-0", "A subscription with QoS 0 gets its reply with QoS 0", needs=MQTT)
def subscribe_qos_0(client: RowClient) -> None:
    connection = session(client, qos=0)
    connection.publish(REQUEST, as_bytes(client.profile().members(client.name())), qos=0)
    qos = 0 if client.generation.acknowledges_subscriptions else 1
    expect_token(reply(connection, qos))


@ROWS.row("S58", "unsubscribed", "Who has not subscribed gets its reply all the same, with QoS 1", needs=MQTT)
def unsubscribed(client: RowClient) -> None:
    for level in LEVELS:
        expect_token(ask_mqtt(session(client, level, qos=None), client.profile().members(client.name())))


@ROWS.row("S59", "filters", "Any filter but the response topic is refused; the session goes on", needs=MQTT)
def filters(client: RowClient) -> None:
    for level, code in ((4, "0x80"), (5, "0x8F")):
        connection = session(client, level, qos=None)
        for topic_filter in ("#", "provision/response", "/provision/+", "v1/devices/me/attributes"):
            subscribe(connection, topic_filter, 1, code)
        connection.expect_open("after refused filters")


@ROWS.row("S60", "puback-first", "The PUBACK of a request precedes its reply", needs=MQTT)
def puback_first(client: RowClient) -> None:
    for level in LEVELS:
        connection = session(client, level)
        connection.publish(REQUEST, as_bytes(client.profile().members(client.name())))
        connection.expect_heard("after a request", "PUBACK")
        expect_token(reply(connection))


def expect_end(client: RowClient, topic: str, payload: bytes) -> None:
    """A publish to this topic is acknowledged and ends the session."""
    for level, lines in ((4, ["PUBACK"]), (5, ["PUBACK 0x90", "DISCONNECT 0x90"])):
        connection = session(client, level)
        connection.publish(topic, payload)
        connection.expect_heard(f"after PUBLISH {topic}", *client.generation.ending(*lines, "closed"))


@ROWS.row("S61", "telemetry", "Telemetry in a provision session is acknowledged and ends it", needs=MQTT)
def telemetry(client: RowClient) -> None:
    expect_end(client, TELEMETRY, MEASURED)


@ROWS.row("S62", "no-slash", "So does a request to provision/request, without the slash; no device is made", needs=MQTT)
def no_slash(client: RowClient) -> None:
    name = client.name()
    expect_end(client, REQUEST.removeprefix("/"), as_bytes(client.profile().members(name)))
    expect("the device", None, client.device(name))


@ROWS.row("S63", "two-requests", "One session may ask more than once", needs=MQTT)
def two_requests(client: RowClient) -> None:
    connection, members = session(client), client.profile().members(client.name())
    expect_token(ask_mqtt(connection, members))
    expect_token(ask_mqtt(connection, client.profile().members(client.name())))
    expect_refused(ask_mqtt(connection, members), FAILURE)


@ROWS.row("S65", "two-sessions", "Each session sees its own reply only, though both have one client id", needs=MQTT)
def two_sessions(client: RowClient) -> None:
    one, other = session(client, client_id=PROVISION), session(client, client_id=PROVISION)
    expect_token(ask_mqtt(one, client.profile().members(client.name())))
    other.expect_open("the session that did not ask")
    expect_token(ask_mqtt(other, client.profile().members(client.name())))
    one.expect_open("the session that asked first")


@ROWS.row("S66", "ordinary", "An ordinary session has no provision service, and lives on", needs=MQTT)
def ordinary(client: RowClient) -> None:
    profile, token, name = client.profile(), client.name("tok"), client.name()
    client.imported(profile, token)
    for level, puback in ((4, "PUBACK"), (5, client.generation.acknowledged("0x90"))):
        connection = log_in(client, level, user_name=token)
        connection.publish(REQUEST, as_bytes(profile.members(name)))
        connection.expect_heard("after a request in an ordinary session", puback)
        connection.publish(TELEMETRY, MEASURED)
        connection.expect_heard("after telemetry", "PUBACK")
    expect("the device", None, client.device(name))


@ROWS.row("S67", "too-long", "A packet of 70 kB ends the connection", needs=MQTT)
def too_long(client: RowClient) -> None:
    for level, lines in ((4, []), (5, ["DISCONNECT 0x81"])):
        connection = session(client, level)
        connection.publish(REQUEST, b"x" * TOO_LONG_BYTES)
        connection.expect_heard("after 70 kB", *client.generation.ending(*lines, "closed"))


@ROWS.row("S68", "ping", "A ping is answered", needs=MQTT)
def ping(client: RowClient) -> None:
    session(client).expect_open("a provision session")


@ROWS.row("S87", "qos-2", "A request with QoS 2 gets a PUBACK, then its reply", needs=MQTT)
def qos_2(client: RowClient) -> None:
    connection = session(client)
    connection.publish(REQUEST, as_bytes(client.profile().members(client.name())), qos=2)
    connection.expect_heard("after a request with QoS 2", "PUBACK")
    expect_token(reply(connection))


@ROWS.row("S90", "before-connect", "A PUBLISH before CONNECT is neither answered nor the end",
          severity=Severity.WARNING, needs=MQTT)  # fmt: skip
def before_connect(client: RowClient) -> None:
    connection = client.mqtt()
    connection.send(mqtt_bytes.publish(4, "a", b"123", 0, PACKET_ID))
    answer = client.generation.connack(connection.connect(user_name=PROVISION))
    expect("the answer to CONNECT after a PUBLISH", "CONNACK 0", answer)
    connection.expect_open("after a CONNECT that came late")


@ROWS.row("S91", "session-present", "A session that is not clean is told that there was one", needs=MQTT)
def session_present(client: RowClient) -> None:
    for level in LEVELS:
        session(client, level, user_name=PROVISION, clean=False)


@ROWS.row("S92", "captured", "The client id provision captures even a device with a valid token", needs=MQTT)
def captured(client: RowClient) -> None:
    token = client.name("tok")
    client.imported(client.profile(), token)
    connection = session(client, client_id=PROVISION, user_name=token)
    connection.publish(TELEMETRY, MEASURED)
    connection.expect_heard("after telemetry", *client.generation.ending("PUBACK", "closed"))


def expect_end_of(client: RowClient, connections: Sequence[RowMqtt], since: str) -> None:
    """60 s after the first reply, 27 of which have still to pass; before 3.3 not at all."""
    client.under_test.let_pass(27)
    for connection in connections:
        connection.expect_open(f"57 s after {since}")
    client.under_test.let_pass(4)
    for connection in connections:
        if client.generation.ends_after_reply:
            expect(f"61 to 64 s after {since}", "closed", connection.hear(3).line)
        else:
            connection.expect_open(f"61 s after {since}")


@ROWS.row("S64", "sixty-seconds", "A session ends 60 s after its reply, without a DISCONNECT", needs=MQTT)
def sixty_seconds(client: RowClient) -> None:
    connections = [session(client, level) for level in LEVELS]
    for connection in connections:
        expect_token(ask_mqtt(connection, client.profile().members(client.name())))
    client.under_test.let_pass(30)
    expect_end_of(client, connections, "the reply")


@ROWS.row("S88", "not-put-off", "A second request does not put the end off: the first reply's 60 s count", needs=MQTT)
def not_put_off(client: RowClient) -> None:
    connection = session(client)
    expect_token(ask_mqtt(connection, client.profile().members(client.name())))
    client.under_test.let_pass(30)
    expect_token(ask_mqtt(connection, client.profile().members(client.name())))
    expect_end_of(client, [connection], "the first reply")


@ROWS.row("S89", "silent", "A session that asks nothing is not ended, though its keep-alive has passed", needs=MQTT)
def silent(client: RowClient) -> None:
    connection = session(client, user_name=PROVISION, keep_alive_s=5)
    client.under_test.let_pass(20)
    connection.expect_open("long after the keep-alive")
