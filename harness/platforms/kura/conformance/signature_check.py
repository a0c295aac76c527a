"""SIG-SIM1, a profile of this project: whether a control message is signed (docs/contracts/kura.md §3.6).

Put together from the page alone, so that a mistake of server or gateway cannot hide here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.platforms.kura.conformance.payload_bytes import (
    BYTES,
    DOUBLE,
    FLOAT,
    INT64,
    STRING,
    HeardPayload,
    Value,
)
from fleetrig.harness.verdict import Finding

SIGNATURE: Final = "sig.value"
KINDS: Final = {"sig.alg": STRING, "sig.alias": STRING, "sig.time": INT64, SIGNATURE: BYTES}


def signed_bytes(topic: str, client_id: str, content: HeardPayload) -> bytes:
    """What is signed: parts, each behind its length. `topic`: `CONF-V1/GET/configurations`."""
    parts = [topic.encode(), client_id.encode(), str(content.value("sig.time")).encode()]
    for name, (kind, value) in sorted(content.metrics.items(), key=lambda one: one[0].encode()):
        if name != SIGNATURE:
            parts += [name.encode(), str(int(kind)).encode(), text_of(kind, value)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in [*parts, content.body])


def text_of(kind: int, value: Value) -> bytes:
    """A value as the signature has it."""
    match value:
        case bool():
            return b"true" if value else b"false"
        case bytes():
            return value.hex().encode()
        case float() if kind in (DOUBLE, FLOAT):
            return struct.pack(">d" if kind == DOUBLE else ">f", value).hex().encode()
        case _:
            return str(value).encode()


def is_signed_by(topic: str, client_id: str, content: HeardPayload, chain_pem: str) -> bool:
    """By the first certificate of the chain, with the algorithm that the message names."""
    certificate = x509.load_pem_x509_certificates(chain_pem.encode())[0]
    signature, data = content.value(SIGNATURE), signed_bytes(topic, client_id, content)
    if not isinstance(signature, bytes):
        return False
    try:
        verify(certificate, str(content.value("sig.alg")), signature, data)
    except InvalidSignature:
        return False
    return True


def verify(certificate: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> None:
    """Raises InvalidSignature, also for an algorithm that the key is not for."""
    match algorithm, certificate.public_key():
        case "SHA256withRSA", rsa.RSAPublicKey() as key:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        case "SHA256withECDSA", ec.EllipticCurvePublicKey() as key:
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        case "Ed25519", ed25519.Ed25519PublicKey() as key:
            key.verify(signature, data)
        case _:
            raise InvalidSignature


def expect_signed(topic: str, client_id: str, content: HeardPayload, chain_pem: str, alias: str) -> None:
    """All metrics of a signature are there, name the certificate, and verify."""
    kinds: Mapping[str, int | None] = {name: content.metrics.get(name, (None,))[0] for name in KINDS}
    expect("the types of the signature's metrics", {name: int(kind) for name, kind in KINDS.items()},
           {name: None if kind is None else int(kind) for name, kind in kinds.items()})  # fmt: skip
    expect("sig.alias", alias, content.value("sig.alias"))
    try:
        holds = is_signed_by(topic, client_id, content, chain_pem)
    except ValueError as wrong:
        raise Mismatch(Finding("a chain of certificates", str(wrong))) from None
    expect_that(holds, f"the signature over {topic} for {client_id} verifies", content.value("sig.alg"))


def expect_chain(chain_pem: str) -> None:
    """Each certificate was issued by the next, and the last one by itself: leaf first, root last."""
    chain = x509.load_pem_x509_certificates(chain_pem.encode())
    for issued, issuer in zip(chain, [*chain[1:], chain[-1]], strict=True):
        names = f"{issued.subject.rfc4514_string()} is issued by {issuer.subject.rfc4514_string()}"
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as wrong:
            raise Mismatch(Finding(f"leaf first, root last: {names}", str(wrong) or type(wrong).__name__)) from None


def altered(topic: str, client_id: str, content: HeardPayload) -> Iterator[tuple[str, str, HeardPayload]]:
    """The same message with one thing changed each time: none of them is signed."""
    yield f"{topic}/more", client_id, content
    yield topic, f"{client_id}x", content
    yield topic, client_id, replace(content, body=content.body + b"x")
    for name, (kind, value) in content.metrics.items():
        if name != SIGNATURE:
            other: Value = value + 1 if isinstance(value, int) else str(value) + "x"
            yield topic, client_id, replace(content, metrics={**content.metrics, name: (kind, other)})
    fewer = {name: one for name, one in content.metrics.items() if name != "request.id"}
    yield topic, client_id, replace(content, metrics=fewer)
