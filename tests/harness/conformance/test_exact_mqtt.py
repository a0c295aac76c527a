"""What the exact MQTT client makes of servers that split, swap, break off, say too much, or nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import trustme

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.exact_mqtt import PACKET_ID, ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import Talk, raw_server

QUICKLY_S = 0.2
"""For what never comes."""
CONNACK = bytes.fromhex("20020000")
PINGRESP = bytes.fromhex("d000")
PUBACK = bytes.fromhex("40020007")
SUBACK = bytes.fromhex("9003000701")
REPLY = bytes.fromhex("3206") + b"\0\1a" + b"\0\1" + b"x"


@contextlib.contextmanager
def connected(talk: Talk, level: int = 4, within_s: float = 30.0) -> Iterator[ExactMqtt]:
    with raw_server(talk) as url:
        place = urlsplit(url)
        client = ExactMqtt(place.hostname or "", place.port or 0, level, within_s=within_s)
        with contextlib.closing(client):
            yield client


def says(*pieces: bytes) -> Talk:
    """These bytes, and then nothing until the client goes."""

    def talk(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        while connection.recv(1024):
            pass

    return talk


def says_and_closes(*pieces: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return talk


def split(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def test_packets_are_heard_in_their_order_however_they_are_cut() -> None:
    for pieces in ([CONNACK + SUBACK + PUBACK + REPLY], split(CONNACK + SUBACK + PUBACK + REPLY)):
        with connected(says(*pieces)) as client:
            lines = [client.hear().line for _ in range(4)]
        assert lines == ["CONNACK 0", "SUBACK 1", "PUBACK", "PUBLISH a q1"]


def test_what_came_before_the_end_is_heard_before_it() -> None:
    with connected(says_and_closes(PUBACK, REPLY)) as client:
        client.expect_heard("after a request", "PUBACK", "PUBLISH a q1", "closed", "closed")


def test_the_end_is_no_time_out_and_a_time_out_is_no_end() -> None:
    with connected(says(), within_s=QUICKLY_S) as client:
        with pytest.raises(Mismatch, match=r"^expected a packet or the end within 0.2 s; got nothing"):
            client.hear()
        with pytest.raises(Mismatch, match=r"within 0.1 s; got nothing"):
            client.hear(0.1)
    with connected(says_and_closes()) as client:
        assert client.hear().line == "closed"


def test_a_reset_is_an_end() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes.fromhex("0100000000000000"))

    with connected(reset) as client:
        client.ping()
        assert client.hear().line == "closed"


def test_half_a_packet_and_the_end_is_a_finding() -> None:
    with connected(says_and_closes(REPLY[:5])) as client, pytest.raises(Mismatch, match="then the end of the connec"):
        client.hear()


def test_half_a_packet_and_silence_is_a_finding() -> None:
    with connected(says(REPLY[:5]), within_s=QUICKLY_S) as client, pytest.raises(Mismatch, match="got nothing"):
        client.hear()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100, id="HTTP"),
        pytest.param(b"\x30\xff\xff\xff\xff\x01", id="a length without end"),
        pytest.param(bytes.fromhex("20020200"), id="reserved flags"),
        pytest.param(bytes.fromhex("3600") + b"", id="QoS 3 of nothing"),
        pytest.param(bytes.fromhex("c000"), id="a ping of the server"),
    ],
)
def test_what_is_no_packet_is_a_finding(data: bytes) -> None:
    with connected(says(data)) as client, pytest.raises(Mismatch, match="expected an MQTT packet; got"):
        client.hear()


@pytest.mark.parametrize(
    ("came", "line"),
    [
        (bytes.fromhex("40020009"), "PUBACK for packet 9"),
        (bytes.fromhex("9003000901"), "SUBACK 1 for packet 9"),
        (bytes.fromhex("b0020009"), "UNSUBACK for packet 9"),
    ],
)
def test_an_acknowledgement_of_another_packet_says_so(came: bytes, line: str) -> None:
    with connected(says(came)) as client:
        assert client.hear().line == line


@pytest.mark.parametrize(
    ("came", "wanted"),
    [
        ((REPLY, PUBACK), "PUBACK; got PUBLISH a q1"),
        ((SUBACK,), "PUBACK; got SUBACK 1"),
        ((PUBACK, PUBACK), "PUBLISH a q1; got PUBACK"),
    ],
    ids=["the wrong order", "another packet", "the first twice"],
)
def test_what_comes_otherwise_is_a_finding(came: tuple[bytes, ...], wanted: str) -> None:
    with connected(says(*came)) as client, pytest.raises(Mismatch, match=wanted):
        client.expect_heard("after a request", "PUBACK", "PUBLISH a q1")


def test_only_an_answered_ping_shows_that_a_connection_is_open() -> None:
    with connected(says(PINGRESP)) as client:
        client.expect_open("now")
    with connected(says(REPLY, PINGRESP)) as client, pytest.raises(Mismatch, match="a ping is answered: packet 1"):
        client.expect_open("now")
    with connected(says_and_closes()) as client, pytest.raises(Mismatch, match="got closed"):
        client.expect_open("now")


def sent_by(say: Callable[[ExactMqtt], object], count: int) -> bytes:
    """The first bytes of what the client sends."""
    came: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        data = b""
        while len(data) < count:
            data += connection.recv(count - len(data))
        came.append(data)
        connection.sendall(CONNACK)
        while connection.recv(1024):
            pass

    with connected(talk) as client:
        say(client)
        client.hear()
    return came[0]


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    publish = mqtt_bytes.publish(4, "a", b"x", 1, PACKET_ID)

    def say(client: ExactMqtt) -> None:
        client.publish("a", b"x")
        client.ping()

    sent = sent_by(say, len(publish) + 2)
    assert sent == publish + b"\xc0\0"


def test_nothing_is_acknowledged() -> None:
    """A reply with QoS 1 goes without a PUBACK of ours: the next that the server hears is what a row sends."""
    came: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(REPLY)
        came.append(connection.recv(2))
        connection.sendall(PINGRESP)

    with connected(talk) as client:
        client.hear()
        client.expect_open("after a reply")
    assert came == [b"\xc0\0"]


def test_sending_to_who_has_gone_is_no_error() -> None:
    with connected(says_and_closes()) as client:
        assert client.hear().line == "closed"
        for _ in range(3):
            client.ping()
        assert client.hear().line == "closed"


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(BrokenBench, match=rf"^nobody answers at 127.0.0.1:{free_port} \(MQTT\)"):
        ExactMqtt("127.0.0.1", free_port)


def test_a_handshake_that_is_refused_is_told_from_a_connection_that_is() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with raw_server(says_and_closes(b"no TLS at all")) as url:
        place = urlsplit(url)
        with pytest.raises(HandshakeRefused):
            ExactMqtt(place.hostname or "", place.port or 0, tls=context)


def test_a_client_certificate_that_comes_late_to_nothing_is_an_end() -> None:
    """TLS 1.3 refuses after the client's handshake is over: the first read hears it."""
    authority, other = trustme.CA(), trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    other.issue_cert("stranger").configure_cert(client)
    with raw_server(says(CONNACK), server) as url:
        place = urlsplit(url)
        with contextlib.closing(ExactMqtt(place.hostname or "", place.port or 0, tls=client)) as connection:
            assert connection.connect() == "closed"
