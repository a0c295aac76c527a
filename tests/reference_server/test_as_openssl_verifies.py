"""Verdicts on certificates beside those of `openssl verify`, each thing wrong on its own, by the same clock."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.certificates.profile import (
    DAY_US,
    FOR_CLIENTS,
    FOR_SERVERS,
    CertificateProfile,
    Validity,
    authority_profile,
    extension,
    leaf_profile,
)
from fleetrig.simulator.contract.clock import US_PER_S

NOW_US = 1_790_000_000 * US_PER_S
SOME_DAYS = Validity.days(NOW_US, 30)
ROOT = CertificateAuthority("Root", NOW_US)
LINE = ROOT.authority_below("Line")
Chain = Sequence[x509.Certificate]
Given = tuple[Chain, Sequence[bytes]]
"""The chain, and lists of revoked certificates."""


def usage(**wanted: bool) -> x509.Extension[x509.ExtensionType]:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    values = dict.fromkeys(names + more, False) | wanted
    return extension(x509.KeyUsage(**values), critical=True)


def leaf_of(authority: CertificateAuthority, profile: CertificateProfile | None = None) -> x509.Certificate:
    profile = profile or leaf_profile(named("HB-1"), SOME_DAYS, FOR_CLIENTS)
    return authority.issue(profile, ec.generate_private_key(ec.SECP256R1()).public_key(), "leaf")


def below(
    profile: CertificateProfile, authority: CertificateAuthority = ROOT, kind: KeyKind = KeyKind.P256
) -> CertificateAuthority:
    """An authority with exactly this profile."""
    key = authority.keys.new_key(kind, "below")
    certificate = authority.issue(profile, key.public_key(), "below")
    return CertificateAuthority("", NOW_US, existing=((certificate, *authority.path), key))


def chain_of(authority: CertificateAuthority, profile: CertificateProfile | None = None) -> Given:
    return authority.chain_of(leaf_of(authority, profile)), ()


def of_profile(*without: type[x509.ExtensionType], more: x509.Extension[x509.ExtensionType] | None = None) -> Given:
    plain = authority_profile(named("Odd"), SOME_DAYS).without(*without)
    added = (more,) if more is not None else ()
    return chain_of(below(CertificateProfile(plain.subject, plain.validity, (*plain.extensions, *added))))


def odd_leaf(
    *, validity: Validity = SOME_DAYS, purpose: x509.ObjectIdentifier = FOR_CLIENTS, signs: bool = True
) -> Given:
    plain = leaf_profile(named("HB-1"), validity, purpose)
    if signs:
        return chain_of(LINE, plain)
    kept = plain.without(x509.KeyUsage)
    return chain_of(LINE, CertificateProfile(kept.subject, validity, (*kept.extensions, usage(crl_sign=True))))


def weak(*, authority: bool) -> Given:
    issuer = ROOT.authority_below("Weak", kind=KeyKind.RSA1024) if authority else LINE
    shown = issuer.issue_client("HB-1", kind=KeyKind.P256 if authority else KeyKind.RSA1024)
    return [x509.load_der_x509_certificate(one) for one in shown.chain], ()


def with_lists(*, revoked: bool = False, only_root: bool = False, days: float = 30, at_us: int = NOW_US) -> Given:
    line = ROOT.authority_below("Line 2")
    leaf = leaf_of(line)
    if revoked:
        line.revoke(leaf.public_bytes(Encoding.DER), NOW_US)
    lists = [ROOT.crl(NOW_US), *([] if only_root else [line.crl(at_us, days)])]
    return line.chain_of(leaf), lists


def too_deep() -> Given:
    top = ROOT.authority_below("Top", path_length=0)
    return chain_of(top.authority_below("Too deep"))


def shuffled() -> Given:
    last = ROOT.authority_below("A").authority_below("B").authority_below("C")
    own, *others = last.chain_of(leaf_of(last))
    return [own, *reversed(others)], ()


CASES: dict[str, Callable[[], Given]] = {
    "good": lambda: chain_of(LINE),
    "of the root itself": lambda: chain_of(ROOT),
    "shuffled authorities": shuffled,
    "no intermediate": lambda: (chain_of(LINE)[0][:1], ()),
    "expired": lambda: odd_leaf(validity=Validity.expired(NOW_US)),
    "not yet valid": lambda: odd_leaf(validity=Validity.later(NOW_US)),
    "expired authority": lambda: chain_of(below(authority_profile(named("Old"), Validity.expired(NOW_US)))),
    "not yet valid, of an expired authority": lambda: chain_of(
        below(authority_profile(named("Old"), Validity.expired(NOW_US))),
        leaf_profile(named("HB-1"), Validity.later(NOW_US), FOR_CLIENTS),
    ),
    "for servers": lambda: odd_leaf(purpose=FOR_SERVERS),
    "for servers and expired": lambda: odd_leaf(purpose=FOR_SERVERS, validity=Validity.expired(NOW_US)),
    "signs nothing": lambda: odd_leaf(signs=False),
    "authority without keyUsage": lambda: of_profile(x509.KeyUsage),
    "authority that may sign lists only": lambda: of_profile(x509.KeyUsage, more=usage(crl_sign=True)),
    "authority without basicConstraints": lambda: of_profile(x509.BasicConstraints),
    "device as authority": lambda: of_profile(
        x509.BasicConstraints, more=extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    ),
    "too deep": too_deep,
    "authority for servers": lambda: of_profile(more=extension(x509.ExtendedKeyUsage([FOR_SERVERS]))),
    "any usage": lambda: odd_leaf(purpose=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
    "RSA-1024": lambda: weak(authority=False),
    "authority with RSA-1024": lambda: weak(authority=True),
    "with lists": with_lists,
    "revoked": lambda: with_lists(revoked=True),
    "no list of the issuer": lambda: with_lists(only_root=True),
    "old list": lambda: with_lists(days=1, at_us=NOW_US - 2 * DAY_US),
    "list of tomorrow": lambda: with_lists(at_us=NOW_US + DAY_US),
}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_that_of_openssl(case: str, tmp_path: Path) -> None:
    chain, lists = CASES[case]()
    trusted = ClientAuthorities(ROOT.certificate_pem)
    if lists:
        trusted.add_crls(b"".join(lists))
    ours = trusted.verify(tuple(one.public_bytes(Encoding.DER) for one in chain), NOW_US).reason
    assert ours == by_openssl(tmp_path, chain, lists)


def by_openssl(folder: Path, chain: Chain, lists: Sequence[bytes]) -> str:
    """The error that it tells last; empty for none."""
    files = {"root": ROOT.certificate_pem, "lists": b"".join(lists)}
    files |= {"leaf": chain[0].public_bytes(Encoding.PEM)}
    files |= {"others": b"".join(one.public_bytes(Encoding.PEM) for one in chain[1:])}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    words = ["-purpose", "sslclient", "-auth_level", "2", "-attime", str(NOW_US // US_PER_S), "-CAfile", "root"]
    words += ["-untrusted", "others"] if chain[1:] else []
    words += ["-crl_check_all", "-CRLfile", "lists"] if lists else []
    done = subprocess.run(
        ["openssl", "verify", *words, "leaf"], cwd=folder, capture_output=True, text=True, check=False
    )
    errors = re.findall(r"error \d+ at \d+ depth lookup: (.*)", done.stderr)
    assert bool(errors) is not done.stdout.endswith("leaf: OK\n"), done
    return errors[-1] if errors else ""
