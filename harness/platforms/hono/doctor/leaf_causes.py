"""What is wrong with the device's certificate itself, whatever the tenant is (spec 2.2, 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight
from fleetrig.harness.platforms.hono.doctor.facts import Facts, Kind
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY

CLIENT_AUTH: Final = x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH
STRONG_RSA_BITS: Final = 2048


def leaf_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Nothing for a device without a certificate."""
    if facts.presented.kind is not Kind.CERTIFICATE:
        return
    leaf = facts.presented.leaf
    yield from _dates(facts, leaf)
    yield from _usage(facts, leaf)
    yield from _key(facts, leaf)


def _dates(facts: Facts, leaf: x509.Certificate) -> Iterator[Diagnosis]:
    alert = "bad_certificate" if facts.over == "coaps" else "certificate_unknown"
    told = f"The TLS handshake fails with the alert {alert}: no HTTP status and no CONNACK is ever sent"
    clock = f"this machine's clock says {facts.now:{DAY}}"
    if facts.now > leaf.not_valid_after_utc:
        yield Diagnosis(
            "certificate-expired", Weight.CAUSE,
            f"The device's certificate expired on {leaf.not_valid_after_utc:{DAY}} ({clock}). {told}.",
            "Renew it with the same subject, and it stays the same device.",
        )  # fmt: skip
    elif facts.now < leaf.not_valid_before_utc:
        yield Diagnosis(
            "certificate-not-yet-valid", Weight.CAUSE,
            f"The device's certificate counts from {leaf.not_valid_before_utc:{DAY}} on ({clock}). {told}.",
            "Wait, or set the clock of whoever issued it; issue certificates that count from a day ago.",
        )  # fmt: skip


def _usage(facts: Facts, leaf: x509.Certificate) -> Iterator[Diagnosis]:
    if not (why := _usage_flaw(leaf)):
        return
    weight = Weight.CAUSE if facts.over == "coaps" else Weight.NOTE
    yield Diagnosis(
        "certificate-usage", weight,
        f"The device's certificate {why}: the CoAP adapter refuses it in the handshake (bad_certificate); HTTP and "
        "MQTT do not look.",
        "Issue it with keyUsage digitalSignature and extendedKeyUsage clientAuth, or without these extensions.",
    )  # fmt: skip


def _usage_flaw(leaf: x509.Certificate) -> str:
    try:
        for extension in leaf.extensions:
            match extension.value:
                case x509.KeyUsage() as usage if not usage.digital_signature:
                    return "has a keyUsage without digitalSignature"
                case x509.ExtendedKeyUsage() as usages if CLIENT_AUTH not in usages:
                    return "has an extendedKeyUsage without clientAuth"
    except UNREADABLE_BY_LIBRARY:
        return "has extensions that cannot be read"
    return ""


def _key(facts: Facts, leaf: x509.Certificate) -> Iterator[Diagnosis]:
    try:
        key = leaf.public_key()
    except UNREADABLE_BY_LIBRARY:
        key = None
    called = _called(key)
    if facts.over == "coaps" and not isinstance(key, ec.EllipticCurvePublicKey):
        is_rsa = isinstance(key, rsa.RSAPublicKey)
        yield Diagnosis(
            "no-ec-key", Weight.NOTE if is_rsa else Weight.CAUSE,
            f"The device's key is {called}. The CoAP adapter offers ECDHE_ECDSA suites only: its own certificate "
            "has to be EC; it takes RSA keys of devices, and not every DTLS client can show one in such a suite."
            if is_rsa
            else f"The device's key is {called}: the CoAP adapter refuses it in the handshake (bad_certificate), "
            "though HTTP and MQTT take it.",
            "EC P-256 goes everywhere.",
        )  # fmt: skip
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < STRONG_RSA_BITS:
        yield Diagnosis(
            "short-key", Weight.NOTE,
            f"The device's key is {called}: Java takes RSA from 1024 bits on, many TLS libraries of devices refuse to "
            "show one below 2048 (OpenSSL: ee key too small).",
            "Use EC P-256, or RSA with 2048 bits.",
        )  # fmt: skip


def _called(key: object) -> str:
    match key:
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}"
        case rsa.RSAPublicKey():
            return f"RSA with {key.key_size} bits"
        case None:
            return "none that can be read"
        case _:
            return type(key).__name__.removesuffix("PublicKey").strip("_")
