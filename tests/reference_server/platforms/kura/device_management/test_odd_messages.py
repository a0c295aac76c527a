"""Control messages as a test wants them: what is signed verifies, and each oddity breaks just what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import load_pem_x509_certificate

from fleetrig.reference_server.northbound import CommandRefused, NorthboundCommand
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, ValueType, int32
from fleetrig.reference_server.platforms.kura.signing.signed_parts import SIG_VALUE, signed_bytes
from fleetrig.reference_server.platforms.kura.state.certificates import signing_certificate
from fleetrig.simulator.contract.clock import US_PER_MS
from tests.reference_server.platforms.kura.broker_rig import ACCOUNT, GATEWAY, BrokerRig, Told, told

TOPIC = "CONF-V1/GET/configurations"
BIRTH_S = 3.0


def connected() -> BrokerRig:
    rig = BrokerRig()
    rig.user()
    rig.join()
    rig.birth()
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    rig.later(BIRTH_S)
    return rig


def command(device: str = GATEWAY, name: str = "control", tenant: str = ACCOUNT, **asked: Any) -> NorthboundCommand:
    document = {"app": "CONF-V1", "method": "GET", "resource": "configurations", **asked}
    return NorthboundCommand(tenant, device, name, json.dumps(document).encode())


def sent(rig: BrokerRig, **asked: Any) -> Told:
    rig.platform.send_command(command(**asked), rig.now_us)
    (message,) = told(rig.later(1.0))
    assert message.topic == f"$EDC/{ACCOUNT}/{GATEWAY}/{TOPIC}"
    return message


def verify(rig: BrokerRig, payload: KuraPayload) -> None:
    """By the certificate that signs for the account. Raises InvalidSignature."""
    certificate = signing_certificate(rig.registry, rig.account().id, rig.now_us)
    assert certificate is not None
    key = load_pem_x509_certificate(certificate.own_pem.encode()).public_key()
    assert isinstance(key, Ed25519PublicKey)
    value = payload.octets(SIG_VALUE)
    assert value is not None
    metrics: Mapping[str, Metric] = payload.metrics
    key.verify(value, signed_bytes(TOPIC, GATEWAY, {k: v for k, v in metrics.items() if k != SIG_VALUE}, payload.body))


def test_a_signed_one_verifies_and_its_reply_is_told() -> None:
    rig = connected()
    message = sent(rig, metrics={"a": True, "b": 1, "job.id": 1, "c": 1.5, "d": "x"}, body="<xml/>")
    verify(rig, message.payload)
    kinds = [message.payload.metrics[name].type for name in ("a", "b", "job.id", "c", "d")]
    assert kinds == [ValueType.BOOL, ValueType.INT32, ValueType.INT64, ValueType.DOUBLE, ValueType.STRING]
    assert message.payload.body == b"<xml/>"

    request_id, requester = message.text("request.id"), message.text("requester.client.id")
    reply = KuraPayload(metrics={"response.code": int32(200)})
    rig.publish(1, f"$EDC/{ACCOUNT}/{requester}/CONF-V1/REPLY/{request_id}", reply)
    assert any("answered 200" in event.name for event in rig.events)


def test_an_unsigned_one_says_nothing_of_a_signature() -> None:
    message = sent(connected(), signature="unsigned")
    assert not [name for name in message.payload.metrics if name.startswith("sig.")]


@pytest.mark.parametrize("signature", ["wrong", "changed_body"])
def test_what_was_not_signed_like_this_does_not_verify(signature: str) -> None:
    rig = connected()
    message = sent(rig, signature=signature)
    with pytest.raises(InvalidSignature):
        verify(rig, message.payload)


def test_an_old_one_is_right_but_for_its_time() -> None:
    rig = connected()
    message = sent(rig, signature="old")
    verify(rig, message.payload)
    at_ms = message.payload.integer("sig.time")
    assert at_ms is not None
    assert rig.now_us // US_PER_MS - at_ms > 300_000


def test_one_under_another_alias_is_signed_by_the_same_key() -> None:
    rig = connected()
    message = sent(rig, signature="unknown_alias")
    verify(rig, message.payload)
    assert message.text("sig.alias") == "dm-of-nobody"


def test_a_replayed_one_is_the_last_one_once_more() -> None:
    rig = connected()
    first = sent(rig)
    assert sent(rig, signature="replayed").data == first.data


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"signature": "replayed"}, "sent nothing that could be sent again"),
        ({"signature": "forged"}, "signature: expected signed, unsigned"),
        ({"method": "get"}, "method: expected GET"),
        ({"metrics": [1]}, "metrics: expected an object"),
        ({"metrics": {"a": None}}, "'a' has a value that no metric can have"),
        ({"metrics": {"a": 1 << 70}}, "'a' has a value that no metric can have"),
        ({"body": 7}, "body: expected a text"),
        ({"topic": "x"}, "'topic' is not known here"),
        ({"device": "gw-2"}, "gw-2 is not connected"),
        ({"name": "blink"}, "there is no command 'blink'"),
        ({"tenant": "nobody"}, "there is no account 'nobody'"),
    ],
)
def test_what_cannot_be_sent(given: dict[str, Any], why: str) -> None:
    rig = connected()
    with pytest.raises(CommandRefused, match=why.replace("(", r"\(")):
        rig.platform.send_command(command(**given), rig.now_us)


def test_a_payload_that_is_no_object_is_refused() -> None:
    rig = connected()
    with pytest.raises(CommandRefused, match="no JSON object"):
        rig.platform.send_command(NorthboundCommand(ACCOUNT, GATEWAY, "control", b"[1]"), rig.now_us)


@pytest.mark.parametrize("payload", [b'{"metrics":{"a":"\\ud800"}}', b"[" * 100_000, b'{"app":"\\udc00"}'])
def test_a_payload_that_cannot_be_written_is_refused(payload: bytes) -> None:
    rig = connected()
    with pytest.raises(CommandRefused, match="no JSON object"):
        rig.platform.send_command(NorthboundCommand(ACCOUNT, GATEWAY, "control", payload), rig.now_us)


def test_what_is_not_answered_is_told_too() -> None:
    rig = connected()
    sent(rig, requester="SRV+1")
    rig.later(40.0)
    assert any("no reply" in reason for reason in rig.reasons())
