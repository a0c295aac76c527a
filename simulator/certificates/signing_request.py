"""Requests for certificates (CSR, PKCS #10): read, their signature verified, and what is taken over of them."""

from __future__ import annotations

from cryptography import x509

from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, CertificateProfile, Validity, leaf_profile

PEM_MARK = b"-----BEGIN "


def read_request(data: bytes) -> x509.CertificateSigningRequest:
    """A request in PEM or DER, signed by the key that it holds. Raises ValueError."""
    try:
        load = x509.load_pem_x509_csr if PEM_MARK in data else x509.load_der_x509_csr
        request = load(data)
        is_signed = request.is_signature_valid
        request.extensions  # noqa: B018  what cannot be read is found now
    except UNREADABLE_BY_LIBRARY:
        raise ValueError("it holds no certificate request (-----BEGIN CERTIFICATE REQUEST-----)") from None
    if not is_signed:
        raise ValueError("the request is not signed by the key in it: whoever made it does not have that key")
    return request


def requested_profile(
    request: x509.CertificateSigningRequest,
    validity: Validity,
    *,
    subject: x509.Name | None = None,
    takes_names: bool = True,
    usage: x509.ObjectIdentifier = FOR_CLIENTS,
) -> CertificateProfile:
    """Subject (unless given) and alternative names (if `takes_names`) are the request's, all else is the authority's.

    A request that wants to be an authority, say, becomes an ordinary certificate.
    """
    names = alternative_names_in(request) if takes_names else ()
    return leaf_profile(subject or request.subject, validity, usage, names)


def alternative_names_in(request: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    try:
        return tuple(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()


def not_taken_over(request: x509.CertificateSigningRequest, profile: CertificateProfile) -> list[str]:
    """Names of the extensions that a request asks for and the certificate has not, or has otherwise."""
    has = {one.oid: one.value for one in profile.extensions}
    return [one.oid._name for one in request.extensions if has.get(one.oid) != one.value]  # noqa: SLF001
