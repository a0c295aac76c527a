"""Verifies the certificates that clients show, as a TLS terminator does: pure, with the time handed in.

Reasons are OpenSSL's own sentences (`X509_verify_cert_error_string`), which nginx writes into its log. A certificate
that is out of date is judged by the server's clock, not by the machine's.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from fleetrig.reference_server.certificate_rules import broken_rule
from fleetrig.reference_server.name_hash import name_hash
from fleetrig.reference_server.platform import VerifiedClient
from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.certificates.pem import CRL, UNREADABLE_BY_LIBRARY, crls_in, is_issuer
from fleetrig.simulator.contract.clock import US_PER_S

MAX_DEPTH: Final = 4
"""Certificates above the client's own."""
REMEMBERED: Final = 100_000
SHOWN_CHARS: Final = 100

NO_ISSUER: Final = "unable to get local issuer certificate"
SELF_SIGNED: Final = "self-signed certificate"
SELF_SIGNED_ABOVE: Final = "self-signed certificate in certificate chain"
EXPIRED: Final = "certificate has expired"
TOO_EARLY: Final = "certificate is not yet valid"
REVOKED: Final = "certificate revoked"
NO_LIST: Final = "unable to get certificate CRL"
LIST_EXPIRED: Final = "CRL has expired"
LIST_TOO_EARLY: Final = "CRL is not yet valid"
UNREADABLE: Final = "the certificate cannot be read"


Lists = Sequence[x509.CertificateRevocationList | None]
"""For each certificate of a path that of its issuer; None for one that was not given."""


@dataclass(frozen=True, slots=True)
class _Span:
    """When a certificate or a list counts, and what is said outside of that."""

    begin: datetime
    end: datetime
    too_early: str = TOO_EARLY
    too_late: str = EXPIRED


@dataclass(frozen=True, slots=True)
class _Found:
    """All that does not depend on the time."""

    verdict: VerifiedClient
    spans: tuple[_Span, ...] = ()
    """Of the lists of revoked certificates, then of the chain, the client's own last."""


class ClientAuthorities:
    """The authorities whose client certificates are accepted; more can be added while a server runs."""

    def __init__(self, pem: bytes = b"") -> None:
        """Raises ValueError for what is no PEM with certificates."""
        self._anchors: list[x509.Certificate] = []
        self._lists: list[x509.CertificateRevocationList] = []
        self._known: dict[bytes, _Found] = {}
        """By a digest of the chain: anybody may show one, of 100 KB each, and only what it said is kept."""
        if pem:
            self.add(pem)

    @property
    def trusts_nobody(self) -> bool:
        return not self._anchors

    def add(self, pem: bytes) -> None:
        """Trusts these as well, and takes up lists of revoked certificates that stand beside them.

        Raises ValueError for what is no PEM with certificates.
        """
        self._anchors += x509.load_pem_x509_certificates(pem)
        self._known.clear()
        if CRL.search(pem):
            self.add_crls(pem)

    def add_crls(self, pem: bytes) -> None:
        """Refuses what these lists of revoked certificates name. Raises ValueError for what is no PEM with lists.

        As with nginx's `ssl_crl`, from then on every authority of a chain needs a list. Its newest one counts.
        """
        self._lists += crls_in(pem)
        self._lists.sort(key=_crl_number, reverse=True)
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
            own, *others = map(_read, chain)
            path, reason = self._path(own, others)
            spans = [_Span(one.not_valid_before_utc, one.not_valid_after_utc) for one in reversed(path)]
            lists: Lists = ()
            if not reason:
                lists = list(self._lists_of(path))
                spans = [*(_span_of(one) for one in lists if one is not None), *spans]
                reason = _revoked(path, lists) or broken_rule(path)
            return _Found(_verdict(path, others, reason, lists), tuple(spans))
        except UNREADABLE_BY_LIBRARY:
            return _Found(VerifiedClient(UNREADABLE))

    def _path(self, own: x509.Certificate, others: Iterable[x509.Certificate]) -> tuple[list[x509.Certificate], str]:
        """The certificate and the authorities between it and one that is trusted; and why there is no such way."""
        path, left = [own], list(others)
        while len(path) <= MAX_DEPTH:
            if anchor := next((one for one in self._anchors if is_issuer(one, path[-1])), None):
                return [*path, anchor] if anchor != path[-1] else path, ""
            issuer = next((one for one in left if is_issuer(one, path[-1])), None)
            if issuer is None:
                break
            left.remove(issuer)
            path.append(issuer)
        if not is_issuer(path[-1], path[-1]):
            return path, NO_ISSUER
        return path, SELF_SIGNED if len(path) == 1 else SELF_SIGNED_ABOVE

    def _lists_of(self, path: Sequence[x509.Certificate]) -> Iterator[x509.CertificateRevocationList | None]:
        """For each certificate the newest list of who issued it; nothing when no lists are asked for."""
        if not self._lists:
            return
        for issuer in (*path[1:], path[-1]):
            yield next((one for one in self._lists if one.issuer == issuer.subject and _is_of(one, issuer)), None)


def _read(der: bytes) -> x509.Certificate:
    """The library warns of serial numbers below 1, which OpenSSL takes: what anybody shows is not to fill our log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        certificate = x509.load_der_x509_certificate(der)
        certificate.extensions  # noqa: B018  kept from now on
    return certificate


def _verdict(
    path: Sequence[x509.Certificate], shown: Iterable[x509.Certificate], reason: str, lists: Lists
) -> VerifiedClient:
    if reason == NO_LIST:
        return VerifiedClient(reason, explanation=_missing_list(path, lists))
    if reason:
        return VerifiedClient(reason, explanation=_explanation(path, shown, reason))
    hashes = tuple(dict.fromkeys(name_hash(one.issuer) for one in path))
    return VerifiedClient("", common_name_in(path[0].subject), hashes)


def _explanation(path: Sequence[x509.Certificate], shown: Iterable[x509.Certificate], reason: str) -> str:
    """What OpenSSL's sentence leaves open, for the trace."""
    below = next((one for one in shown if is_issuer(path[0], one)), None)
    if below is not None:
        first, issued = _name(path[0].subject), _name(below.subject)
        return f"the chain is in the wrong order: {first} comes first, and it issued {issued}"
    if reason == NO_ISSUER:
        return f"{_name(path[-1].issuer)}, which issued {_name(path[-1].subject)}, is neither trusted nor shown"
    if reason == SELF_SIGNED_ABOVE:
        return f"{_name(path[-1].subject)}, which is shown, is not trusted"
    return ""


def _missing_list(path: Sequence[x509.Certificate], lists: Lists) -> str:
    """Whose it is: the reason speaks of the device's certificate, and mostly the root's list is missing."""
    authorities = (*path[1:], path[-1])
    lacking = dict.fromkeys(_name(one.subject) for one, its in zip(authorities, lists, strict=True) if its is None)
    return f"no list of {' and '.join(lacking)} was given; once there is any, every authority of a chain needs one"


def _name(name: x509.Name) -> str:
    """As much of a name as a line can hold: anybody may show one of 100 KB."""
    return ascii(name.rfc4514_string()[:SHOWN_CHARS])


def _revoked(path: Sequence[x509.Certificate], lists: Lists) -> str:
    """What is found last counts, as everywhere in OpenSSL."""
    reason = ""
    for certificate, its_list in zip(path, lists, strict=False):
        if its_list is None:
            reason = NO_LIST
        elif its_list.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            reason = REVOKED
    return reason


def _is_of(one: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        return one.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except UNREADABLE_BY_LIBRARY:
        return False


def _crl_number(one: x509.CertificateRevocationList) -> tuple[int, datetime]:
    """Later lists have higher numbers; those without are told apart by their dates."""
    try:
        number = one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        number = -1
    return number, one.last_update_utc


def _span_of(one: x509.CertificateRevocationList) -> _Span:
    end = one.next_update_utc or datetime.max.replace(tzinfo=UTC)
    return _Span(one.last_update_utc, end, LIST_TOO_EARLY, LIST_EXPIRED)


def _digest(chain: Iterable[bytes]) -> bytes:
    """Of each certificate first, so that no two chains run together to the same bytes."""
    return hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in chain)).digest()


def _out_of_date(spans: Iterable[_Span], now_us: int) -> str:
    """The dates of certificates are looked at after those of lists, and the last thing found is what is told."""
    now = datetime.fromtimestamp(now_us // US_PER_S, UTC)
    said = ""
    for span in spans:
        if now < span.begin:
            said = span.too_early
        elif now > span.end:
            said = span.too_late
    return said
