"""What a TLS terminator finds out about certificates: each thing that can be wrong, one at a time."""

from __future__ import annotations

import subprocess
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.reference_server.name_hash import name_hash
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.certificates.pem import client_certificate_in
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, Validity, extension, leaf_profile
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import as_pem

STEADY = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
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
    assert trusting(root).verify(der(forged, device), NOW_US).reason == "unsuitable certificate purpose"
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


def test_a_chain_in_the_wrong_order_is_explained(plant: CertificateAuthority) -> None:
    """OpenSSL takes the first certificate for the client's own, whatever it is."""
    own, line = plant.authority_below("Line 1").issue_client("HB-1").chain
    verified = ClientAuthorities(plant.certificate_pem).verify((line, own), NOW_US)
    assert verified.reason == "unsuitable certificate purpose"
    assert verified.explanation == "the chain is in the wrong order: 'CN=Line 1' comes first, and it issued 'CN=HB-1'"


def test_who_is_missing_is_explained(plant: CertificateAuthority) -> None:
    own, _ = plant.authority_below("Line 1").issue_client("HB-1").chain
    verified = ClientAuthorities(plant.certificate_pem).verify((own,), NOW_US)
    assert verified.explanation == "'CN=Line 1', which issued 'CN=HB-1', is neither trusted nor shown"


def test_what_is_told_of_names_is_short_and_harmless() -> None:
    shown = CertificateAuthority(named("\x1b[2J\n"), NOW_US)
    for name in (named("x"), x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x" * 64)] * 50)):
        verified = ClientAuthorities().verify(shown.issue_client(name).chain, NOW_US)
        assert verified.explanation.isprintable()
        assert len(verified.explanation) < 300


def test_the_newest_list_of_an_authority_counts() -> None:
    authority = CertificateAuthority("CA", NOW_US)
    chain = authority.issue_client("HB-1").chain
    empty = authority.crl(NOW_US)
    authority.revoke(chain[0], NOW_US)
    full = authority.crl(NOW_US)
    trusted = ClientAuthorities(authority.certificate_pem)
    for lists, reason in ((empty, ""), (full, "certificate revoked"), (empty, "certificate revoked")):
        trusted.add_crls(lists)
        assert trusted.verify(chain, NOW_US).reason == reason


def test_lists_can_stand_in_the_file_of_the_authorities() -> None:
    """As OpenSSL reads such files: `cat ca.pem crl.pem` is what `--client-ca` takes."""
    authority = CertificateAuthority("CA", NOW_US)
    chain = authority.issue_client("HB-1").chain
    authority.revoke(chain[0], NOW_US)
    trusted = ClientAuthorities(authority.certificate_pem + authority.crl(NOW_US))
    assert trusted.verify(chain, NOW_US).reason == "certificate revoked"
    with pytest.raises(ValueError, match="PEM"):
        ClientAuthorities(authority.crl(NOW_US))


def test_a_list_that_somebody_else_has_signed_counts_for_nothing(plant: CertificateAuthority) -> None:
    impostor = CertificateAuthority("Plant CA", NOW_US)
    trusted = ClientAuthorities(plant.certificate_pem)
    trusted.add_crls(impostor.crl(NOW_US))
    assert trusted.verify(plant.issue_client("HB-1").chain, NOW_US).reason == "unable to get certificate CRL"


def test_whose_list_is_missing_is_told(plant: CertificateAuthority) -> None:
    """The sentence of OpenSSL is about the device, whose own authority may well have given its list."""
    line = plant.authority_below("Line 1")
    trusted = ClientAuthorities(plant.certificate_pem + line.crl(NOW_US))
    found = trusted.verify(line.issue_client("HB-1").chain, NOW_US)
    assert found.reason == "unable to get certificate CRL"
    assert found.explanation.startswith("no list of 'CN=Plant CA' was given;")


def test_an_old_list_counts_no_more(plant: CertificateAuthority) -> None:
    trusted, chain = ClientAuthorities(plant.certificate_pem), plant.issue_client("HB-1").chain
    trusted.add_crls(plant.crl(NOW_US, days=7))
    assert not trusted.verify(chain, NOW_US + 6 * DAY_US).reason
    assert trusted.verify(chain, NOW_US + 8 * DAY_US).reason == "CRL has expired"
    assert trusted.verify(chain, NOW_US - DAY_US // 2).reason == "CRL is not yet valid"
    assert trusted.verify(chain, NOW_US + 700 * DAY_US).reason == "certificate has expired"


@pytest.mark.parametrize("pem", [b"", b"noise", b"-----BEGIN X509 CRL-----\nnoise\n-----END X509 CRL-----"])
def test_what_is_no_list_is_told(pem: bytes) -> None:
    with pytest.raises(ValueError, match="no PEM list of revoked certificates"):
        ClientAuthorities().add_crls(pem)


SEEDED = CertificateAuthority("CA", NOW_US, seed="flipped bytes")
CHAIN = SEEDED.authority_below("Line").issue_client("HB-1").chain
TRUSTED = ClientAuthorities(SEEDED.certificate_pem)


@STEADY
@given(st.integers(0, 1), st.integers(0, min(map(len, CHAIN)) - 1), st.integers(0, 255))
def test_a_chain_with_a_flipped_byte_raises_nothing(which: int, position: int, value: int) -> None:
    flipped = list(CHAIN)
    flipped[which] = CHAIN[which][:position] + bytes([value]) + CHAIN[which][position + 1 :]
    assert isinstance(TRUSTED.verify(tuple(flipped), NOW_US).reason, str)


def test_a_serial_number_of_zero_fills_no_log(plant: CertificateAuthority) -> None:
    """The library warns of it, and warnings are errors here. OpenSSL takes it."""
    profile = leaf_profile(named("HB-1"), Validity.days(NOW_US, 9), FOR_CLIENTS)
    (shown,) = der(plant.signer.sign(profile, key().public_key(), 1))
    version = b"\x02\x01\x02"
    zero = shown.replace(version + b"\x02\x01\x01", version + b"\x02\x01\x00")
    assert zero != shown
    verified = ClientAuthorities(plant.certificate_pem).verify((zero,), NOW_US)
    assert verified.reason == "unable to get local issuer certificate"  # its signature does not fit any more


def test_an_extension_that_stands_twice_makes_it_unreadable(plant: CertificateAuthority) -> None:
    """The library raises an error of its own for that, and only when it is asked."""
    first, second = x509.ObjectIdentifier("1.2.3.4.5.1"), x509.ObjectIdentifier("1.2.3.4.5.2")
    odd = [extension(x509.UnrecognizedExtension(oid, b"")) for oid in (first, second)]
    plain = leaf_profile(named("HB-1"), Validity.days(NOW_US, 9), FOR_CLIENTS)
    certificate = plant.issue(replace(plain, extensions=(*plain.extensions, *odd)), key().public_key(), "odd")
    (shown,) = der(certificate)
    twice = shown.replace(b"\x2a\x03\x04\x05\x02", b"\x2a\x03\x04\x05\x01")
    assert twice != shown
    assert ClientAuthorities(plant.certificate_pem).verify((twice,), NOW_US).reason == "the certificate cannot be read"


def test_an_authority_that_is_shown_but_not_trusted(plant: CertificateAuthority, tmp_path: Path) -> None:
    """`fleetrig ca issue` puts the root behind the certificate."""
    stranger = CertificateAuthority("Stranger", NOW_US)
    chain = (*stranger.issue_client("HB-1").chain, stranger.certificate.public_bytes(Encoding.DER))
    found = ClientAuthorities(plant.certificate_pem).verify(chain, NOW_US)
    assert found.explanation == "'CN=Stranger', which is shown, is not trusted"
    files = {name: tmp_path / f"{name}.pem" for name in ("own", "root", "trusted")}
    for name, pem in zip(files, (as_pem(chain[0]), as_pem(chain[1]), plant.certificate_pem), strict=True):
        files[name].write_bytes(pem)
    words = ["openssl", "verify", "-attime", str(NOW_US // US_PER_S), "-CAfile", str(files["trusted"])]
    said = subprocess.run(
        [*words, "-untrusted", str(files["root"]), str(files["own"])], capture_output=True, text=True, check=False
    )
    assert found.reason in said.stderr
