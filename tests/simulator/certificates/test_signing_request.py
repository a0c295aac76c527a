"""Requests: their signature counts, and what they ask for is taken over only as far as was agreed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.certificates.profile import FOR_SERVERS, Validity
from fleetrig.simulator.certificates.signing_request import not_taken_over, read_request, requested_profile
from fleetrig.simulator.contract.clock import US_PER_S

STEADY = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
NOW_US = 1_790_000_000 * US_PER_S
KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = CertificateAuthority("CA", NOW_US)
VALIDITY = Validity.days(NOW_US, 30)


def made(*extensions: x509.ExtensionType) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder(distinguished_name("CN=HB-1,O=ACME"))
    for one in extensions:
        builder = builder.add_extension(one, critical=False)
    return builder.sign(KEY, hashes.SHA256())


def forged(request: bytes) -> bytes:
    """The same with another name: its signature does not fit any more."""
    assert request.count(b"HB-1") == 1
    return request.replace(b"HB-1", b"HB-2")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_request_is_read_and_signed(encoding: Encoding) -> None:
    request = read_request(made(x509.SubjectAlternativeName([x509.DNSName("a.example")])).public_bytes(encoding))
    certificate = AUTHORITY.issue(requested_profile(request, VALIDITY), request.public_key(), "test")
    assert certificate.subject == request.subject
    assert certificate.public_key() == KEY.public_key()
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    ) == ["a.example"]
    certificate.verify_directly_issued_by(AUTHORITY.certificate)


def test_only_what_was_agreed_is_taken_over() -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    request = made(x509.BasicConstraints(ca=True, path_length=None), names)
    profile = requested_profile(
        request, VALIDITY, subject=distinguished_name("CN=other"), takes_names=False, usage=FOR_SERVERS
    )
    certificate = AUTHORITY.issue(profile, request.public_key(), "test")
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.subject.rfc4514_string() == "CN=other"
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [FOR_SERVERS]
    assert not_taken_over(request, profile) == ["basicConstraints", "subjectAltName"]
    assert not_taken_over(request, requested_profile(request, VALIDITY)) == ["basicConstraints"]


def test_a_request_that_its_key_has_not_signed_is_refused() -> None:
    with pytest.raises(ValueError, match="not signed by the key in it"):
        read_request(forged(made().public_bytes(Encoding.DER)))


@pytest.mark.parametrize("noise", [b"", b"noise", b"-----BEGIN CERTIFICATE REQUEST-----\n", AUTHORITY.certificate_pem])
def test_what_is_no_request_is_told(noise: bytes) -> None:
    with pytest.raises(ValueError, match="it holds no certificate request"):
        read_request(noise)


REQUEST = made(x509.SubjectAlternativeName([x509.DNSName("a.example")])).public_bytes(Encoding.DER)


@STEADY
@given(st.integers(0, len(REQUEST) - 1), st.integers(1, 255))
def test_whatever_its_key_has_signed_is_unchanged(position: int, flip: int) -> None:
    """A flipped byte is told, unless it is one of how the signature is written."""
    flipped = REQUEST[:position] + bytes([REQUEST[position] ^ flip]) + REQUEST[position + 1 :]
    with suppress(ValueError):
        assert read_request(flipped).tbs_certrequest_bytes == read_request(REQUEST).tbs_certrequest_bytes
