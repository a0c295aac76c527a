"""What goes over a wire, in one line and in full."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.message_details import MOST_LINES, detail_lines
from fleetrig.harness.traces.message_words import message_words
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable


@pytest.mark.parametrize(
    ("envelope", "words"),
    [
        (HttpRequest("PUT", "http://h", "/a?b=1", (), b"x"), "PUT /a?b=1 (1 byte)"),
        (HttpResponse(204), "204"),
        (HttpResponse(429), "429 Too Many Requests"),
        (HttpResponse(799), "799"),
        (HttpResponse(200, (), FileSlice("", 0, 262_144)), "200 (262,144 bytes)"),
        (MqttConnect("gw-7", clean_start=False, will=MqttWill("w")), "CONNECT gw-7 (keeps its session, will on w)"),
        (MqttConnack(0), "CONNACK 0"),
        (MqttConnack(4), "CONNACK 4 bad user name or password"),
        (MqttConnack(0x87), "CONNACK 135 not authorized"),
        (MqttConnack(200), "CONNACK 200 refused"),
        (MqttPublish("a", b"12", 1, dup=True, retain=True, packet_id=9),
         "PUBLISH a (QoS 1, id 9, retained, duplicate, 2 bytes)"),
        (MqttPublishAck(PublishAckKind.PUBACK, 9), "PUBACK (id 9)"),
        (MqttPublishAck(PublishAckKind.PUBREC, 9, 0x97), "PUBREC 151 quota exceeded (id 9)"),
        (MqttSubscribe((Subscription("a/#", 1), Subscription("b"))), "SUBSCRIBE a/# QoS 1, b QoS 0"),
        (MqttSuback(1, (1, 128)), "SUBACK 1, 128 unspecified error"),
        (MqttDisconnect(0x98), "DISCONNECT 152 administrative action"),
        (CoapRequest("GET", "coaps://h", "/a?b", observe=0), "GET coaps:/a?b (observes)"),
        (CoapRequest("POST", "coap://h", "/a", b"x", confirmable=False), "POST coap:/a (not confirmable, 1 byte)"),
        (CoapResponse("4.01"), "4.01 Unauthorized"),
        (CoapResponse("2.05", b"12", observe=3), "2.05 Content (notification 3, 2 bytes)"),
        (CoapReset(), "RST"),
        (Undecodable(Flaw.MALFORMED, "a length of 5 bytes"), "UNDECODABLE malformed (a length of 5 bytes)"),
    ],
)  # fmt: skip
def test_one_line(envelope: Envelope, words: str) -> None:
    assert message_words(envelope) == words


def test_headers_come_before_a_readable_body() -> None:
    request = HttpRequest("PUT", "http://h:80", "/a", (("Accept", "*/*"),), b'{"a":{"b":"\xc3\xa4"}}')
    assert list(detail_lines(request)) == [
        "to http://h:80", "Accept: */*", "{", '  "a": {', '    "b": "ä"', "  }", "}",
    ]  # fmt: skip


def test_fields_that_say_nothing_are_left_out() -> None:
    connect = MqttConnect("gw-7", "u", b"password:1f3a", keep_alive_s=30, properties=(("receive_maximum", 5),))
    assert list(detail_lines(connect)) == [
        "client_id: gw-7", "user_name: u", "password: password:1f3a", "keep_alive_s: 30",
        "properties: receive_maximum 5",
    ]  # fmt: skip


def test_a_platform_reads_its_own_payloads() -> None:
    publish = MqttPublish("a", b"\xff\x00")
    assert list(detail_lines(publish, lambda _: {"metric": 7}))[-3:] == ["{", '  "metric": 7', "}"]


def test_bytes_are_dumped() -> None:
    dump = list(detail_lines(MqttPublish("a", bytes(range(0x60, 0x70)) + b"\xff" * 300)))[1:]
    assert dump[0] == "0000  60 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f  `abcdefghijklmno"
    assert dump[-1] == "… 60 bytes more"


def test_long_bodies_are_cut_and_files_are_only_counted() -> None:
    lines = list(detail_lines(HttpResponse(200, (), b"x\n" * 100)))
    assert lines == ["x"] * MOST_LINES + ["… 60 more lines; --raw shows them"]
    assert list(detail_lines(HttpResponse(200, (), FileSlice("", 0, 9)))) == ["(9 bytes that this trace does not hold)"]
    [long] = detail_lines(HttpResponse(200, (), b"y" * 5_000))
    assert long.endswith("y … 5,000 characters")
