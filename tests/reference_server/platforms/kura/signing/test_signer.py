"""SIG-SIM1: the golden vector of spec 3.6, and what a change of anything does to a signature (S-43)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    ValueType,
    boolean,
    int32,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.signing.signed_parts import signed_bytes
from fleetrig.reference_server.platforms.kura.signing.signer import signed

NOW_MS = 1_700_000_000_000
TOPIC = "CONF-V1/GET/configurations"
CLIENT = "00600CAABBCC"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GOLDEN_SHA256 = "ee3fbacf36850e584a7a8d0c5b5c902d2fbd660583e4b408e5f647219f7fa3ba"
GOLDEN_SIGNATURE = (
    "e663b533e6f9bbd8bee52f655528fbc19e8c2b26b9e9fa8e43dd953c715922b1"
    "41c74aca45debbcad5835f09a6b63cf840348a88609b5c233c4b5e1708a1900b"
)
REQUEST = KuraPayload(metrics={"request.id": string("42"), "requester.client.id": string("SRV-1")})


def verify(message: KuraPayload, topic: str = TOPIC, client_id: str = CLIENT) -> None:
    value = message.octets("sig.value")
    assert value is not None
    KEY.public_key().verify(value, signed_bytes(topic, client_id, message.metrics, message.body))


def test_the_golden_vector() -> None:
    message = signed(REQUEST, KEY, "dm-1", TOPIC, CLIENT, NOW_MS)
    covered = signed_bytes(TOPIC, CLIENT, message.metrics, message.body)
    assert len(covered) == 216
    assert sha256(covered).hexdigest() == GOLDEN_SHA256
    value = message.octets("sig.value")
    assert value is not None
    assert value.hex() == GOLDEN_SIGNATURE


def test_the_order_of_metrics_means_nothing() -> None:
    there = signed(REQUEST, KEY, "dm-1", TOPIC, CLIENT, NOW_MS)
    back = replace(there, metrics=dict(reversed(list(there.metrics.items()))))
    assert signed_bytes(TOPIC, CLIENT, there.metrics, None) == signed_bytes(TOPIC, CLIENT, back.metrics, None)


EVERY_TYPE = KuraPayload(
    metrics={
        "d": Metric(ValueType.DOUBLE, 1.5),
        "f": Metric(ValueType.FLOAT, 0.1),
        "l": Metric(ValueType.INT64, -(1 << 62)),
        "i": int32(-1),
        "b": boolean(True),
        "s": string("ä"),
        "y": octets(b"\x00\xff"),
    },
    body=b"<xml/>",
)

CHANGES = {
    "d": Metric(ValueType.DOUBLE, -1.5),
    "f": Metric(ValueType.FLOAT, 0.2),
    "l": Metric(ValueType.INT64, 1),
    "i": Metric(ValueType.INT64, -1),
    "b": boolean(False),
    "s": string("a"),
    "y": octets(b"\x00"),
    "sig.alg": string("SHA256withRSA"),
    "sig.alias": string("dm-2"),
    "sig.time": Metric(ValueType.INT64, NOW_MS + 1),
    "another": string(""),
}


def test_every_type_of_metric_is_covered() -> None:
    message = signed(EVERY_TYPE, KEY, "dm-1", TOPIC, CLIENT, NOW_MS)
    verify(message)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_metric_breaks_it(name: str) -> None:
    message = signed(EVERY_TYPE, KEY, "dm-1", TOPIC, CLIENT, NOW_MS)
    changed = replace(message, metrics={**message.metrics, name: CHANGES[name]})
    with pytest.raises(InvalidSignature):
        verify(changed)


def test_another_body_topic_or_receiver_breaks_it() -> None:
    message = signed(EVERY_TYPE, KEY, "dm-1", TOPIC, CLIENT, NOW_MS)
    with pytest.raises(InvalidSignature):
        verify(replace(message, body=b"<xml />"))
    with pytest.raises(InvalidSignature):
        verify(message, topic="CONF-V1/PUT/configurations")
    with pytest.raises(InvalidSignature):
        verify(message, client_id="00600CAABBCD")


def test_keys_of_curves_and_of_rsa_sign_too() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    modulus = rsa.generate_private_key(65537, 2048)
    by_curve = signed(REQUEST, curve, "dm-1", TOPIC, CLIENT, NOW_MS)
    by_modulus = signed(REQUEST, modulus, "dm-1", TOPIC, CLIENT, NOW_MS)
    assert (by_curve.text("sig.alg"), by_modulus.text("sig.alg")) == ("SHA256withECDSA", "SHA256withRSA")
    first, second = by_curve.octets("sig.value"), by_modulus.octets("sig.value")
    assert first is not None
    assert second is not None
    covered = signed_bytes(TOPIC, CLIENT, by_curve.metrics, None)
    curve.public_key().verify(first, covered, ec.ECDSA(SHA256()))
    modulus.public_key().verify(second, signed_bytes(TOPIC, CLIENT, by_modulus.metrics, None), PKCS1v15(), SHA256())
