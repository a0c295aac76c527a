"""What clients make of each certificate that a server may show in place of its own."""

from __future__ import annotations

import ssl

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from fleetrig.simulator.certificates.pem import certificates_in
from fleetrig.simulator.contract.handshake import ShownCertificate
from tests.reference_server.fronts.peer import Peer
from tests.reference_server.fronts.tls.tls_bench import TlsBench, client, now_us, what_came

EACH = pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])
COMPLAINTS = {
    ShownCertificate.EXPIRED: "certificate has expired",
    ShownCertificate.NOT_YET_VALID: "certificate is not yet valid",
    ShownCertificate.WRONG_NAME: "Hostname mismatch, certificate is not valid for 'localhost'.",
    ShownCertificate.STRANGER: "self-signed certificate|unable to get local issuer|certificate signature failure",
}


@EACH
@pytest.mark.parametrize(("shown", "complaint"), COMPLAINTS.items())
def test_what_clients_complain_about(
    tls_bench: TlsBench, client_auth: ClientAuth, shown: ShownCertificate, complaint: str
) -> None:
    port = tls_bench.listen(client_auth)
    assert what_came(port, client(tls_bench)) == "echo"
    tls_bench.judge.shows = shown
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        Peer(port, client(tls_bench))
    tls_bench.until(lambda: bool(tls_bench.events))
    assert tls_bench.events[0].kind == "refused"
    assert "this server's certificate" in tls_bench.events[0].reason
    tls_bench.judge.shows = ShownCertificate.OWN
    assert what_came(port, client(tls_bench)) == "echo"


@EACH
def test_a_long_chain_is_a_good_one(tls_bench: TlsBench, client_auth: ClientAuth) -> None:
    tls_bench.judge.shows = ShownCertificate.LONG_CHAIN
    assert what_came(tls_bench.listen(client_auth), client(tls_bench)) == "echo"
    chain = certificates_in(tls_bench.certificates.of(ShownCertificate.LONG_CHAIN).chain_pem)
    assert sum(len(one.public_bytes(Encoding.DER)) for one in chain) >= 16 * 1024


def test_each_is_made_once(certificates: ServerCertificates) -> None:
    assert certificates.of(ShownCertificate.EXPIRED) is certificates.of(ShownCertificate.EXPIRED)


def test_a_user_s_own_certificate_is_shown_and_faults_are_of_a_throw_away_authority() -> None:
    issued = trustme.CA().issue_cert("localhost")
    own = ServerCertificate(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
    certificates = ServerCertificates([], now_us(), own)
    assert certificates.of(ShownCertificate.OWN) is own
    assert certificates.ca is None
    assert certificates_in(certificates.of(ShownCertificate.EXPIRED).chain_pem)[0].issuer.rfc4514_string() == (
        "CN=fleetrig throw-away CA"
    )
    certificates.close()


def test_a_bug_while_a_certificate_is_made_ends_one_connection(tls_bench: TlsBench) -> None:
    port = tls_bench.listen()
    tls_bench.judge.shows = "no such certificate"  # type: ignore[assignment]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Peer(port, client(tls_bench))
    assert len(tls_bench.bugs) == 1
    tls_bench.judge.shows = ShownCertificate.OWN
    assert what_came(port, client(tls_bench)) == "echo"


def test_a_key_is_never_printed(certificates: ServerCertificates) -> None:
    assert "PRIVATE" not in repr(certificates.of(ShownCertificate.OWN))
