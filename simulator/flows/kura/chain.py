"""The chain of certificates that comes with the material: whether a gateway believes it (spec 3.7, G-18 to G-23)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.flows.kura.signing import is_current

MOST_CERTIFICATES: Final = 10


def read_chain(pem: str) -> list[x509.Certificate]:
    """Leaf first. Raises ValueError for what is no list of certificates."""
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
    except UNREADABLE_BY_LIBRARY:
        raise ValueError("the chain is no list of certificates in PEM") from None
    if len(chain) > MOST_CERTIFICATES:
        raise ValueError(f"the chain has more than {MOST_CERTIFICATES} certificates")
    return chain


def why_not_trusted(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now_us: int) -> str:
    """Each is issued by the next, all are within their dates, and the last, or who issued it, is an anchor.

    What came with the chain makes nothing an anchor. Empty when all is well.
    """
    if not chain:
        return "there is no chain"
    if not all(is_current(one, now_us) for one in chain):
        return "a certificate of the chain is out of date"
    if not all(is_issued_by(one, issuer) for one, issuer in pairwise(chain)):
        return "a certificate of the chain is not issued by the next"
    if len(chain) == 1 and chain[0].subject == chain[0].issuer:
        return "the leaf has signed itself"
    current = [anchor for anchor in anchors if is_current(anchor, now_us)]
    last = chain[-1]
    if any(last == anchor or is_issued_by(last, anchor) for anchor in current):
        return ""
    return "the root of the chain is not in the trust store"


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE_BY_LIBRARY):
        return False
    return basic.ca
