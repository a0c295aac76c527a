"""What authorities issue: for whom, until when, by whom; the same each time from a seed; and OpenSSL agrees."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.simulator.certificates.authority import CertificateAuthority, Issued, read_authority
from fleetrig.simulator.certificates.keys import KeyKind, KeyMaker
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.certificates.pem import client_certificate_in, common_name_of
from fleetrig.simulator.certificates.profile import DAY_US, Validity, date_of, profile_of
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate

NOW_US = 1_790_000_000 * US_PER_S
NOW = datetime.fromtimestamp(NOW_US // US_PER_S, UTC)


@pytest.fixture(scope="module")
def plant() -> CertificateAuthority:
    return CertificateAuthority("Plant CA", NOW_US)


def read(certificate: ClientCertificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.chain[0])


def reason(trusted: CertificateAuthority, certificate: ClientCertificate, at_us: int = NOW_US) -> str:
    return ClientAuthorities(trusted.certificate_pem).verify(certificate.chain, at_us).reason


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


def test_what_strict_verifiers_want_is_there(plant: CertificateAuthority) -> None:
    """The library's own verifier refuses authorities without keyUsage or key identifier."""
    below = plant.authority_below("Line 1")
    leaf = below.issue_client("HB-1")
    policy = verification.ExtensionPolicy.webpki_defaults_ca(), verification.ExtensionPolicy.permit_all()
    builder = verification.PolicyBuilder().store(verification.Store([plant.certificate])).time(NOW)
    verifier = builder.extension_policies(ca_policy=policy[0], ee_policy=policy[1]).build_client_verifier()
    found = verifier.verify(read(leaf), [below.certificate])
    assert [one.subject for one in found.chain][1:] == [below.subject, plant.subject]


@pytest.mark.parametrize("levels", [1, 3])
def test_authorities_stand_below_each_other_at_any_depth(plant: CertificateAuthority, levels: int) -> None:
    last = plant
    for level in range(levels):
        last = last.authority_below(f"Level {level}")
    leaf = last.issue_client("HB-1")
    assert len(leaf.chain) == 1 + levels
    assert len(last.path) == 1 + levels
    assert not reason(plant, leaf)
    assert reason(plant, ClientCertificate(leaf.chain[:1], leaf.key_pem)) == "unable to get local issuer certificate"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (KeyKind.P256, ec.EllipticCurvePublicKey),
        (KeyKind.ED25519, ed25519.Ed25519PublicKey),
        (KeyKind.RSA2048, rsa.RSAPublicKey),
    ],
)
def test_authorities_and_devices_have_keys_of_any_kind(kind: KeyKind, expected: type) -> None:
    authority = CertificateAuthority("CA", NOW_US, kind=kind)
    leaf = authority.issue_client("HB-1", kind=kind)
    assert isinstance(read(leaf).public_key(), expected)
    assert not reason(authority, leaf)
    assert client_certificate_in(leaf.chain_pem + leaf.key_pem) == leaf


def test_subjects_keep_all_their_parts_in_order(plant: CertificateAuthority) -> None:
    subject = distinguished_name('CN=dev \\"q\\" \\#1,OU=p+UID=z,O=ACME\\, Inc.,ST=BW,C=DE')
    issued = read(plant.issue_client(subject)).subject
    assert issued == subject
    assert [[one.value for one in relative] for relative in issued.rdns] == [
        ["DE"], ["BW"], ["ACME, Inc."], ["p", "z"], ['dev "q" #1'],
    ]  # fmt: skip


def test_a_server_has_its_hosts(plant: CertificateAuthority) -> None:
    issued = plant.issue_server(["plant.example", "127.0.0.1", "::1"])
    certificate = x509.load_pem_x509_certificate(issued.certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["plant.example", "127.0.0.1", "::1"]
    assert "key" not in repr(issued)


def test_a_server_shows_the_authorities_below_the_root(plant: CertificateAuthority) -> None:
    issued: Issued = plant.authority_below("Line 1").issue_server(["a.example"])
    chain = x509.load_pem_x509_certificates(issued.certificate_pem)
    assert [one.subject.rfc4514_string() for one in chain] == ["CN=a.example", "CN=Line 1"]


def test_the_clock_that_is_handed_in_decides(plant: CertificateAuthority) -> None:
    old = plant.issue_client("HB-1", expired=True)
    young = plant.issue_client("HB-1", validity=Validity.later(NOW_US))
    short = plant.issue_client("HB-1", validity=Validity.days(NOW_US, 2))
    assert reason(plant, old) == "certificate has expired"
    assert reason(plant, young) == "certificate is not yet valid"
    assert not reason(plant, young, NOW_US + 2 * DAY_US)
    assert [reason(plant, short, NOW_US + days * DAY_US) for days in (0, 1, 3)] == ["", "", "certificate has expired"]


def test_certificates_count_a_day_earlier(plant: CertificateAuthority) -> None:
    assert not reason(plant, plant.issue_client("HB-1"), NOW_US - DAY_US // 2)
    backdated = plant.issue_client("HB-1", validity=Validity.days(NOW_US, 30, earlier_us=300 * DAY_US))
    assert read(backdated).not_valid_before_utc == date_of(NOW_US - 300 * DAY_US)


@pytest.mark.parametrize("span_us", [(NOW_US, NOW_US - US_PER_S), (-(10**18), NOW_US), (NOW_US, 10**18), (0, 10**30)])
def test_dates_that_no_certificate_has_are_refused(span_us: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="between 1950 and 9999"):
        Validity.from_us(*span_us)


@pytest.mark.parametrize("kind", [KeyKind.P256, None])
def test_a_renewed_one_has_the_same_names_and_other_dates(plant: CertificateAuthority, kind: KeyKind | None) -> None:
    first = plant.issue_client(distinguished_name("CN=HB-1,O=ACME"), alternatives=[x509.DNSName("hb-1.example")])
    renewed = plant.renew(first, Validity.days(NOW_US, 700), kind=kind)
    old, new = read(first), read(renewed)
    assert new.subject == old.subject
    assert new.serial_number != old.serial_number
    assert new.not_valid_after_utc == date_of(NOW_US + 700 * DAY_US)
    assert (new.public_key() == old.public_key()) is (kind is None)
    assert (renewed.key_pem == first.key_pem) is (kind is None)
    assert profile_of(new).extensions == profile_of(old).extensions
    assert not reason(plant, renewed)


def test_during_a_roll_over_both_authorities_count() -> None:
    old, new = CertificateAuthority("CA 2026", NOW_US), CertificateAuthority("CA 2027", NOW_US)
    both = ClientAuthorities(old.certificate_pem + new.certificate_pem)
    assert not any(both.verify(one.issue_client("HB-1").chain, NOW_US).reason for one in (old, new))
    assert reason(old, new.issue_client("HB-1")) == "unable to get local issuer certificate"


def test_who_trusts_the_old_authority_takes_a_cross_signed_one() -> None:
    old, new = CertificateAuthority("CA 2026", NOW_US), CertificateAuthority("CA 2027", NOW_US)
    leaf = new.cross_signed_by(old).issue_client("HB-1")
    assert not reason(old, leaf)
    assert not reason(new, leaf)
    stranger = CertificateAuthority("CA 2027", NOW_US).cross_signed_by(old)
    assert reason(new, stranger.issue_client("HB-1"))


def test_each_list_of_revoked_certificates_tells_more(plant: CertificateAuthority) -> None:
    authority = plant.authority_below("Line 1")
    one, other = authority.issue_client("HB-1"), authority.issue_client("HB-2")
    authority.revoke(one.chain[0], NOW_US)
    first = x509.load_pem_x509_crl(authority.crl(NOW_US))
    authority.revoke(other.chain[0], NOW_US, "keyCompromise")
    second = x509.load_pem_x509_crl(authority.crl(NOW_US + DAY_US, days=7))
    assert [len(first), len(second)] == [1, 2]
    numbers = [crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in (first, second)]
    assert numbers == [1, 2]
    assert second.next_update_utc == date_of(NOW_US + 8 * DAY_US)
    revoked = second.get_revoked_certificate_by_serial_number(read(other).serial_number)
    assert revoked is not None
    assert revoked.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    with pytest.raises(ValueError, match="another authority"):
        plant.revoke(one.chain[0], NOW_US)


def test_from_a_seed_everything_is_the_same_each_time() -> None:
    def made(seed: str) -> list[bytes]:
        authority = CertificateAuthority("CA", NOW_US, seed=seed)
        below = authority.authority_below("Line 1")
        leaf = below.issue_client("HB-1")
        authority.revoke(below.certificate.public_bytes(Encoding.DER), NOW_US)
        renewed = below.renew(leaf, Validity.days(NOW_US, 9))
        ed = below.issue_client("HB-2", kind=KeyKind.ED25519)
        server = below.issue_server(["a.example"])
        return [authority.crl(NOW_US), *leaf.chain, *renewed.chain, renewed.key_pem, *ed.chain, server.certificate_pem]

    assert made("1") == made("1")
    assert set(made("1")).isdisjoint(made("2"))


def test_an_intermediate_of_others_shows_its_own_chain() -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    now_us = int(datetime.now(UTC).timestamp()) * US_PER_S
    pem = root.cert_pem.bytes() + middle.private_key_pem.bytes() + middle.cert_pem.bytes()
    authority = read_authority(pem, now_us)
    leaf = authority.issue_client("HB-1")
    assert len(leaf.chain) == 2
    assert not ClientAuthorities(root.cert_pem.bytes()).verify(leaf.chain, now_us).reason


def test_openssl_takes_what_is_issued(tmp_path: Path, plant: CertificateAuthority) -> None:
    """Also of an authority of others that names its key in its own way."""
    below = plant.authority_below("Line 1", path_length=0, kind=KeyKind.RSA2048)
    shown = below.issue_client("HB-1", kind=KeyKind.ED25519)
    (tmp_path / "ca.pem").write_bytes(plant.certificate_pem)
    (tmp_path / "leaf.pem").write_bytes(shown.chain_pem)
    asked = [
        "openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-attime", str(NOW_US // US_PER_S), "-CAfile",
        str(tmp_path / "ca.pem"), "-untrusted", str(tmp_path / "leaf.pem"), str(tmp_path / "leaf.pem"),
    ]  # fmt: skip
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("leaf.pem: OK\n"), done.stderr


def test_an_authority_that_names_its_key_in_its_own_way_is_named_so() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.SubjectKeyIdentifier(b"called as its owner likes")
    root = CertificateAuthority("Root", NOW_US)
    builder = x509.CertificateBuilder(
        root.subject, distinguished_name("CN=Odd"), key.public_key(), 5, NOW, date_of(NOW_US + DAY_US)
    ).add_extension(own, critical=False)
    odd = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    leaf = read(CertificateAuthority("", NOW_US, existing=([odd], key)).issue_client("HB-1"))
    identifier = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert identifier.key_identifier == own.digest


def test_keys_of_rsa_can_be_shared() -> None:
    authority = CertificateAuthority("CA", NOW_US, keys=KeyMaker(most_rsa_keys=2))
    leaves = [authority.issue_client(f"HB-{n}", kind=KeyKind.RSA1024) for n in range(6)]
    assert len({one.key_pem for one in leaves}) == 2
    assert len({read(one).serial_number for one in leaves}) == 6


def test_keys_of_rsa_are_of_chance() -> None:
    with pytest.raises(ValueError, match="cannot be made from a seed"):
        CertificateAuthority("CA", NOW_US, seed="1", kind=KeyKind.RSA2048)
