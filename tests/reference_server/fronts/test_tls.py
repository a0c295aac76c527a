"""HTTPS: the throw-away authority, certificates of one's own, and what is said of files that do not fit."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate, read_server_certificate
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import FileSlice, HttpResponse
from fleetrig.simulator.contract.trace import Trace
from tests.reference_server.fronts.conftest import NOON_US, FrontBench, Noon
from tests.reference_server.fronts.peer import Peer
from tests.reference_server.fronts.tls.tls_bench import FakeJudge


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class ThrowAway:
    """A certificate for `fleet.example` and loopback, and the TLS that shows it."""

    certificates: ServerCertificates
    tls: ServerTls

    @property
    def ca(self) -> Path:
        assert self.certificates.ca is not None
        return self.certificates.ca


@contextmanager
def thrown_away(client_auth: ClientAuth) -> Iterator[ThrowAway]:
    certificates = ServerCertificates(["fleet.example"], now_us())
    yield ThrowAway(certificates, ServerTls(certificates.of, client_auth, ("http/1.1",)))
    certificates.close()


@pytest.fixture(params=[ClientAuth.NONE, ClientAuth.ANY])
def throw_away(request: pytest.FixtureRequest) -> Iterator[ThrowAway]:
    with thrown_away(request.param) as one:
        yield one


def https(bench: FrontBench, tls: ServerTls) -> Listener:
    listener = Listener("https", Address("127.0.0.1", 0), tls)
    listener.judge_by(Handshakes(FakeJudge(), Noon(), Trace(), lambda *_: None, bench.next_session_id))
    bench.loop.run(bench.front.listen(listener))
    return listener


def listen(bench: FrontBench, tls: ServerTls) -> int:
    return https(bench, tls).address.port


def test_requests_over_tls(bench: FrontBench, throw_away: ThrowAway, image: Path) -> None:
    whole = image.read_bytes()
    bench.answers(HttpResponse(200, body=FileSlice(str(image), 0, len(whole))))
    port = listen(bench, throw_away.tls)
    client = ssl.create_default_context(cafile=throw_away.ca)
    with Peer(port, client) as peer:
        assert peer.get("/a//b").body == whole
        assert peer.get("/again").body == whole
    assert [(request.origin, request.target) for request in bench.seen] == [
        ("https://h", "/a//b"),
        ("https://h", "/again"),
    ]
    assert bench.bugs == []


@pytest.fixture
def asking() -> Iterator[ThrowAway]:
    """Asks clients for certificates."""
    with thrown_away(ClientAuth.ANY) as one:
        yield one


def showing(ca: Path, certificate: trustme.LeafCert | None) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        certificate.configure_cert(client)
    return client


def test_a_session_knows_what_the_client_showed_and_which_host_it_asked_for(
    bench: FrontBench, asking: ThrowAway
) -> None:
    """Nobody here knows the authority: the handshake succeeds all the same."""
    intermediate = trustme.CA().create_child_ca()
    device = intermediate.issue_cert("gw-7")
    port = listen(bench, asking.tls)
    for certificate in (device, None):
        with Peer(port, showing(asking.ca, certificate)) as peer:
            assert peer.get("/").status == 200
    shown, without = bench.sessions
    pems = [device.cert_chain_pems[0], intermediate.cert_pem]
    assert shown.certificates == tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in pems)
    assert without.certificates == ()
    assert [(session.listener, session.tls, session.server_name) for session in (shown, without)] == [
        ("https", True, "localhost"), ("https", True, "localhost"),
    ]  # fmt: skip


def of_stranger(ca: Path) -> ssl.SSLContext:
    return showing(ca, trustme.CA().issue_cert("gw-7"))


def test_who_does_not_ask_sees_no_certificates(bench: FrontBench) -> None:
    with thrown_away(ClientAuth.NONE) as one, Peer(listen(bench, one.tls), of_stranger(one.ca)) as peer:
        peer.get("/")
    assert bench.sessions[0].certificates == ()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_version_of_tls_shows_certificates(bench: FrontBench, asking: ThrowAway, version: ssl.TLSVersion) -> None:
    client = showing(asking.ca, trustme.CA().issue_cert("gw-7"))
    client.minimum_version = client.maximum_version = version
    with Peer(listen(bench, asking.tls), client) as peer:
        assert peer.get("/").status == 200
    assert len(bench.sessions[0].certificates) == 1


def test_a_large_body_comes_through_both_ways(bench: FrontBench, throw_away: ThrowAway) -> None:
    sent = bytes(range(256)) * 4096
    bench.answers(HttpResponse(200, body=sent))
    with Peer(listen(bench, throw_away.tls), showing(throw_away.ca, None)) as peer:
        peer.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(sent) + sent)
        assert peer.answer().body == sent
    assert body_bytes(bench.seen[0].body) == sent


def test_a_reset_and_an_end_reach_a_client_over_tls(bench: FrontBench, throw_away: ThrowAway) -> None:
    port = listen(bench, throw_away.tls)
    for ending in (Ending.RESET, Ending.CLOSED):
        bench.reply = lambda _, ending=ending: Delivery(HttpResponse(200), ending)  # type: ignore[misc]
        with Peer(port, showing(throw_away.ca, None)) as peer:
            peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            said = b""
            with suppress(ConnectionResetError, ssl.SSLError):
                said = peer.rest()
            assert said == b""


def test_a_handshake_that_is_under_way_ends_with_the_listener(bench: FrontBench, asking: ThrowAway) -> None:
    """No front knows of it yet."""
    listener = https(bench, asking.tls)
    with Peer(listener.address.port) as peer:
        peer.send(b"\x16\x03\x01\x02")  # the beginning of a ClientHello
        with Peer(listener.address.port, showing(asking.ca, None)) as other:
            other.get("/")  # whoever came later was served, so the first was taken in
        bench.loop.call(listener.close)
        with suppress(ConnectionResetError):
            assert peer.rest() == b""


def test_listeners_close_with_connections_open(bench: FrontBench, throw_away: ThrowAway) -> None:
    with Peer(listen(bench, throw_away.tls), showing(throw_away.ca, None)) as peer:
        peer.get("/")
        bench.loop.run(bench.front.close())
        assert peer.rest() == b""
    assert bench.bugs == []


def test_the_port_shows_in_links_without_a_host(bench: FrontBench, throw_away: ThrowAway) -> None:
    port = listen(bench, throw_away.tls)
    with Peer(port, ssl.create_default_context(cafile=throw_away.ca)) as peer:
        peer.send(b"GET / HTTP/1.0\r\n\r\n")
        assert peer.rest().startswith(b"HTTP/1.1 200 OK")
    assert bench.seen[0].origin == f"https://localhost:{port}"


def test_plain_http_on_the_tls_port_is_closed(bench: FrontBench, throw_away: ThrowAway) -> None:
    port = listen(bench, throw_away.tls)
    with Peer(port) as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert not peer.rest().startswith(b"HTTP")
    with Peer(port, ssl.create_default_context(cafile=throw_away.ca)) as peer:
        assert peer.get().status == 200


def test_nobody_else_trusts_the_throw_away_authority(bench: FrontBench, throw_away: ThrowAway) -> None:
    port = listen(bench, throw_away.tls)
    with pytest.raises(ssl.SSLCertVerificationError):
        Peer(port, ssl.create_default_context())
    with Peer(port, ssl.create_default_context(cafile=throw_away.ca)) as peer:
        assert peer.get().status == 200


def test_the_authority_satisfies_a_strict_verifier() -> None:
    authority = CertificateAuthority("a test", NOON_US)
    root = x509.load_pem_x509_certificate(authority.certificate_pem)
    leaf = x509.load_pem_x509_certificate(authority.issue_server(["fleet.example", "127.0.0.1"]).certificate_pem)
    moment = leaf.not_valid_before_utc.replace(tzinfo=None)
    verifier = PolicyBuilder().store(Store([root])).time(moment).build_server_verifier(x509.DNSName("fleet.example"))
    assert verifier.verify(leaf, []) == [leaf, root]
    assert leaf.not_valid_before_utc.timestamp() == NOON_US / US_PER_S - 86_400
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_closing_leaves_no_files(throw_away: ThrowAway) -> None:
    folder = throw_away.ca.parent
    assert [path.name for path in folder.iterdir()] == ["ca.pem"]
    throw_away.certificates.close()
    assert not folder.exists()


def test_a_key_is_never_printed() -> None:
    issued = CertificateAuthority("a test", NOON_US).issue_server(["h"])
    assert "PRIVATE" not in repr(issued)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """cert, key, other (another certificate's key), locked (a key with a password), noise, absent."""
    mine, other = trustme.CA().issue_cert("localhost"), trustme.CA().issue_cert("localhost")
    files = {name: tmp_path / f"{name}.pem" for name in ("cert", "key", "other", "locked", "noise", "absent")}
    files["cert"].write_bytes(mine.cert_chain_pems[0].bytes())
    files["key"].write_bytes(mine.private_key_pem.bytes())
    files["other"].write_bytes(other.private_key_pem.bytes())
    files["noise"].write_text("nothing of the kind")
    key = serialization.load_pem_private_key(mine.private_key_pem.bytes(), None)
    secret = serialization.BestAvailableEncryption(b"secret")
    files["locked"].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    )
    return files


def test_ones_own_certificate(files: dict[str, Path]) -> None:
    assert isinstance(read_server_certificate(files["cert"], files["key"]), ServerCertificate)


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        ("absent", "key", r"cannot read .*absent\.pem: No such file"),
        ("cert", "absent", r"cannot read .*absent\.pem: No such file"),
        ("cert", "other", r"other\.pem does not belong to the certificate in .*cert\.pem"),
        ("cert", "locked", r"locked\.pem is protected by a password"),
        ("noise", "key", r"noise\.pem holds no PEM certificate \(-----BEGIN CERTIFICATE-----\)$"),
        ("cert", "noise", r"noise\.pem holds no PEM private key \(-----BEGIN PRIVATE KEY-----\)$"),
        ("cert", "cert", r"cert\.pem holds no PEM private key .*: name the file of its key with --key$"),
        ("key", "key", r"key\.pem holds no PEM certificate"),
    ],
)
def test_files_that_do_not_fit(files: dict[str, Path], certificate: str, key: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read_server_certificate(files[certificate], files[key])
