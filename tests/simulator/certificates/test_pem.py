"""PEM files of others: certificates in any order, keys among them."""

from __future__ import annotations

from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.simulator.certificates.authority import CertificateAuthority, read_authority
from fleetrig.simulator.certificates.pem import client_certificate_in, crls_in, in_order, is_issuer
from fleetrig.simulator.contract.clock import US_PER_S

NOW_US = 1_790_000_000 * US_PER_S
ROOT = CertificateAuthority("Root", NOW_US)
LAST = ROOT.authority_below("A").authority_below("B")
LEAF = LAST.issue_client("HB-1")
CHAIN = [x509.load_der_x509_certificate(LEAF.chain[0]), *LAST.path]
STRANGER = CertificateAuthority("Stranger", NOW_US).certificate


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_chain_is_put_in_order(order: tuple[int, ...]) -> None:
    shuffled = [CHAIN[position] for position in order]
    assert in_order(CHAIN[0], shuffled) == CHAIN
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in shuffled)
    ders = tuple(one.public_bytes(Encoding.DER) for one in CHAIN)
    assert client_certificate_in(pem + LEAF.key_pem).chain == ders
    below_the_leaf = pem.replace(CHAIN[0].public_bytes(Encoding.PEM), b"")
    assert read_authority(LAST.key_pem + below_the_leaf, NOW_US).path == LAST.path


def test_what_is_no_part_of_the_chain_follows() -> None:
    assert in_order(CHAIN[0], [STRANGER, *reversed(CHAIN)]) == [*CHAIN, STRANGER]
    assert in_order(STRANGER, CHAIN) == [STRANGER, *CHAIN]


def test_who_issued_whom() -> None:
    assert [is_issuer(one, CHAIN[1]) for one in (*CHAIN, STRANGER)] == [False, False, True, False, False]
    assert is_issuer(ROOT.certificate, ROOT.certificate)
    assert not is_issuer(CertificateAuthority("Root", NOW_US).certificate, ROOT.certificate)


def test_several_lists_stand_in_one_file() -> None:
    assert [one.issuer for one in crls_in(ROOT.crl(NOW_US) + LAST.crl(NOW_US))] == [ROOT.subject, LAST.subject]
