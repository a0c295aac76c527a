"""What a TLS terminator finds out about certificates: each thing that can be wrong, one at a time."""

from __future__ import annotations

import subprocess
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.reference_server.name_hash import name_hash
from fleetrig.simulator.certificates.authority import CertificateAuthority, read_authority
from fleetrig.simulator.certificates.pem import client_certificate_in, common_name_of
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate

NOW_US = 1_790_000_000 * US_PER_S
DAY_US = 86_400 * US_PER_S
NOW = datetime.fromtimestamp(NOW_US // US_PER_S, UTC)

Key = ec.EllipticCurvePrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(
    subject: str,
    issuer: str,
    own: Key,
    signer: Key,
    *,
    ca: bool | None = False,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    """A certificate with exactly these parts."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def der(*certificates: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in certificates)


def trusting(*certificates: x509.Certificate) -> ClientAuthorities:
    return ClientAuthorities(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))


@pytest.fixture(scope="module")
def plant() -> CertificateAuthority:
    return CertificateAuthority("Plant CA", NOW_US)


def test_a_certificate_of_a_trusted_authority_is_verified(plant: CertificateAuthority) -> None:
    verified = ClientAuthorities(plant.certificate_pem).verify(plant.issue_client("HB-1").chain, NOW_US)
    assert (verified.reason, verified.common_name) == ("", "HB-1")
    assert verified.issuer_hashes == (name_hash(name("Plant CA")),)


def test_that_of_another_authority_is_not(plant: CertificateAuthority) -> None:
    stranger = CertificateAuthority("Stranger", NOW_US).issue_client("HB-1")
    verified = ClientAuthorities(plant.certificate_pem).verify(stranger.chain, NOW_US)
    assert (verified.reason, verified.common_name) == ("unable to get local issuer certificate", "")


def test_an_authority_of_the_same_name_is_another_one(plant: CertificateAuthority) -> None:
    """The signature counts, not the name."""
    impostor = CertificateAuthority("Plant CA", NOW_US).issue_client("HB-1")
    assert ClientAuthorities(plant.certificate_pem).verify(impostor.chain, NOW_US).reason
    assert not ClientAuthorities(plant.certificate_pem).verify(plant.issue_client("HB-1").chain, NOW_US).reason


@pytest.mark.parametrize(
    ("at_us", "reason"),
    [
        (NOW_US - 2 * DAY_US, "certificate is not yet valid"),
        (NOW_US, ""),
        (NOW_US + 364 * DAY_US, ""),
        (NOW_US + 366 * DAY_US, "certificate has expired"),
    ],
)
def test_dates_are_judged_by_the_clock_that_is_handed_in(plant: CertificateAuthority, at_us: int, reason: str) -> None:
    trusted, chain = ClientAuthorities(plant.certificate_pem), plant.issue_client("HB-1").chain
    assert not trusted.verify(chain, NOW_US).reason
    assert trusted.verify(chain, at_us).reason == reason


def test_an_expired_one_is_issued_expired(plant: CertificateAuthority) -> None:
    chain = plant.issue_client("HB-1", expired=True).chain
    trusted = ClientAuthorities(plant.certificate_pem)
    assert trusted.verify(chain, NOW_US).reason == "certificate has expired"
    assert not trusted.verify(chain, NOW_US - DAY_US // 2).reason


def test_an_authority_that_is_out_of_date_vouches_for_nobody() -> None:
    root_key, own_key = key(), key()
    root = made("Root", "Root", root_key, root_key, ca=True)
    young = x509.CertificateBuilder(
        name("Root"), name("HB-1"), own_key.public_key(), 9, NOW - timedelta(days=1), NOW + timedelta(days=400)
    ).sign(root_key, hashes.SHA256())
    assert trusting(root).verify(der(young), NOW_US + 2 * DAY_US).reason == "certificate has expired"


def test_intermediates_come_with_the_client_or_are_missing() -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    leaf = middle.issue_cert(common_name="HB-1")
    pem = b"".join(part.bytes() for part in leaf.cert_chain_pems)
    chain = client_certificate_in(leaf.private_key_pem.bytes() + pem).chain
    trusted = ClientAuthorities(root.cert_pem.bytes())
    now_us = int(datetime.now(UTC).timestamp()) * US_PER_S
    verified = trusted.verify(chain, now_us)
    assert (verified.reason, verified.common_name, len(verified.issuer_hashes)) == ("", "HB-1", 2)
    assert trusted.verify(chain[:1], now_us).reason == "unable to get local issuer certificate"
    assert not ClientAuthorities(middle.cert_pem.bytes()).verify(chain[:1], now_us).reason


def test_a_device_is_no_authority() -> None:
    """Its certificate, though good itself, issues nothing."""
    root_key, device_key, own_key = key(), key(), key()
    root = made("Root", "Root", root_key, root_key, ca=True)
    device = made("HB-1", "Root", device_key, root_key)
    forged = made("HB-2", "HB-1", own_key, device_key)
    assert trusting(root).verify(der(forged, device), NOW_US).reason == "invalid CA certificate"
    assert not trusting(root).verify(der(device), NOW_US).reason


def test_certificates_for_servers_are_not_for_clients() -> None:
    root_key = key()
    root = made("Root", "Root", root_key, root_key, ca=True)
    server = made("HB-1", "Root", key(), root_key, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    client = made("HB-1", "Root", key(), root_key, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert trusting(root).verify(der(server), NOW_US).reason == "unsuitable certificate purpose"
    assert not trusting(root).verify(der(client), NOW_US).reason


def test_self_signed_ones_count_only_when_trusted() -> None:
    own_key = key()
    own = made("HB-1", "HB-1", own_key, own_key, ca=None)
    root_key = key()
    root = made("Root", "Root", root_key, root_key, ca=True)
    assert trusting(root).verify(der(own), NOW_US).reason == "self-signed certificate"
    assert not trusting(own).verify(der(own), NOW_US).reason


@pytest.mark.parametrize("chain", [(b"",), (b"junk",), (b"\x30\x82" * 40,)])
def test_noise_is_refused_and_not_raised(plant: CertificateAuthority, chain: tuple[bytes, ...]) -> None:
    assert ClientAuthorities(plant.certificate_pem).verify(chain, NOW_US).reason == "the certificate cannot be read"


def test_an_authority_can_be_added_and_a_verdict_changes(plant: CertificateAuthority) -> None:
    other = CertificateAuthority("Second CA", NOW_US)
    trusted, chain = ClientAuthorities(plant.certificate_pem), other.issue_client("HB-1").chain
    assert trusted.verify(chain, NOW_US).reason
    trusted.add(other.certificate_pem)
    assert not trusted.verify(chain, NOW_US).reason
    assert not trusted.verify(plant.issue_client("HB-1").chain, NOW_US).reason


def test_nobody_is_trusted_at_first(plant: CertificateAuthority) -> None:
    assert ClientAuthorities().verify(plant.issue_client("HB-1").chain, NOW_US).reason


@pytest.mark.parametrize(
    "subject",
    [
        "/CN=Plant CA/O=Acme  GmbH",
        "/C=DE/O=Größe AG /OU=A/CN=x",
        "/DC=com/DC=example/CN=Sub CA",
        "/O=a/O=b/emailAddress=X@Y.z/serialNumber=12 A",
        "/CN=Fleet+OU=Two/O=Acme",
        f"/O={'Q' * 64}/OU={'R' * 64}/CN={'S' * 64}",
    ],
)
def test_the_issuer_hash_is_that_of_openssl(tmp_path: Path, subject: str) -> None:
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c")]
    make = ["openssl", "req", "-x509", "-utf8", *new_key, *files, "-subj", subject, "-multivalue-rdn"]
    subprocess.run(make, check=True, capture_output=True)
    ask = ["openssl", "x509", "-in", str(tmp_path / "c"), "-issuer_hash", "-noout"]
    printed = subprocess.run(ask, check=True, capture_output=True, text=True)
    certificate = x509.load_pem_x509_certificate((tmp_path / "c").read_bytes())
    assert name_hash(certificate.issuer) == printed.stdout.strip()


def test_with_a_seed_everything_is_the_same_each_time() -> None:
    def issued(seed: str) -> tuple[bytes, ClientCertificate]:
        authority = CertificateAuthority("CA", NOW_US, seed=seed)
        return authority.certificate_pem, authority.issue_client("HB-1")

    assert issued("1") == issued("1")
    assert issued("1")[1].key_pem != issued("2")[1].key_pem


def test_without_a_seed_nothing_is(plant: CertificateAuthority) -> None:
    assert plant.issue_client("HB-1").key_pem != plant.issue_client("HB-1").key_pem


def test_two_units_of_a_seed_share_no_key() -> None:
    authority = CertificateAuthority("CA", NOW_US, seed="1")
    assert authority.issue_client("HB-1").key_pem != authority.issue_client("HB-2").key_pem


def test_an_authority_of_others_issues_too() -> None:
    root = trustme.CA()
    now_us = int(datetime.now(UTC).timestamp()) * US_PER_S
    authority = read_authority(root.private_key_pem.bytes() + root.cert_pem.bytes(), now_us)
    issued = authority.issue_client("HB-1")
    assert common_name_of(issued) == "HB-1"
    assert not ClientAuthorities(root.cert_pem.bytes()).verify(issued.chain, now_us).reason


def test_files_that_do_not_fit_are_told() -> None:
    one, other = trustme.CA(), trustme.CA()
    with pytest.raises(ValueError, match="does not belong"):
        read_authority(one.private_key_pem.bytes() + other.cert_pem.bytes(), NOW_US)
    with pytest.raises(ValueError, match="no PEM private key"):
        read_authority(one.cert_pem.bytes(), NOW_US)
    with pytest.raises(ValueError, match="no PEM certificate"):
        client_certificate_in(one.private_key_pem.bytes())


def test_a_key_is_never_printed(plant: CertificateAuthority) -> None:
    issued = plant.issue_client("HB-1")
    assert repr(issued) == f"client-certificate:{issued.fingerprint[:4]}"


def test_what_anybody_shows_is_not_kept() -> None:
    """A handshake takes chains of up to 100 KB, and whoever is not let in can show a new one each time."""
    authorities = ClientAuthorities()
    tracemalloc.start()
    try:
        for number in range(200):
            assert authorities.verify((b"%09d" % number * 10_000,), NOW_US).reason
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 2_000_000


def test_chains_that_run_together_alike_are_two() -> None:
    own = key()
    shown = made("dev", "dev", own, own, ca=True)
    authorities = ClientAuthorities(shown.public_bytes(Encoding.PEM))
    der = shown.public_bytes(Encoding.DER)
    assert authorities.verify((der,), NOW_US).reason == ""
    assert authorities.verify((der[:-1], der[-1:]), NOW_US).reason
