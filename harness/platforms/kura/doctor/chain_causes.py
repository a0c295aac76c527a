"""The certificate chain that a gateway is sent while it is provisioned (spec 3.7), by the steps of its check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.simulator.certificates.pem import is_issuer

REJECTED: Final = "With ca-authentication the gateway rejects the chain, and the attempt has failed."
ORDER: Final = "leaf first, then who issued it, and so on; the root last"


def chain_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Well-formed in any case; all else only where the gateway checks it."""
    material = facts.material
    if material.chain is None:
        return
    if not material.chain:
        what = material.chain_problem.removeprefix("it ") or "is empty: it holds no certificate"
        yield Diagnosis(
            "chain-empty", Weight.CAUSE,
            f"The file of the chain {what}. The gateway rejects it, whatever ca-authentication says.",
            f"Give the chain in PEM: {ORDER}.",
        )  # fmt: skip
        return
    found = [*_links(material.chain), *_dates(facts, material.chain)]
    if not found:
        found += _trust(facts, material.chain)
    if material.checks_authority:
        yield from found
    elif found:
        names = ", ".join(one.name for one in found)
        yield Diagnosis(
            "chain-unchecked", Weight.NOTE,
            f"ca-authentication is off: the gateway takes this chain, which it would reject otherwise ({names}).",
        )  # fmt: skip


def _links(chain: Sequence[x509.Certificate]) -> Iterator[Diagnosis]:
    for at, (one, above) in enumerate(pairwise(chain), 1):
        if is_issuer(above, one):
            continue
        is_shuffled = any(is_issuer(other, one) for other in chain if other is not one)
        is_forged = above.subject == one.issuer
        if is_shuffled or (not is_forged and any(is_issuer(one, other) for other in chain[at:])):
            yield Diagnosis(
                "chain-order", Weight.CAUSE,
                f"Certificate {at} of the chain ({quoted(_name(one))}) was not issued by the one after it "
                f"({quoted(_name(above))}), though its issuer is there. {REJECTED}",
                f"Put the certificates in order: {ORDER}.",
            )  # fmt: skip
        elif is_forged:
            yield Diagnosis(
                "chain-signature", Weight.CAUSE,
                f"Certificate {at} of the chain ({quoted(_name(one))}) names {quoted(_name(above))} as its issuer, "
                "and was not "
                f"signed with that one's key. {REJECTED}",
                "Take the issuer's present certificate, or have the lower one issued anew.",
            )  # fmt: skip
        else:
            yield Diagnosis(
                "chain-gap", Weight.CAUSE,
                f"The issuer of certificate {at} of the chain ({quoted(_name(one))}), "
                f"{quoted(one.issuer.rfc4514_string())}, is "
                f"not there. {REJECTED}",
                f"Add it: {ORDER}.",
            )  # fmt: skip
        return


def _dates(facts: Facts, chain: Sequence[x509.Certificate]) -> Iterator[Diagnosis]:
    for at, one in enumerate(chain, 1):
        begin, end = one.not_valid_before_utc, one.not_valid_after_utc
        if begin <= facts.now <= end:
            continue
        why = f"expired on {end:{DAY}}" if end < facts.now else f"is not valid before {begin:{DAY}}"
        yield Diagnosis(
            "chain-expired" if end < facts.now else "chain-not-yet-valid", Weight.CAUSE,
            f"Certificate {at} of the chain ({quoted(_name(one))}) {why}; here it is {facts.now:{DAY}}. {REJECTED}",
            "Renew it; or set the gateway's clock, if it is that which is wrong.",
        )  # fmt: skip


def _trust(facts: Facts, chain: Sequence[x509.Certificate]) -> Iterator[Diagnosis]:
    trusted, last = facts.material.trusted, chain[-1]
    if not trusted:
        return
    if last in trusted or any(is_issuer(one, last) for one in trusted):
        return
    is_leaf_alone = len(chain) == 1 and is_issuer(last, last)
    if is_leaf_alone:
        yield Diagnosis(
            "chain-self-signed", Weight.CAUSE,
            f"The chain is one certificate that was issued by itself ({quoted(_name(last))}). {REJECTED}",
            "Have it issued by an authority that the gateway trusts, or put it into its trust store.",
        )  # fmt: skip
    elif is_issuer(last, last):
        yield Diagnosis(
            "root-untrusted", Weight.CAUSE,
            f"The root of the chain, {quoted(_name(last))}, is not in the gateway's trust store; that it comes in the "
            "chain "
            f"proves nothing. {REJECTED}",
            "Load that root into the gateway's trust store (SSLKeystore) before it is provisioned.",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "chain-without-root", Weight.CAUSE,
            f"The chain ends with {quoted(_name(last))}, and its issuer {quoted(last.issuer.rfc4514_string())} is "
            "neither in the "
            f"chain nor in the gateway's trust store. {REJECTED}",
            "Load that issuer into the gateway's trust store; whether the root is sent as well does not matter then.",
        )  # fmt: skip


def _name(one: x509.Certificate) -> str:
    return one.subject.rfc4514_string()
