"""A tenant document as somebody would send it: what the registry refuses, the usual slips named (spec 1.0, 1.1)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable
from fleetrig.harness.platforms.hono.doctor.facts import TenantRecord, objects
from fleetrig.harness.platforms.hono.doctor.material import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    certificates_of,
    what_it_is,
)
from fleetrig.reference_server.platforms.hono.management.members import Unreadable
from fleetrig.reference_server.platforms.hono.management.tenant_form import read_tenant
from fleetrig.reference_server.platforms.hono.state.generations import Traits

SINGLE_BASE64: Final = "openssl x509 -in ca.pem -outform DER | base64 -w0"
ARMOUR: Final = "-----BEGIN"


def tenant_of_document(name: str, document: Mapping[str, Any]) -> tuple[TenantRecord | None, tuple[Diagnosis, ...]]:
    """As the registry would show it, and None with the reasons where it would refuse it."""
    found = [cause for at, one in enumerate(objects(document.get("trusted-ca"))) for cause in _authority(at, one)]
    causes = [one for one in found if one.weight is Weight.CAUSE]
    try:
        stored = read_tenant(document, Traits())
    except Unreadable as unreadable:
        return None, tuple(found if causes else [*found, _refused(str(unreadable))])
    return TenantRecord(name, stored), tuple(found)


def _refused(why: str) -> Diagnosis:
    return Diagnosis(
        "tenant-refused", Weight.CAUSE,
        f"The registry refuses this tenant with 400 (request does not contain a valid Tenant object): {why}.",
        "Correct the document; what GET shows is a good pattern.",
    )  # fmt: skip


def _authority(at: int, given: Mapping[str, Any]) -> Iterator[Diagnosis]:
    where = f"trusted-ca[{at}]"
    cert, key = given.get("cert"), given.get("public-key")
    if isinstance(cert, str):
        yield from _cert(where, cert)
    elif isinstance(key, str):
        yield from _key(where, key, given)


def _cert(where: str, text: str) -> Iterator[Diagnosis]:
    change = f"Send Base64 of the certificate's DER, on one line: {SINGLE_BASE64}"
    if ARMOUR in text:
        yield _cause("authority-as-pem", f"{where}.cert is PEM text. It takes Base64 of DER: 400.", change)
        return
    raw = _decoded(text)
    if certificates_of(raw):
        if raw.lstrip().startswith(b"-----"):
            yield Diagnosis("authority-base64-of-pem", Weight.NOTE,
                            f"{where}.cert is Base64 of a PEM file; Java takes that too.", change)  # fmt: skip
        return
    what = what_it_is(raw)
    name = {PUBLIC_KEY: "authority-is-public-key", PRIVATE_KEY: "authority-is-private-key"}.get(
        what, "authority-is-no-certificate"
    )
    more = {
        PUBLIC_KEY: " A bare key goes into public-key, with subject-dn, not-before and not-after.",
        PRIVATE_KEY: " It stays with the authority: consider it disclosed.",
    }
    said = f"{where}.cert has to be Base64 of a certificate's DER, and holds {what}: 400.{more.get(what, '')}"
    yield _cause(name, said, change)


def _key(where: str, text: str, given: Mapping[str, Any]) -> Iterator[Diagnosis]:
    if ARMOUR in text:
        yield _cause("authority-as-pem", f"{where}.public-key is PEM text. It takes Base64 of DER: 400.",
                     "Better send the certificate as cert: " + SINGLE_BASE64)  # fmt: skip
        return
    raw = _decoded(text)
    if certificates_of(raw):
        yield _cause("key-is-certificate", f"{where}.public-key holds a whole certificate: 400.",
                     "Give it as cert; then subject-dn, dates and key are taken from it.")  # fmt: skip
        return
    algorithm, is_kind = str(given.get("algorithm") or "RSA"), _algorithm_of(raw)
    if is_kind and is_kind != algorithm.upper():
        yield _cause(
            "authority-algorithm",
            f"{where}.public-key is a key of {is_kind}, and algorithm says {algorithm}"
            + (" (what counts when it is left out)" if not given.get("algorithm") else "") + ": 400.",
            f"Set algorithm to {is_kind}, or give the certificate as cert.",
        )  # fmt: skip


def _algorithm_of(raw: bytes) -> str:
    try:
        match load_der_public_key(raw):
            case rsa.RSAPublicKey():
                return "RSA"
            case ec.EllipticCurvePublicKey():
                return "EC"
    except ValueError:
        pass
    return ""


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _cause(name: str, cause: str, change: str) -> Diagnosis:
    return Diagnosis(name, Weight.CAUSE, printable(cause, 300), change)
