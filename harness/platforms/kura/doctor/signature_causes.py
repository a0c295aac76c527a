"""The signature of a control message, by the steps with which a gateway checks it (profile SIG-SIM1, spec 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Message
from fleetrig.harness.platforms.kura.doctor.keystore import KeystoreEntry
from fleetrig.harness.platforms.kura.doctor.names import bare_mac, mac_with_colons
from fleetrig.harness.platforms.kura.doctor.records import at_ms
from fleetrig.harness.platforms.kura.doctor.topics import ControlTopic, Role, read_topic
from fleetrig.reference_server.platforms.kura.payload.codec import decode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, ValueType
from fleetrig.reference_server.platforms.kura.signing.signed_parts import (
    SIG_ALG,
    SIG_ALIAS,
    SIG_TIME,
    SIG_VALUE,
    signed_bytes,
)

DROPPED: Final = "A provisioned gateway drops the message, and answers nothing."
OWN_TYPES: Final = {SIG_ALG: ValueType.STRING, SIG_ALIAS: ValueType.STRING, SIG_TIME: ValueType.INT64,
                    SIG_VALUE: ValueType.BYTES}  # fmt: skip
WINDOW_S: Final = 300


def signature_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of a request to a gateway; other messages are never signed."""
    message = facts.message
    if message is None or message.payload is None:
        return
    topic, payload = read_topic(message.topic), decode(message.payload)
    if topic.role is not Role.REQUEST or payload.undecodable or topic.application.startswith("PROV-"):
        return
    missing = [name for name, kind in OWN_TYPES.items() if getattr(payload.metrics.get(name), "type", None) is not kind]
    if len(missing) == len(OWN_TYPES):
        if facts.is_signed_expected:
            yield Diagnosis(
                "not-signed", Weight.CAUSE,
                f"The message is not signed, and the gateway is provisioned. {DROPPED}",
                "Send it through the instance that manages the gateway, which signs it.",
            )  # fmt: skip
        return
    if missing:
        yield Diagnosis(
            "signature-incomplete", Weight.CAUSE,
            f"Of the signature there is no {', '.join(f'{name} ({OWN_TYPES[name].name})' for name in missing)}. "
            f"{DROPPED}",
            f"Send all of {', '.join(f'{name} ({kind.name})' for name, kind in OWN_TYPES.items())}.",
        )  # fmt: skip
        return
    yield from _time(facts, payload)
    if facts.material.keystore is not None:
        yield from _signer(facts, facts.material.keystore, topic, payload)


def _time(facts: Facts, payload: KuraPayload) -> Iterator[Diagnosis]:
    said = at_ms(payload.integer(SIG_TIME))
    off_s = abs((facts.now - said).total_seconds()) if said is not None else None
    if off_s is None or off_s > WINDOW_S:
        yield Diagnosis(
            "signature-time", Weight.LIKELY,
            f"sig.time says {'nothing' if said is None else f'{said:{DAY}}'}; here it is {facts.now:{DAY}}. A gateway "
            "takes no "
            f"signature that is more than {WINDOW_S} s away from its own clock. {DROPPED}",
            "If the message is a fresh one, set the clock that is wrong; an old message has to be signed anew.",
        )  # fmt: skip


def _signer(
    facts: Facts, keystore: tuple[KeystoreEntry, ...], topic: ControlTopic, payload: KuraPayload
) -> Iterator[Diagnosis]:
    alias = payload.text(SIG_ALIAS) or ""
    known = [one for one in keystore if one.alias == alias or not one.alias]
    if not known:
        listed = ", ".join(quoted(one.alias) for one in keystore) or "nothing"
        yield Diagnosis(
            "signer-unknown", Weight.CAUSE,
            f"The message is signed with {quoted(alias)}; the gateway's DMKeystore has {listed}. {DROPPED}",
            f"Load the certificate of the instance under the alias {quoted(alias)} (KEYS-V1, POST "
            "keystores/entries/certificate).",
        )  # fmt: skip
        return
    entry = next((one for one in known if verifies(one.certificate, topic.request, topic.client_id, payload)), None)
    if entry is None:
        yield _wrong(facts, known[0], topic, payload)
    elif not entry.certificate.not_valid_before_utc <= facts.now <= entry.certificate.not_valid_after_utc:
        yield Diagnosis(
            "signer-out-of-date", Weight.CAUSE,
            f"The certificate {quoted(alias)} counts from {entry.certificate.not_valid_before_utc:{DAY}} to "
            f"{entry.certificate.not_valid_after_utc:{DAY}}. {DROPPED}",
            "Load a valid one, before the old one ends; or set the gateway's clock.",
        )  # fmt: skip


def _wrong(facts: Facts, entry: KeystoreEntry, topic: ControlTopic, payload: KuraPayload) -> Diagnosis:
    """Which part was signed in another form, if that can be found out."""
    mac = topic.client_id if bare_mac(topic.client_id) else ""
    others = {bare_mac(mac), mac_with_colons(mac), facts.gateway.client_id, facts.gateway.set_client_id} - {""}
    whole = facts.message.topic if isinstance(facts.message, Message) else ""
    for name, request, client_id in (
        *((f"for the client id {quoted(one)}", topic.request, one) for one in sorted(others - {topic.client_id})),
        ("over the whole topic, which counts from the application on", whole, topic.client_id),
    ):
        if verifies(entry.certificate, request, client_id, payload):
            return Diagnosis(
                "signature-of-other-form", Weight.CAUSE, f"The signature is right {name}. {DROPPED}",
                "Sign what SIG-SIM1 says: application and the rest of the topic, then the client id of the gateway.",
            )  # fmt: skip
    return Diagnosis(
        "signature-wrong", Weight.CAUSE,
        f"The signature does not verify with the certificate {quoted(entry.alias or 'of the file')}: topic, client "
        "id, a metric "
        f"or the body was changed after it was signed, or it was signed with another key. {DROPPED}",
        "Sign the message as it is sent, and with the key of the certificate that the gateway has.",
    )  # fmt: skip


def verifies(certificate: x509.Certificate, request: str, client_id: str, payload: KuraPayload) -> bool:
    """Whether the signature is right over these words."""
    data, value = signed_bytes(request, client_id, payload.metrics, payload.body), payload.octets(SIG_VALUE) or b""
    key = certificate.public_key()
    try:
        match payload.text(SIG_ALG), key:
            case "SHA256withRSA", RSAPublicKey():
                key.verify(value, data, PKCS1v15(), SHA256())
            case "SHA256withECDSA", EllipticCurvePublicKey():
                key.verify(value, data, ECDSA(SHA256()))
            case "Ed25519", Ed25519PublicKey():
                key.verify(value, data)
            case _:
                return False
    except InvalidSignature:
        return False
    return True
