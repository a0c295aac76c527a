"""Which tenant a certificate belongs to, and which of its authorities counts (spec 5 and 2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.hono.doctor.facts import Anchor, Facts, Presented, TenantRecord
from fleetrig.harness.platforms.hono.doctor.names import how_they_differ
from fleetrig.reference_server.platforms.hono.names.java_names import rfc2253_of
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import (
    DeviceCertificate,
    refused_by_authority,
    same_name,
)
from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY

MOST_SHOWN: Final = 200
SNI: Final = "the host name that the device asks for (SNI)"


@dataclass(frozen=True, slots=True)
class Trust:
    """`tenant`: None when there is none. `signer`: the authority that has issued the certificate; `named`: the first
    that is called as its issuer, whose flag and templates count."""

    tenant: TenantRecord | None = None
    signer: Anchor | None = None
    named: Anchor | None = None
    causes: tuple[Diagnosis, ...] = ()


def trust(facts: Facts) -> Trust:
    """For a device with a certificate."""
    issuer = facts.presented.issuer_dn
    trusting = [one for one in facts.tenants if any(anchor.subject_dn == issuer for anchor in one.anchors)]
    if len(trusting) == 1 and (facts.knows_all_tenants or not _is_named_otherwise(facts, trusting[0])):
        return _judged(facts, trusting[0])
    named, why = _by_server_name(facts, trusting)
    if named is not None:
        return _judged(facts, named)
    return Trust(causes=(*_no_tenant(facts, trusting), *why))


def _is_named_otherwise(facts: Facts, tenant: TenantRecord) -> bool:
    return bool(facts.tenant_named) and facts.tenant_named not in (tenant.id, tenant.alias)


def _by_server_name(facts: Facts, trusting: Sequence[TenantRecord]) -> tuple[TenantRecord | None, list[Diagnosis]]:
    """By its first label, which is a tenant's id or alias."""
    label, dot, _ = facts.server_name.partition(".")
    if not facts.server_name:
        return None, []
    if not dot:
        return None, [Diagnosis(
            "server-name-one-label", Weight.NOTE,
            f"{SNI.capitalize()} is {quoted(facts.server_name)}, which has no dot: no tenant can be read from it, and "
            "the answer over HTTP is 400 instead of 404.",
            "Call the adapter by a name whose first label is the tenant's id or alias, such as my-tenant.example.org.",
        )]  # fmt: skip
    found = next((one for one in facts.tenants if label in (one.id, one.alias) and label), None)
    if found is None and trusting and facts.knows_all_tenants:
        return None, [Diagnosis(
            "server-name-of-nobody", Weight.CAUSE,
            f"{SNI.capitalize()} is {quoted(facts.server_name)}, and no tenant has the id or alias {quoted(label)}.",
            f"Use one of {', '.join(quoted(one.alias or one.id) for one in trusting[:4])} as first label.",
        )]  # fmt: skip
    return found, []


def _no_tenant(facts: Facts, trusting: Sequence[TenantRecord]) -> Iterator[Diagnosis]:
    issuer = facts.presented.issuer_dn
    if len(trusting) > 1:
        if facts.server_name.partition(".")[1]:
            return  # said by the server name
        names = ", ".join(quoted(one.id) for one in trusting[:5])
        yield Diagnosis(
            "shared-authority", Weight.CAUSE,
            f"{len(trusting)} tenants trust {quoted_dn(issuer)} ({names}, one trust-anchor-group): only {SNI} could "
            "say which one is meant, and this device says none.",
            "Let the device call the adapter by TENANT.your-domain, its first label the tenant's id or alias.",
        )  # fmt: skip
        return
    if not facts.tenants and not facts.knows_all_tenants:
        return
    cause = next(_slips(facts), None) or _unknown_issuer(facts)
    is_all = facts.knows_all_tenants or facts.is_offline or bool(facts.tenant_named)
    yield cause if is_all else replace(cause, weight=Weight.POSSIBLE)


def _unknown_issuer(facts: Facts) -> Diagnosis:
    known = sorted({anchor.subject_dn for one in facts.tenants for anchor in one.anchors})
    have = "; ".join(quoted_dn(one) for one in known[:3]) or "none"
    whose = "No tenant trusts" if facts.knows_all_tenants else f"{facts.tenants[0].at_start} does not trust"
    return Diagnosis(
        "issuer-unknown", Weight.CAUSE,
        f"{whose} the issuer of this certificate, {quoted_dn(facts.presented.issuer_dn)}. Trusted: {have}.",
        "Put the certificate of the issuer into the tenant's trusted-ca, or issue the device's by one that is trusted.",
    )  # fmt: skip


def _slips(facts: Facts) -> Iterator[Diagnosis]:
    """What is nearly right, the most certain first."""
    presented = facts.presented
    for tenant in facts.tenants:
        for anchor in tenant.anchors:
            if anchor.subject_dn == presented.subject_dn and anchor.key_der == _key_der(presented.leaf):
                yield _leaf_as_authority(tenant, presented)
    above = _above(presented, facts.authorities)
    for tenant in facts.tenants:
        if any(anchor.subject_dn in above for anchor in tenant.anchors):
            yield _not_direct(tenant, presented)
    for tenant in facts.tenants:
        for anchor in tenant.anchors:
            how = how_they_differ(anchor.subject_dn, presented.issuer_dn)
            if how is not None:
                yield _other_spelling(facts, tenant, anchor, how)


def _above(presented: Presented, others: Sequence[x509.Certificate]) -> frozenset[str]:
    """The names above the direct issuer, as far as the files have them."""
    issuers = {rfc2253_of(one.subject): rfc2253_of(one.issuer) for one in (*presented.chain[1:], *others)}
    found, name = set[str](), presented.issuer_dn
    while (name := issuers.get(name, name)) not in found and name != presented.issuer_dn:
        found.add(name)
    return frozenset(found)


def _leaf_as_authority(tenant: TenantRecord, presented: Presented) -> Diagnosis:
    return Diagnosis(
        "leaf-as-authority", Weight.CAUSE,
        f"{tenant.at_start} trusts the device's own certificate as an authority. What counts is who has "
        f"issued it: {quoted_dn(presented.issuer_dn)}.",
        "Put the certificate of the issuer into trusted-ca instead.",
    )  # fmt: skip


def _not_direct(tenant: TenantRecord, presented: Presented) -> Diagnosis:
    return Diagnosis(
        "not-direct-issuer", Weight.CAUSE,
        f"{tenant.at_start} trusts an authority further up. Hono looks at the device's certificate alone "
        f"and at its direct issuer, {quoted_dn(presented.issuer_dn)}; intermediates that the device sends are ignored.",
        "Put the certificate of the intermediate authority into trusted-ca.",
    )  # fmt: skip


def _other_spelling(facts: Facts, tenant: TenantRecord, anchor: Anchor, how: tuple[str, str]) -> Diagnosis:
    name, text = how
    return Diagnosis(
        name, Weight.CAUSE,
        f"{tenant.at_start} trusts {quoted_dn(anchor.subject_dn)}, the issuer is "
        f"{quoted_dn(facts.presented.issuer_dn)}: {text}. Names are compared letter by letter, in Java's form "
        "(RFC 2253).",
        "Upload the authority as cert (Base64 of its DER), so that nobody has to write its name.",
        facts.shell.tenant(
            tenant.id, f'.["trusted-ca"][{anchor.position}]["subject-dn"]="{_jq(facts.presented.issuer_dn)}"'
            f' | del(.["trusted-ca"][{anchor.position}]["subject-dn-bytes"])',
        ) if tenant.id else (),
    )  # fmt: skip


# -- the authorities of the tenant


def _judged(facts: Facts, tenant: TenantRecord) -> Trust:
    presented, anchors = facts.presented, tenant.anchors
    issuer = presented.issuer_dn
    alike = [one for one in anchors if same_name(one.subject_dn, issuer)]
    if not alike:
        slip = next(_slips(facts), None)
        return Trust(tenant, causes=(slip or _not_of_this_tenant(facts, tenant),))
    counting = [one for one in alike if not one.outside(facts.now)]
    if not counting:
        return Trust(tenant, causes=tuple(_outside(facts, tenant, one) for one in alike))
    size_bytes = len(presented.leaf.public_bytes(Encoding.DER))
    name = common_name_in(presented.leaf.subject)
    own = DeviceCertificate(presented.leaf, presented.subject_dn, issuer, name, size_bytes)
    when_us = _within(presented.leaf, facts.now_us)
    flaws = {one.position: refused_by_authority(own, one.subject_dn, one.key_der, when_us) for one in counting}
    signer = next((one for one in counting if not flaws[one.position]), None)
    named = next((one for one in counting if one.subject_dn == issuer), None)
    causes = () if signer is not None else (_not_signed(facts, tenant, counting[0], flaws[counting[0].position]),)
    return Trust(tenant, signer, named, causes)


def _within(leaf: x509.Certificate, now_us: int) -> int:
    """A time at which the certificate counts: what its dates do is said elsewhere."""
    begin, end = (round(at.timestamp()) * 1_000_000 for at in (leaf.not_valid_before_utc, leaf.not_valid_after_utc))
    return min(max(now_us, begin), end)


def _outside(facts: Facts, tenant: TenantRecord, anchor: Anchor) -> Diagnosis:
    why = anchor.outside(facts.now)
    name = "authority-expired" if why.startswith("expired") else "authority-not-yet-valid"
    return Diagnosis(
        name, Weight.CAUSE,
        f"The authority {quoted_dn(anchor.subject_dn)} of {tenant.called} {why}: it does not count now.",
        "Renew the authority under the same name and add it beside the old one (trusted-ca), or correct the dates.",
    )  # fmt: skip


def _not_signed(facts: Facts, tenant: TenantRecord, anchor: Anchor, flaw: str) -> Diagnosis:
    if "its signature" not in flaw:
        return Diagnosis(
            "certificate-not-accepted-by-java", Weight.CAUSE,
            f"The certificate cannot be validated with {quoted_dn(anchor.subject_dn)}: {flaw}.",
            "Issue the certificate anew, with EC P-256 keys.",
        )  # fmt: skip
    return Diagnosis(
        "another-key", Weight.CAUSE,
        f"{tenant.at_start} knows the issuer {quoted_dn(facts.presented.issuer_dn)} by its name, but "
        "with another key: the signature of the certificate does not fit.",
        "An authority that was made anew under the same name has a new key: put its certificate into trusted-ca, too.",
    )  # fmt: skip


def _not_of_this_tenant(facts: Facts, tenant: TenantRecord) -> Diagnosis:
    trusted = "; ".join(quoted_dn(one.subject_dn) for one in tenant.anchors[:3]) or "nobody"
    return Diagnosis(
        "issuer-unknown", Weight.CAUSE,
        f"{tenant.at_start}, which the host name says, trusts {trusted}, not the issuer of this "
        f"certificate, {quoted_dn(facts.presented.issuer_dn)}.",
        "Put the certificate of the issuer into the tenant's trusted-ca, or call another tenant.",
    )  # fmt: skip


def quoted_dn(dn: str) -> str:
    """A name within a sentence; long enough for most."""
    return f'"{printable(dn, MOST_SHOWN)}"'


def _jq(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _key_der(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE_BY_LIBRARY:
        return b""
