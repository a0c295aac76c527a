"""The exact HTTPS client: the certificate that it shows, the name that it asks for, and alerts by their names."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import trustme

from fleetrig.harness.conformance.exact_https import NO_NAME, ExactHttps
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.harness.conformance.raw_server import always, answer, raw_server

Place = tuple[str, int]


@pytest.fixture(scope="module", name="authority")
def _authority() -> CertificateAuthority:
    return CertificateAuthority("fleet", time.time_ns() // 1000)


@contextlib.contextmanager
def https_server(authority: CertificateAuthority, names: list[str | None]) -> Iterator[Place]:
    """Wants a certificate of this authority, and notes the names that are asked for."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("whoever.example.com").configure_cert(server)
    server.load_verify_locations(cadata=authority.certificate_pem.decode())
    server.verify_mode = ssl.CERT_REQUIRED
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    with raw_server(always(answer(202)), server) as url:
        parts = urlsplit(url)
        yield parts.hostname or "", parts.port or 0


def ask(place: Place, shown: ClientCertificate | None, name: str) -> int:
    with contextlib.closing(ExactHttps(place, any_certificate(shown), name)) as client:
        return client.call("POST", "/telemetry", {}, b"x").status


@pytest.mark.parametrize(("name", "asked"), [(NO_NAME, None), ("localhost", "localhost"), ("t1.a.org", "t1.a.org")])
def test_a_name_is_asked_for_whatever_the_host_is_called(
    authority: CertificateAuthority, name: str, asked: str | None
) -> None:
    names: list[str | None] = []
    with https_server(authority, names) as (_, port):
        assert ask(("localhost", port), authority.issue_client("gw-1"), name) == 202
    assert names == [asked]


def test_a_certificate_that_is_not_taken_is_an_alert(authority: CertificateAuthority) -> None:
    stranger = CertificateAuthority("stranger", time.time_ns() // 1000).issue_client("gw-1")
    with https_server(authority, []) as place, pytest.raises(HandshakeRefused) as refused:
        ask(place, stranger, NO_NAME)
    assert refused.value.alert == "unknown_ca"


def no_tls(connection: socket.socket) -> None:
    connection.sendall(answer(400))
    connection.recv(65_536)


def test_what_is_no_tls_at_all_is_a_broken_bench() -> None:
    with raw_server(no_tls) as url, pytest.raises(BrokenBench, match="does not speak TLS as expected"):
        ask(("127.0.0.1", urlsplit(url).port or 0), None, NO_NAME)


@pytest.mark.parametrize(
    ("text", "alert"),
    [
        ("[SSL: SSLV3_ALERT_CERTIFICATE_UNKNOWN] sslv3 alert certificate unknown (_ssl.c:1006)", "certificate_unknown"),
        ("TLSV1_ALERT_UNKNOWN_CA", "unknown_ca"),
        ("ssl/tls alert bad certificate", "bad_certificate"),
        ("EOF occurred in violation of protocol", ""),
    ],
)
def test_an_alert_is_read_from_what_openssl_says(text: str, alert: str) -> None:
    assert HandshakeRefused(text).alert == alert
