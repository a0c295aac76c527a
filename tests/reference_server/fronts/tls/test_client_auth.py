"""Certificates of clients: verified by TLS itself, or judged by the platform in the handshake."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.session import Session
from tests.reference_server.fronts.peer import Peer
from tests.reference_server.fronts.tls.tls_bench import TlsBench, client, now_us, what_came

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
ALERTS = [alert for alert in TlsAlert if alert is not TlsAlert.SILENCE]


@pytest.fixture(scope="module")
def fleet_ca() -> CertificateAuthority:
    return CertificateAuthority("fleet", now_us())


@pytest.fixture(scope="module")
def device(fleet_ca: CertificateAuthority) -> ClientCertificate:
    return fleet_ca.authority_below("plant").issue_client("gw-7")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("alert", ALERTS)
def test_a_refusal_of_the_platform_is_heard_as_its_alert(
    tls_bench: TlsBench, device: ClientCertificate, alert: TlsAlert, version: ssl.TLSVersion
) -> None:
    tls_bench.judge.judge = lambda _: alert
    port = tls_bench.listen(ClientAuth.ANY)
    assert what_came(port, client(tls_bench, device, version)) == f"alert {alert.replace('_', ' ')}"
    assert tls_bench.opened == []
    assert tls_bench.said() == []  # the server's own lane tells it


@pytest.mark.parametrize("version", VERSIONS)
def test_silence_closes_without_an_alert(
    tls_bench: TlsBench, device: ClientCertificate, version: ssl.TLSVersion
) -> None:
    tls_bench.judge.judge = lambda _: TlsAlert.SILENCE
    port = tls_bench.listen(ClientAuth.ANY)
    assert what_came(port, client(tls_bench, device, version)) == "end"
    assert tls_bench.opened == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_platform_judges_is_what_the_peer_sent(
    tls_bench: TlsBench, device: ClientCertificate, version: ssl.TLSVersion
) -> None:
    """Not a chain that somebody has put in order: a platform may want each to be signed by the next."""
    strange = trustme.CA()
    odd = (device.chain[0], ssl.PEM_cert_to_DER_cert(strange.cert_pem.bytes().decode()), device.chain[1])
    port = tls_bench.listen(ClientAuth.ANY)
    with Peer(port, client(tls_bench, ClientCertificate(odd, device.key_pem), version)) as peer:
        peer.send(b"hello")
        assert peer.until(b"hello") == b"hello"
    (judged,), (opened,) = tls_bench.judge.judged, tls_bench.opened
    assert judged.certificates == opened.session.certificates == odd
    assert judged == opened.session == Session(
        "127.0.0.1", port, 1, "toys", tls=True, certificates=odd, server_name="localhost"
    )  # fmt: skip


def test_who_shows_nothing_is_not_judged(tls_bench: TlsBench) -> None:
    tls_bench.judge.judge = lambda _: TlsAlert.BAD_CERTIFICATE
    assert what_came(tls_bench.listen(ClientAuth.ANY), client(tls_bench)) == "echo"
    assert tls_bench.judge.judged == []
    assert tls_bench.opened[0].session.certificates == ()


def test_a_bug_of_the_platform_is_ours_and_ends_one_handshake(tls_bench: TlsBench, device: ClientCertificate) -> None:
    def fail(_: Session) -> TlsAlert | None:
        raise ZeroDivisionError

    tls_bench.judge.judge = fail
    port = tls_bench.listen(ClientAuth.ANY)
    assert what_came(port, client(tls_bench, device)) == "alert internal error"
    assert [type(bug) for bug in tls_bench.bugs] == [ZeroDivisionError]
    assert what_came(port, client(tls_bench)) == "echo"


@pytest.mark.parametrize("kind", ["rsa-1024", "expired", "self-signed", "by nobody known"])
def test_any_certificate_gets_to_the_platform(tls_bench: TlsBench, fleet_ca: CertificateAuthority, kind: str) -> None:
    shown = {
        "expired": lambda: fleet_ca.issue_client("late", expired=True),
        "self-signed": lambda: ClientCertificate((fleet_ca.certificate.public_bytes(Encoding.DER),), fleet_ca.key_pem),
        "by nobody known": lambda: CertificateAuthority("nobody", now_us()).issue_client("gw"),
        "rsa-1024": lambda: weak(fleet_ca),
    }[kind]()
    weak_client = client(tls_bench, shown, security_level=0)
    assert what_came(tls_bench.listen(ClientAuth.ANY), weak_client) == "echo"
    assert tls_bench.judge.judged[0].certificates == shown.chain


def weak(authority: CertificateAuthority) -> ClientCertificate:
    """RSA with 1024 bits."""
    from cryptography.hazmat.primitives import serialization

    from fleetrig.simulator.certificates.names import named
    from fleetrig.simulator.certificates.profile import FOR_CLIENTS, Validity, leaf_profile

    key = rsa.generate_private_key(65537, 1024)
    profile = leaf_profile(named("weak"), Validity.days(now_us(), 1), FOR_CLIENTS)
    certificate: x509.Certificate = authority.issue(profile, key.public_key(), "weak")
    pem = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ClientCertificate((certificate.public_bytes(Encoding.DER),), pem)


# Verified by TLS itself


def test_optional_takes_nothing_and_what_it_trusts(
    tls_bench: TlsBench, fleet_ca: CertificateAuthority, device: ClientCertificate
) -> None:
    port = tls_bench.listen(ClientAuth.OPTIONAL, trusted=fleet_ca.certificate_pem)
    assert what_came(port, client(tls_bench)) == "echo"
    assert what_came(port, client(tls_bench, device)) == "echo"
    assert [echo.session.certificates for echo in tls_bench.opened] == [(), device.chain]
    assert [session.certificates for session in tls_bench.judge.judged] == [device.chain]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_platform_may_refuse_what_tls_has_verified(
    tls_bench: TlsBench, fleet_ca: CertificateAuthority, device: ClientCertificate, version: ssl.TLSVersion
) -> None:
    tls_bench.judge.judge = lambda _: TlsAlert.CERTIFICATE_REVOKED
    port = tls_bench.listen(ClientAuth.REQUIRED, trusted=fleet_ca.certificate_pem)
    assert what_came(port, client(tls_bench, device, version)) == "end"
    assert (tls_bench.opened, tls_bench.said()) == ([], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_not_trusted_hears_it_and_the_trace_says_why(
    tls_bench: TlsBench, fleet_ca: CertificateAuthority, version: ssl.TLSVersion
) -> None:
    port = tls_bench.listen(ClientAuth.OPTIONAL, trusted=fleet_ca.certificate_pem)
    stranger = CertificateAuthority("nobody", now_us()).issue_client("gw")
    assert what_came(port, client(tls_bench, stranger, version)) == "alert unknown ca"
    expired = fleet_ca.issue_client("late", expired=True)
    assert what_came(port, client(tls_bench, expired, version)) == "alert certificate expired"
    assert tls_bench.said() == [
        ("refused", "TLS: its certificate is not accepted: unable to get local issuer certificate"),
        ("refused", "TLS: its certificate is not accepted: certificate has expired"),
    ]
    assert tls_bench.opened == []


def test_a_weak_key_is_not_taken_though_its_authority_is(tls_bench: TlsBench, fleet_ca: CertificateAuthority) -> None:
    port = tls_bench.listen(ClientAuth.REQUIRED, trusted=fleet_ca.certificate_pem)
    assert what_came(port, client(tls_bench, weak(fleet_ca), security_level=0)) == "alert bad certificate"
    assert tls_bench.said() == [("refused", "TLS: its certificate is not accepted: EE certificate key too weak")]


@pytest.mark.parametrize("version", VERSIONS)
def test_required_refuses_who_shows_none(
    tls_bench: TlsBench, fleet_ca: CertificateAuthority, version: ssl.TLSVersion
) -> None:
    port = tls_bench.listen(ClientAuth.REQUIRED, trusted=fleet_ca.certificate_pem)
    heard = what_came(port, client(tls_bench, version=version))
    assert heard == ("alert handshake failure" if version is ssl.TLSVersion.TLSv1_2 else "alert certificate required")
    assert tls_bench.said() == [("refused", "TLS: it shows no certificate, and this listener requires one")]


def test_trust_grows_while_it_listens(tls_bench: TlsBench, fleet_ca: CertificateAuthority) -> None:
    """An intermediate authority is enough, and connections that are open stay."""
    plant = fleet_ca.authority_below("another plant")
    shown = plant.issue_client("gw-8")
    port = tls_bench.listen(ClientAuth.REQUIRED, trusted=CertificateAuthority("else", now_us()).certificate_pem)
    assert what_came(port, client(tls_bench, shown)) == "alert unknown ca"
    tls_bench.loop.call(lambda: tls_bench.tls.trust(plant.certificate_pem))
    assert what_came(port, client(tls_bench, shown)) == "echo"
    with pytest.raises(UsageError, match="authorities of clients"):
        tls_bench.tls.trust(b"nothing")


def test_a_resumed_session_still_shows_its_certificate(
    tls_bench: TlsBench, fleet_ca: CertificateAuthority, device: ClientCertificate
) -> None:
    """TLS 1.2 with tickets: the ticket holds the device's own certificate."""
    port = tls_bench.listen(ClientAuth.REQUIRED, trusted=fleet_ca.certificate_pem)
    context = client(tls_bench, device, ssl.TLSVersion.TLSv1_2)
    with Peer(port, context) as first:
        session = first.socket.session  # type: ignore[attr-defined]
    with Peer(port) as second:
        second.socket = context.wrap_socket(second.socket, server_hostname="localhost", session=session)
        second.send(b"hello")
        assert second.until(b"hello") == b"hello"
        assert second.socket.session_reused
    assert [echo.session.certificates[0] for echo in tls_bench.opened] == [device.chain[0]] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_who_is_judged_resumes_nothing(tls_bench: TlsBench, device: ClientCertificate, version: ssl.TLSVersion) -> None:
    port = tls_bench.listen(ClientAuth.ANY)
    context = client(tls_bench, device, version)
    with Peer(port, context) as first:
        first.send(b"hello")
        first.until(b"hello")
        session = first.socket.session  # type: ignore[attr-defined]
    if version is ssl.TLSVersion.TLSv1_2:  # in 1.3 the library sends tickets that lead to nothing
        assert (session.id, session.has_ticket) == (b"", False)
    with Peer(port) as second, suppress(ssl.SSLError):
        second.socket = context.wrap_socket(second.socket, server_hostname="localhost", session=session)
        second.send(b"hello")
        second.until(b"hello")
        assert not second.socket.session_reused
    assert [session.certificates for session in tls_bench.judge.judged] == [device.chain] * 2


@pytest.mark.parametrize("client_auth", [ClientAuth.OPTIONAL, ClientAuth.REQUIRED, ClientAuth.ANY])
def test_who_resumes_a_session_is_judged_by_the_same_chain(
    tls_bench: TlsBench, device: ClientCertificate, fleet_ca: CertificateAuthority, client_auth: ClientAuth
) -> None:
    """Java's clients do, with TLS 1.2."""
    port = tls_bench.listen(client_auth, trusted=fleet_ca.certificate_pem)
    context, session = client(tls_bench, device, ssl.TLSVersion.TLSv1_2), None
    for _ in range(2):
        raw = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as peer:
            peer.sendall(b"hello")
            assert peer.recv(64) == b"hello"
            session = peer.session
    first, again = (one.certificates for one in tls_bench.judge.judged)
    assert first == again
    assert first[: len(device.chain)] == device.chain


@pytest.mark.parametrize("client_auth", [ClientAuth.OPTIONAL, ClientAuth.ANY])
def test_who_resumes_a_session_is_refused_as_anybody_else(
    tls_bench: TlsBench, device: ClientCertificate, fleet_ca: CertificateAuthority, client_auth: ClientAuth
) -> None:
    port = tls_bench.listen(client_auth, trusted=fleet_ca.certificate_pem)
    context = client(tls_bench, device, ssl.TLSVersion.TLSv1_2)
    with Peer(port, context) as peer:
        peer.send(b"hello")
        peer.until(b"hello")
        assert isinstance(peer.socket, ssl.SSLSocket)
        session = peer.socket.session
    tls_bench.judge.judge = lambda _: TlsAlert.CERTIFICATE_REVOKED
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost", session=session) as again,
    ):
        assert again.recv(64) == b""
    tls_bench.until(lambda: len(tls_bench.judge.judged) == 2)
    assert len(tls_bench.opened) == 1
