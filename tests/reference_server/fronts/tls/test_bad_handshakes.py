"""Whatever comes in place of a handshake: closed, told in plain words, forgotten, and noticed by nobody else."""

from __future__ import annotations

import gc
import socket
import ssl
from contextlib import suppress

import pytest

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.connection import TlsConnection
from fleetrig.reference_server.fronts.tls.failure import openssl_failure
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.reference_server.fronts.peer import Peer
from tests.reference_server.fronts.tls.tls_bench import TlsBench, client, now_us, what_came

pytestmark = pytest.mark.slow

HTTP = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
MQTT = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04gw-7"
MQTT_LONG = b"\x10\xa5\x02\x00\x06MQIsdp\x03\x02\x00\x3c\x01\x00" + b"x" * 256
EACH = pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])


def client_hello() -> bytes:
    out = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    return out.read()


HELLO = client_hello()
NO_TLS = "TLS: what it sent first is no TLS"
UNREADABLE = "TLS: what it sent is no TLS that can be read"


NO_HANDSHAKES = {
    "http": (HTTP, "malformed", "TLS: it sent an HTTP request without TLS"),
    "mqtt": (MQTT, "malformed", "TLS: it sent an MQTT CONNECT without TLS"),
    "mqtt 3.1 with a long client id": (MQTT_LONG, "malformed", "TLS: it sent an MQTT CONNECT without TLS"),
    "no mqtt": (b"\x10" * 100, "malformed", NO_TLS),
    "zeros": (b"\x00" * 4096, "malformed", NO_TLS),
    "ssh": (b"SSH-2.0-x\r\n", "malformed", NO_TLS),
    "ssl 2": (b"\x80\x2e\x01\x00\x02", "malformed", NO_TLS),
    "a record too large": (b"\x16\x03\x01\xff\xff" + b"\xff" * 70_000, "malformed", UNREADABLE),
    "of no version": (b"\x16\x00\x00\x00\x00" * 100, "malformed", UNREADABLE),
    "no hello first": (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "malformed", UNREADABLE),
    "a broken hello": (HELLO[:43] + b"\xff" + HELLO[44:], "malformed", UNREADABLE),
    "a broken message": (HELLO + b"\x16\x03\x03\x00\x10" + b"\x00" * 16, "malformed", UNREADABLE),
    "a broken record": (HELLO + b"\x17\x03\x03\x00\x20" + b"\x00" * 32, "malformed", UNREADABLE),
    "an alert": (HELLO + b"\x15\x03\x03\x00\x02\x02\x30", "refused", "TLS: it does not trust the authority of"),
}


@EACH
@pytest.mark.parametrize(("sent", "kind", "why"), NO_HANDSHAKES.values(), ids=NO_HANDSHAKES)
def test_no_handshake(tls_bench: TlsBench, client_auth: ClientAuth, sent: bytes, kind: str, why: str) -> None:
    port = tls_bench.listen(client_auth)
    with Peer(port, client(tls_bench)) as other:
        other.send(b"before")
        other.until(b"before")
        with Peer(port) as peer:
            peer.send(sent)
            with suppress(ConnectionResetError):
                assert not peer.rest().startswith((b"HTTP", b" "))
        other.send(b"after")
        assert other.until(b"after") == b"after"
    (event,) = tls_bench.events
    assert (event.kind, event.session, event.name) == (kind, 2, "toys")
    assert event.reason.startswith(why)
    assert len(tls_bench.opened) == 1


@EACH
def test_nothing_is_left_of_a_hundred_of_them(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    assert what_came(port, client(tls_bench)) == "echo"
    for number in range(100):
        with Peer(port) as peer:
            peer.send((HTTP, HELLO + HTTP, HELLO[:100])[number % 3])
    tls_bench.until(lambda: len(tls_bench.events) == 100)
    connections = tls_bench.tls.connections
    assert connections is not None
    tls_bench.until(lambda: connections.waiting == 0)
    tls_bench.until(lambda: bool(tls_bench.lost))
    tls_bench.opened.clear()
    tls_bench.lost.clear()
    gc.collect()
    assert [one for one in gc.get_objects() if type(one) is TlsConnection] == []


@pytest.fixture(scope="module")
def many() -> ClientCertificate:
    """A device's certificate below 250 others that have nothing to do with it: more than 100 KiB."""
    authority = CertificateAuthority("many", now_us())
    device = authority.issue_client("gw")
    other = authority.issue_client("other").chain[0]
    return ClientCertificate(device.chain + (other,) * 250, device.key_pem)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_chain_of_more_than_100_kib_is_refused(
    tls_bench: TlsBench, many: ClientCertificate, version: ssl.TLSVersion
) -> None:
    assert sum(map(len, many.chain)) > 100 * 1024
    port = tls_bench.listen(ClientAuth.ANY)
    assert what_came(port, client(tls_bench, many, version)) != "echo"
    assert tls_bench.said() == [
        ("refused", "TLS: its certificates are larger than the 100 KiB that TLS libraries take")
    ]
    assert tls_bench.judge.judged == []


def test_a_chain_of_90_kib_is_judged(tls_bench: TlsBench, many: ClientCertificate) -> None:
    large = ClientCertificate(many.chain[:170], many.key_pem)
    port = tls_bench.listen(ClientAuth.ANY)
    assert what_came(port, client(tls_bench, large)) == "echo"
    assert tls_bench.judge.judged[0].certificates == large.chain


@EACH
def test_broken_records_end_an_open_connection(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    port = tls_bench.listen(client_auth)
    with Peer(port, client(tls_bench)) as peer:
        peer.send(b"hello")
        peer.until(b"hello")
        assert isinstance(peer.socket, ssl.SSLSocket)
        raw = peer.socket.detach()
    with Peer(port) as beneath:
        beneath.socket.close()
        beneath.socket = socket.socket(fileno=raw)
        beneath.send(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        tls_bench.until(lambda: tls_bench.opened[0].is_lost or bool(tls_bench.events))
    assert tls_bench.said()[0][0] == "malformed"
    tls_bench.until(lambda: tls_bench.opened[0].is_lost)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("TLSV1_ALERT_UNKNOWN_CA", "it does not trust the authority of this server's certificate: {} unknown_ca"),
        (
            "sslv3 alert certificate expired",
            "it finds that this server's certificate is out of date: {} certificate_expired",
        ),
        ("tlsv13 alert certificate required", "it does not go on: {} certificate_required"),
        ("NO_SHARED_CIPHER", "it has no cipher suite in common with this server"),
        ("", "what it sent is no TLS that can be read (no reason given)"),
    ],
)
def test_reasons_of_both_libraries_in_plain_words(reason: str, why: str) -> None:
    assert openssl_failure(reason).why == why.format("it sent the alert")
