"""Signed control messages (open profile SIG-SIM1, spec 3.6): a gateway drops the others without a word."""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.keystore import SIGNING_STORE, certificates_in
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import ControlTopic
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType
from fleetrig.simulator.flows.kura.requests import REQUEST_ID

ALGORITHM, ALIAS, TIME, VALUE = "sig.alg", "sig.alias", "sig.time", "sig.value"
WINDOW_MS: Final = 300_000
SEEN: Final = "seen"
REJECTED: Final = "rejected_control"
MOST_SEEN: Final = 1_000
"""In one window: more is no operator. What is older within it goes first."""


def signed_input(topic: ControlTopic, client_id: str, payload: KuraPayload) -> bytes:
    """What the signature covers: parts, each behind its length."""
    return b"".join(len(part).to_bytes(4) + part for part in _parts(topic, client_id, payload))


def _parts(topic: ControlTopic, client_id: str, payload: KuraPayload) -> Iterator[bytes]:
    yield f"{topic.app_id}/{topic.app_topic}".encode()
    yield client_id.encode()
    yield str(payload.int64(TIME) or 0).encode()
    for name, metric in sorted((name.encode(), metric) for name, metric in payload.metrics.items()):
        if name != VALUE.encode():
            yield name
            yield str(metric.type.value).encode()
            yield _value_text(metric)
    yield payload.body or b""


def _value_text(metric: Metric) -> bytes:
    match metric.type, metric.value:
        case MetricType.BOOL, value:
            return b"true" if value else b"false"
        case MetricType.STRING, str(text):
            return text.encode("utf-8", "replace")
        case MetricType.BYTES, bytes(data):
            return data.hex().encode()
        case MetricType.DOUBLE, number:
            return struct.pack(">d", number).hex().encode()
        case MetricType.FLOAT, number:
            return struct.pack(">f", number).hex().encode()
        case _, number:
            return str(number).encode()


def accepts(life: GatewayLife, topic: ControlTopic, payload: KuraPayload) -> Generator[Effect, Outcome, bool]:
    """A request. What is obeyed is noted first, so that the same message is obeyed once, also after a power cut."""
    now_us = yield from life.clock_us()
    request_id = payload.text(REQUEST_ID) or ""
    key = f"{payload.text(ALIAS)} {request_id}"
    known = life.memory.get(SEEN)
    oldest_ms = now_us // 1_000 - 2 * WINDOW_MS
    seen = {one: at for one, at in (known if isinstance(known, dict) else {}).items() if _number(at) >= oldest_ms}
    why = why_not_signed(life, topic, payload, now_us) or ("replayed" if key in seen else "")
    if why:
        yield from life.keep(rejected_control=_number(life.memory.get(REJECTED)) + 1)
        return False
    seen[key] = payload.int64(TIME)
    yield from life.keep(seen=dict(list(seen.items())[-MOST_SEEN:]))
    return True


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def why_not_signed(life: GatewayLife, topic: ControlTopic, payload: KuraPayload, now_us: int) -> str:
    """By whom and when it was signed, and that nothing of it was changed; empty when it is all right.

    It has to be signed for this gateway, whatever topic it came on.
    """
    alias, signed_ms, value = payload.text(ALIAS), payload.int64(TIME), payload.data(VALUE)
    if alias is None or signed_ms is None or value is None:
        return "unsigned"
    if abs(now_us // 1_000 - signed_ms) > WINDOW_MS:
        return "signed at another time"
    certificate = next((one for name, one in certificates_in(life, SIGNING_STORE) if name == alias.lower()), None)
    if certificate is None:
        return "signed under an unknown alias"
    if not is_current(certificate, now_us):
        return "signed by a certificate that is out of date"
    data = signed_input(topic, life.tokens["client-id"], payload)
    return "" if verifies(certificate, payload.text(ALGORITHM) or "", value, data) else "wrongly signed"


def is_current(certificate: x509.Certificate, now_us: int) -> bool:
    now = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def verifies(certificate: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> bool:
    """False also for an algorithm that is not the key's, and for a key that nobody here can read."""
    try:
        match algorithm, certificate.public_key():
            case "SHA256withRSA", rsa.RSAPublicKey() as key:
                key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            case "SHA256withECDSA", ec.EllipticCurvePublicKey() as key:
                key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
            case "Ed25519", ed25519.Ed25519PublicKey() as key:
                key.verify(signature, data)
            case _:
                return False
    except (InvalidSignature, *UNREADABLE_BY_LIBRARY):
        return False
    return True
