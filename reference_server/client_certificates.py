"""Verifies the certificates that clients show, as a TLS terminator does: pure, with the time handed in.

Reasons are OpenSSL's own sentences (`X509_verify_cert_error_string`), which nginx writes into its log. A certificate
that is out of date is judged by the server's clock, not by the machine's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleetrig.reference_server.platform import VerifiedClient
from fleetrig.simulator.contract.clock import US_PER_S

MAX_DEPTH: Final = 4
"""Certificates above the client's own."""
REMEMBERED: Final = 100_000

NO_ISSUER: Final = "unable to get local issuer certificate"
SELF_SIGNED: Final = "self-signed certificate"
EXPIRED: Final = "certificate has expired"
TOO_EARLY: Final = "certificate is not yet valid"
NO_AUTHORITY: Final = "invalid CA certificate"
NOT_FOR_CLIENTS: Final = "unsuitable certificate purpose"
UNREADABLE: Final = "the certificate cannot be read"


@dataclass(frozen=True, slots=True)
class _Found:
    """All that does not depend on the time."""

    verdict: VerifiedClient
    spans: tuple[tuple[datetime, datetime], ...] = ()
    """When the certificates of the chain count, the client's own first."""


class ClientAuthorities:
    """The authorities whose client certificates are accepted; more can be added while a server runs."""

    def __init__(self, pem: bytes = b"") -> None:
        """Raises ValueError for what is no PEM with certificates."""
        self._anchors: list[x509.Certificate] = []
        self._known: dict[bytes, _Found] = {}
        """By a digest of the chain: anybody may show one of 100 KB, and no more is kept of it than what it said."""
        if pem:
            self.add(pem)

    def add(self, pem: bytes) -> None:
        """Trusts these as well. Raises ValueError for what is no PEM with certificates."""
        self._anchors += x509.load_pem_x509_certificates(pem)
        self._known.clear()

    def verify(self, chain: tuple[bytes, ...], now_us: int) -> VerifiedClient:
        """See `ClientVerifier`. What was found out once is remembered; dates are looked at every time."""
        key = _digest(chain)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._examine(chain)
        return VerifiedClient(why) if (why := _out_of_date(found.spans, now_us)) else found.verdict

    def _examine(self, chain: Sequence[bytes]) -> _Found:
        try:
            own, *others = [x509.load_der_x509_certificate(one) for one in chain]
            path, reason = self._path(own, others)
            reason = reason or ("" if _is_for_clients(own) else NOT_FOR_CLIENTS)
            hashes = () if reason else tuple(dict.fromkeys(name_hash(one.issuer) for one in path))
            verdict = VerifiedClient(reason, "" if reason else _common_name(own.subject), hashes)
            return _Found(verdict, tuple((one.not_valid_before_utc, one.not_valid_after_utc) for one in path))
        except ValueError:
            return _Found(VerifiedClient(UNREADABLE))

    def _path(self, own: x509.Certificate, others: Iterable[x509.Certificate]) -> tuple[list[x509.Certificate], str]:
        """The certificate and the authorities between it and one that is trusted; and why there is no such way."""
        path, left = [own], list(others)
        while len(path) <= MAX_DEPTH:
            if anchor := next((one for one in self._anchors if _issued(one, path[-1])), None):
                return ([*path, anchor] if anchor != path[-1] else path), "" if _may_issue(anchor) else NO_AUTHORITY
            issuer = next((one for one in left if _issued(one, path[-1])), None)
            if issuer is None:
                break
            if not _may_issue(issuer):
                return path, NO_AUTHORITY
            left.remove(issuer)
            path.append(issuer)
        return path, SELF_SIGNED if _issued(own, own) else NO_ISSUER


def _digest(chain: Iterable[bytes]) -> bytes:
    """Of each certificate first, so that no two chains run together to the same bytes."""
    return hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in chain)).digest()


def _out_of_date(spans: Iterable[tuple[datetime, datetime]], now_us: int) -> str:
    now = datetime.fromtimestamp(now_us // US_PER_S, UTC)
    for begin, end in spans:
        if now < begin:
            return TOO_EARLY
        if now > end:
            return EXPIRED
    return ""


def _issued(issuer: x509.Certificate, issued: x509.Certificate) -> bool:
    if issuer.subject != issued.issuer:
        return False
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.issuer == certificate.subject  # as OpenSSL: a root of version 1


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usages)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def name_hash(name: x509.Name) -> str:
    """The hash that `openssl x509 -issuer_hash` prints: of the name's canonical form (`X509_NAME_hash_ex`).

    SHA-1 over the relative names without the sequence around them, each value as UTF-8 in lower case with single
    blanks; of that the first four bytes, the last one first.
    """
    canonical = b"".join(_der(0x31, b"".join(sorted(map(_canonical, relative)))) for relative in name.rdns)
    return hashlib.sha1(canonical, usedforsecurity=False).digest()[3::-1].hex()


def _canonical(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    value = attribute.value
    text = value.encode() if isinstance(value, str) else value
    lowered = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in b" ".join(text.split()))
    return _der(0x30, _oid(attribute.oid.dotted_string) + _der(0x0C, lowered))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _der(0x06, b"".join(map(_base_128, (first * 40 + second, *rest))))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content
