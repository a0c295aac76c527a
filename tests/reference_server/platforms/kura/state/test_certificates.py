"""Certificates of accounts: who signs control messages, and devices' own (spec 3.5)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.platforms.kura.state.certificates import (
    certificates_of,
    create_certificate,
    import_certificate,
    inherited_certificates,
    issue_device_certificate,
    key_of,
    set_certificate_status,
    signing_certificate,
)
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.records import (
    CertificateRecord,
    CertificateStatus,
    CertificateUsage,
)
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.kura.rest_rig import RestRig

DM = (CertificateUsage.DEVICE_MANAGEMENT,)
YEARS_S = 366 * 86_400


def signs(rig: RestRig, scope: str) -> CertificateRecord:
    found = signing_certificate(rig.registry, scope, rig.now_us)
    assert found is not None
    return found


def test_a_fresh_installation() -> None:
    """One for tokens and one for control messages, which accounts below inherit."""
    rig = RestRig()

    assert {(one.name, one.usages[0].value, one.forwardable) for one in certificates_of(rig.registry, "AQ")} == {
        ("dm-1", "DEVICE_MANAGEMENT", True), ("jwt-1", "JWT", True), ("device-ca", "TLS", True),
    }  # fmt: skip
    assert signs(rig, rig.scope()) == signs(rig, "AQ")


def test_the_chain_is_whole_and_in_order() -> None:
    rig = RestRig()
    record = signs(rig, "AQ")
    chain = x509.load_pem_x509_certificates(record.chain_pem.encode())

    assert len(chain) == 3
    for own, issuer in zip(chain, [*chain[1:], chain[-1]], strict=True):
        own.verify_directly_issued_by(issuer)
    key = key_of(record.key_pem)
    assert isinstance(key, Ed25519PrivateKey)
    assert key.public_key() == chain[0].public_key()
    assert x509.load_pem_x509_certificate(record.own_pem.encode()) == chain[0]
    assert record.not_before_us <= rig.now_us < record.not_after_us


def test_an_account_signs_with_its_own_first() -> None:
    rig = RestRig()
    own = create_certificate(rig.registry, rig.scope(), "acct-dm", DM, rig.now_us)

    assert signs(rig, rig.scope()) == own
    assert signs(rig, "AQ").name == "dm-1"
    assert inherited_certificates(rig.registry, rig.scope())[0] == own


@pytest.mark.parametrize("status", [CertificateStatus.REVOKED, CertificateStatus.SUSPENDED])
def test_one_that_is_not_valid_signs_nothing(status: CertificateStatus) -> None:
    rig = RestRig()
    own = create_certificate(rig.registry, rig.scope(), "acct-dm", DM, rig.now_us)
    set_certificate_status(rig.registry, own, status, 1, rig.now_us, "AQ")

    assert signs(rig, rig.scope()).name == "dm-1"


def test_one_that_is_out_of_date_signs_nothing() -> None:
    rig = RestRig()
    rig.now_us += 11 * YEARS_S * US_PER_S

    assert signing_certificate(rig.registry, "AQ", rig.now_us) is None


def test_what_is_not_forwardable_stays_above() -> None:
    rig = RestRig()
    create_certificate(rig.registry, "AQ", "secret-dm", DM, rig.now_us)

    assert "secret-dm" not in [one.name for one in inherited_certificates(rig.registry, rig.scope())]


def test_one_that_others_have_made() -> None:
    rig = RestRig()
    root = CertificateAuthority("elsewhere", rig.now_us, seed="1")
    shown = root.issue_client("signer")
    pem = b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in shown.chain)
    args = (rig.registry, rig.scope(), "imported")
    made = import_certificate(*args, (pem + root.certificate_pem + shown.key_pem).decode(), DM, rig.now_us)

    assert signs(rig, rig.scope()) == made
    assert made.chain_pem.count("BEGIN CERTIFICATE") == 2
    for bad in ("", "x", pem.decode(), (pem + root.key_pem).decode()):
        with pytest.raises(Refused):
            import_certificate(rig.registry, rig.scope(), "other", bad, DM, rig.now_us)


@pytest.mark.parametrize("name", ["", "x" * 49, "acct-dm"])
def test_names_that_are_none(name: str) -> None:
    rig = RestRig()
    create_certificate(rig.registry, rig.scope(), "acct-dm", DM, rig.now_us)

    with pytest.raises(Refused):
        create_certificate(rig.registry, rig.scope(), name, DM, rig.now_us)


def test_a_device_gets_the_name_of_its_client_id() -> None:
    rig = RestRig()
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(wanted).sign(key, hashes.SHA256())

    issued = issue_device_certificate(rig.registry, csr.public_bytes(Encoding.PEM), "gw-1", rig.now_us)

    found = x509.load_pem_x509_certificate(issued.encode())
    authority = next(one for one in certificates_of(rig.registry, "AQ") if one.name == "device-ca")
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.own_pem.encode()))
    assert found.subject.rfc4514_string() == "CN=gw-1"
    assert found.public_key() == key.public_key()


@pytest.mark.parametrize("csr", [b"", b"garbage", b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n"])
def test_a_request_that_is_none(csr: bytes) -> None:
    rig = RestRig()

    with pytest.raises(ValueError, match="certificate request"):
        issue_device_certificate(rig.registry, csr, "gw-1", rig.now_us)
