"""Over real sockets: no device sees another's reply, and what comes in halves or too large ends its own connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.exact_coap import POST, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi, profile_document
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.platforms.thingsboard import platform
from tests.harness.platforms.thingsboard.conformance.in_process import reference

pytestmark = pytest.mark.slow
REQUEST, RESPONSE, PATH = "/provision/request", "/provision/response", "/api/v1/provision"
AT_ONCE = 8
EACH = 5
SOON_S = 0.1


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        with_profile(server)
        yield server


def with_profile(server: ServerUnderTest) -> None:
    TenantApi(server).asked("POST", "/deviceProfile", profile_document("A", "ALLOW_CREATE_NEW_DEVICES", "K", "S"))


def body(token: str) -> bytes:
    """For a new device that brings this token."""
    return json.dumps({"token": token, "provisionDeviceKey": "K", "provisionDeviceSecret": "S"}).encode()


def token_in(reply: bytes) -> str:
    return str(json.loads(reply)["credentialsValue"])


def provisioning(server: ServerUnderTest, level: int, topic_filter: str = RESPONSE) -> ExactMqtt:
    """A session that all share their client id, and the topic of replies, with."""
    connection = ExactMqtt(*server.addresses["mqtt"], level)
    assert connection.connect(client_id="provision", user_name="provision") == "CONNACK 0"
    assert connection.subscribe(topic_filter) in ("SUBACK 1", "SUBACK 0x80", "SUBACK 0x8F")
    return connection


@pytest.mark.parametrize("level", [4, 5])
def test_of_two_clients_on_the_shared_topics_each_sees_its_own_reply(server: ServerUnderTest, level: int) -> None:
    with (
        closing(provisioning(server, level)) as one,
        closing(provisioning(server, level)) as other,
        closing(provisioning(server, level, "#")) as curious,
    ):
        for asking, silent, name in ((one, other, "one"), (other, one, "other")):
            asking.publish(REQUEST, body(f"{name}-{level}"))
            heard = asking.expect_heard("a request", "PUBACK", f"PUBLISH {RESPONSE} q1")
            assert token_in(heard[-1].payload) == f"{name}-{level}"
            silent.expect_open("the other")
            curious.expect_open("who wants to hear everything")


def test_many_at_once_are_each_told_their_own(server: ServerUnderTest) -> None:
    def ask(number: int) -> list[tuple[str, str]]:
        told = []
        with closing(provisioning(server, 4 + number % 2)) as connection:
            for turn in range(EACH):
                token = f"many-{number}-{turn}"
                connection.publish(REQUEST, body(token))
                heard = connection.expect_heard("a request", "PUBACK", f"PUBLISH {RESPONSE} q1")
                told.append((token, token_in(heard[-1].payload)))
            connection.expect_open("after all its replies")
        return told

    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = [pair for found in pool.map(ask, range(AT_ONCE)) for pair in found]
    assert len(told) == AT_ONCE * EACH
    assert [pair for pair in told if pair[0] != pair[1]] == []


def test_the_same_message_of_two_endpoints_is_two_requests(server: ServerUnderTest) -> None:
    """Message id and token are alike to the bit; each gets its own reply, and again when it repeats."""
    places = server.addresses["coap"]
    with closing(ExactCoap(*places)) as one, closing(ExactCoap(*places)) as other:
        first = one.request(POST, PATH, body("coap-1"))
        second = first[: -len(body("coap-1"))] + body("coap-2")
        for endpoint, request, token in ((one, first, "coap-1"), (other, second, "coap-2")) * 2:
            assert token_in(endpoint.exchange(request).payload) == token


def test_requests_of_two_connections_that_come_in_halves(server: ServerUnderTest) -> None:
    def head(content: bytes) -> bytes:
        return b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
            PATH.encode(), len(content),
        )  # fmt: skip

    bodies = [body("http-1"), body("http-2")]
    connections = [server.http.bare_socket() for _ in bodies]
    try:
        for connection, content in zip(connections, bodies, strict=True):
            connection.sendall(head(content) + content[:10])
        for connection, content in reversed(list(zip(connections, bodies, strict=True))):
            connection.sendall(content[10:])
        told = [whole_answer(connection) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert [b"http-1" in told[0], b"http-2" in told[0]] == [True, False]
    assert [b"http-1" in told[1], b"http-2" in told[1]] == [False, True]


def whole_answer(connection: socket.socket) -> bytes:
    """Up to the end of the document."""
    connection.settimeout(20)
    data = b""
    while not data.endswith(b"}"):
        piece = connection.recv(4096)
        assert piece, data
        data += piece
    return data


@pytest.mark.parametrize(("level", "ending"), [(4, ("closed",)), (5, ("DISCONNECT 0x81", "closed"))])
def test_a_packet_that_is_too_large_ends_its_own_connection_only(
    server: ServerUnderTest, level: int, ending: tuple[str, ...]
) -> None:
    """It is refused by what its length says, before it has come."""
    with closing(provisioning(server, level)) as one, closing(provisioning(server, level)) as other:
        one.send(b"\x32\xff\xff\x7f")
        one.expect_heard("after the length of 2 MiB", *ending)
        other.publish(REQUEST, body(f"large-{level}"))
        other.expect_heard("of the other", "PUBACK", f"PUBLISH {RESPONSE} q1")


def test_half_a_packet_and_a_connection_that_says_nothing_are_ended_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has said CONNECT may be silent (S89)."""
    limits = MqttLimits(whole_packet_within_s=SOON_S, first_packet_within_s=SOON_S)
    monkeypatch.setattr(platform, "mqtt_limits", lambda _: limits)
    with reference() as server:
        with_profile(server)
        with closing(provisioning(server, 4)) as silent, closing(provisioning(server, 4)) as half:
            half.send(mqtt_bytes.publish(4, REQUEST, body("half"), 1, 7)[:-1])
            assert half.hear().line == "closed"
            with closing(ExactMqtt(*server.addresses["mqtt"])) as nobody:
                assert nobody.hear().line == "closed"
            silent.expect_open("who has nothing to say")
        assert TenantApi(server).devices_of("A") == []


def test_half_a_request_over_http_makes_no_device(server: ServerUnderTest) -> None:
    content = body("never-whole")
    connection = server.http.bare_socket()
    connection.sendall(b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (PATH.encode(), len(content)))
    connection.sendall(content[:-1])
    connection.close()
    answer = server.http.call("POST", "/api/v1/never-whole/telemetry", {"Content-Type": "application/json"}, b"{}")
    assert answer.status == 401
