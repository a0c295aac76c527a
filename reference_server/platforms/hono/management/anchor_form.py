"""A trusted CA as an operator gives it, and as GET shows it (spec 1.1)."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platforms.hono.management.members import (
    Unreadable,
    binary,
    boolean,
    flag,
    members_of,
    needed_text,
    text,
)
from fleetrig.reference_server.platforms.hono.names.certificates import NoCertificate, NoKey, certificate_of, key_of
from fleetrig.reference_server.platforms.hono.names.java_names import parsed_rfc2253, rfc2253_of
from fleetrig.reference_server.platforms.hono.state.times import read_time, time_text

PLACEHOLDER: Final = re.compile(r"\{\{(.*?)\}\}")
PLACEHOLDERS: Final = ("subject-dn", "subject-cn", "subject-ou", "subject-o")
TEMPLATES: Final = ("auto-provisioning-device-id-template", "auth-id-template")
BY_KEY: Final = ("subject-dn", "public-key", "not-before", "not-after")
"""What an authority needs that is not given as a certificate."""
MEMBERS: Final = (
    "id",
    "cert",
    "subject-dn",
    "subject-dn-bytes",
    "public-key",
    "algorithm",
    "not-before",
    "not-after",
    "auto-provisioning-enabled",
    "auto-provision-as-gateway",
    *TEMPLATES,
    "ocsp-revocation-enabled",
    "ocsp-responder-uri",
    "ocsp-responder-cert",
    "ocsp-nonce-enabled",
)


def read_anchor(value: Any, where: str, *, refuses_unknown: bool = True) -> dict[str, Any]:
    """As it is stored and shown; without an `id` if none was given. Raises Unreadable."""
    given = members_of(value, MEMBERS, where, refuses_unknown=refuses_unknown)
    own = _read_own(given, where)
    cert = binary(given.get("cert"), f"{where}.cert")
    shown: dict[str, Any] = {"id": text(given.get("id"), f"{where}.id")}
    if cert is None:
        _check_key(own, where)
        shown |= own
    else:
        shown |= _of_certificate(cert, f"{where}.cert")
    for name in ("auto-provisioning-enabled", "auto-provision-as-gateway"):
        shown[name] = flag(given.get(name), f"{where}.{name}")
    for name in TEMPLATES:
        shown[name] = _template(given[name], f"{where}.{name}") if name in given else None
    shown |= _revocation(given, cert, where)
    return {name: one for name, one in shown.items() if one is not None}


def _read_own(given: dict[str, Any], where: str) -> dict[str, Any]:
    """The members that a certificate can stand for; they have to be right even beside one."""
    dn = None
    if "subject-dn" in given:
        said = needed_text(given["subject-dn"], f"{where}.subject-dn")
        dn = parsed_rfc2253(said)
        if dn is None:
            raise Unreadable(f"{where}.subject-dn: {said[:80]!r} is no name: expected one such as CN=devices,O=ACME")
    return {
        "subject-dn": dn,
        "subject-dn-bytes": _again(binary(given.get("subject-dn-bytes"), f"{where}.subject-dn-bytes")),
        "public-key": _again(binary(given.get("public-key"), f"{where}.public-key")),
        "algorithm": text(given.get("algorithm"), f"{where}.algorithm"),
        "not-before": _time(given, "not-before", where),
        "not-after": _time(given, "not-after", where),
    }


def _check_key(own: dict[str, Any], where: str) -> None:
    missing = [name for name in BY_KEY if not own[name]]
    if missing:
        raise Unreadable(f"{where} has no {' and no '.join(missing)}: give all of {', '.join(BY_KEY)}, or cert")
    der = binary(own["public-key"], where) or b""
    algorithm = "RSA" if own["algorithm"] is None else own["algorithm"]
    try:
        key_of(der, algorithm)
    except NoKey as no_key:
        raise Unreadable(f"{where}.public-key: {no_key}") from None


def _of_certificate(der: bytes, where: str) -> dict[str, Any]:
    try:
        certificate = certificate_of(der)
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (NoCertificate, ValueError) as problem:
        raise Unreadable(f"{where}: {problem}") from None
    return {
        "subject-dn": rfc2253_of(certificate.subject),
        "subject-dn-bytes": _again(certificate.subject.public_bytes()),
        "public-key": _again(key),
        "algorithm": algorithm_of(certificate),
        "not-before": time_text(round(certificate.not_valid_before_utc.timestamp()) * 1_000_000),
        "not-after": time_text(round(certificate.not_valid_after_utc.timestamp()) * 1_000_000),
    }


def algorithm_of(certificate: x509.Certificate) -> str:
    """What Java calls the algorithm of a certificate's key."""
    match certificate.public_key():
        case rsa.RSAPublicKey():
            return "RSA"
        case ec.EllipticCurvePublicKey():
            return "EC"
        case dsa.DSAPublicKey():
            return "DSA"
    return "EdDSA"


def _template(value: Any, where: str) -> str:
    """With one known placeholder at least, and no other (0.2)."""
    template = needed_text(value, where)
    names = PLACEHOLDER.findall(template)
    if not names:
        known = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
        raise Unreadable(f"{where}: {template[:80]!r} has no placeholder; there is {known}")
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        raise Unreadable(f"{where}: there is no placeholder {unknown[0][:40]!r}; there is {', '.join(PLACEHOLDERS)}")
    return template


def _revocation(given: dict[str, Any], cert: bytes | None, where: str) -> dict[str, Any]:
    is_on = flag(given.get("ocsp-revocation-enabled"), f"{where}.ocsp-revocation-enabled")
    responder = binary(given.get("ocsp-responder-cert"), f"{where}.ocsp-responder-cert")
    if is_on and cert is None and responder is None:
        raise Unreadable(f"{where}: ocsp-revocation-enabled needs cert or ocsp-responder-cert")
    return {
        "ocsp-revocation-enabled": is_on or None,
        "ocsp-responder-uri": text(given.get("ocsp-responder-uri"), f"{where}.ocsp-responder-uri"),
        "ocsp-responder-cert": _again(responder or (cert if is_on else None)),
        "ocsp-nonce-enabled": boolean(given.get("ocsp-nonce-enabled"), f"{where}.ocsp-nonce-enabled") or None,
    }


def _again(der: bytes | None) -> str | None:
    return None if der is None else b64encode(der).decode("ascii")


def _time(given: dict[str, Any], name: str, where: str) -> str | None:
    """Null is refused, an empty text too: an authority has no open validity."""
    if name not in given:
        return None
    try:
        return time_text(read_time(needed_text(given[name], f"{where}.{name}").strip()))
    except (ValueError, OverflowError) as problem:
        raise Unreadable(f"{where}.{name}: {problem}") from None
