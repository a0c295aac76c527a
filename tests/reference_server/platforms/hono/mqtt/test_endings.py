"""Connections end with what they stand for (spec 4.2, rows A45, A46, A53), and when the registry fails."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttVersion,
    Subscription,
)
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import (
    TENANT,
    V5,
    AdapterRig,
    authority,
    chain,
    of_profile,
)


@pytest.fixture
def rig() -> AdapterRig:
    rig, devices = AdapterRig(), authority()
    rig.trusting(devices)
    rig.password("sensor1")
    rig.join(1, certificates=chain(devices), version=V5)
    rig.join(2, "sensor1")
    rig.wants(2, "c///q/#")
    return rig


def own_id(rig: AdapterRig) -> str:
    """Of the device that its certificate has provisioned."""
    (found,) = [one for one in rig.device_ids() if one != "sensor1"]
    return found


def test_a_deleted_device(rig: AdapterRig) -> None:
    rig.api("DELETE", f"devices/{TENANT}/{own_id(rig)}")
    assert rig.after(0) == ["1 closed"]
    assert lines(rig.to_server(2, MqttPingreq())) == ["2 PINGRESP"]


def test_a_disabled_device(rig: AdapterRig) -> None:
    rig.api("PUT", f"devices/{TENANT}/sensor1", {"enabled": False})
    assert rig.after(0) == ["2 closed"]
    ends = [one.properties["ttd"] for one in rig.northbound() if "ttd" in one.properties]
    assert [str(one) for one in ends] == ["-1"]


def test_all_devices_of_a_tenant_deleted(rig: AdapterRig) -> None:
    rig.api("DELETE", f"devices/{TENANT}")
    assert rig.after(0) == ["1 closed", "2 closed"]


def test_a_disabled_tenant(rig: AdapterRig) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"enabled": False})
    assert rig.after(0) == ["1 closed", "2 closed"]
    assert rig.join(3, "sensor1") == ["3 CONNACK 5", "3 closed"]


def test_a_deleted_tenant(rig: AdapterRig) -> None:
    rig.api("DELETE", f"tenants/{TENANT}")
    assert rig.after(0) == ["1 closed", "2 closed"]
    assert rig.join(3, "sensor1") == ["3 CONNACK 4", "3 closed"]


def test_what_goes_on(rig: AdapterRig) -> None:
    """A new password, other members: no connection ends by that."""
    rig.api("PUT", f"devices/{TENANT}/sensor1", {"ext": {"a": 1}})
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [])
    rig.api("PUT", f"tenants/{TENANT}", {"ext": {"a": 1}})
    rig.tenant("other")
    rig.api("DELETE", "tenants/other")
    assert rig.after(0) == []
    assert rig.publish(2, "telemetry") == ["2 PUBACK"]


def test_the_trace_says_why(rig: AdapterRig) -> None:
    rig.events.clear()
    rig.api("PUT", f"devices/{TENANT}/sensor1", {"enabled": False})
    rig.after(0)
    assert "the device was disabled" in {event.reason for event in rig.events}


def test_generation_1_closes_nothing() -> None:
    rig = of_profile(Profile.OLD)
    rig.tenant()
    rig.password("sensor1")
    rig.join(1, "sensor1")
    rig.api("DELETE", f"devices/{TENANT}/sensor1")
    assert rig.after(0) == []
    assert rig.publish(1, "telemetry") == ["1 closed"]


# Tokens, which expire


def token(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    head, body = (_url64(json.dumps(one).encode()) for one in ({"alg": "ES256", "typ": "JWT"}, claims))
    r, s = decode_dss_signature(key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
    return f"{head}.{body}.{_url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(4711, ec.SECP256R1())


@pytest.fixture
def with_key(key: ec.EllipticCurvePrivateKey) -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.device("dev")
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    secret = {"key": base64.b64encode(public).decode(), "algorithm": "EC"}
    rig.api("PUT", f"credentials/{TENANT}/dev", [{"type": "rpk", "auth-id": "dev", "secrets": [secret]}])
    return rig


@pytest.mark.parametrize(
    ("client_id", "named", "user_name", "version", "said"),
    [
        ("", {"tid": TENANT, "sub": "dev", "aud": "hono-adapter"}, "unused", MqttVersion.V311, "CONNACK 0"),
        ("", {"tid": TENANT, "sub": "dev", "aud": ["hono-adapter"]}, "", MqttVersion.V311, "CONNACK 0"),
        (f"tenants/{TENANT}/devices/dev", {}, "unused", MqttVersion.V311, "CONNACK 0"),
        (f"{TENANT}/x/dev", {}, "unused", MqttVersion.V311, "CONNACK 0"),
        ("", {"tid": TENANT, "sub": "dev", "aud": "hono-adapter"}, None, V5, "CONNACK 0"),
        ("", {"tid": TENANT, "sub": "dev", "aud": "hono-adapter"}, None, MqttVersion.V311, "CONNACK 4"),
        ("dev", {}, "unused", MqttVersion.V311, "CONNACK 4"),
        ("", {"tid": TENANT, "sub": "other", "aud": "hono-adapter"}, "unused", MqttVersion.V311, "CONNACK 4"),
    ],
)
def test_tokens_sign_in(
    with_key: AdapterRig,
    key: ec.EllipticCurvePrivateKey,
    client_id: str,
    named: dict[str, Any],
    user_name: str | None,
    version: MqttVersion,
    said: str,
) -> None:
    rig = with_key
    now_s = rig.now_us // US_PER_S
    claims = {"iat": now_s, "exp": now_s + 60, **named}
    rig.opens(1)
    connect = MqttConnect(client_id, user_name, token(key, claims).encode(), version=version)
    assert lines(rig.to_server(1, connect))[0] == f"1 {said}"


def test_who_has_an_expired_token_is_closed(with_key: AdapterRig, key: ec.EllipticCurvePrivateKey) -> None:
    rig = with_key
    now_s = rig.now_us // US_PER_S
    claims = {"iat": now_s, "exp": now_s + 60, "tid": TENANT, "sub": "dev", "aud": "hono-adapter"}
    for session in (1, 2):
        rig.opens(session)
        rig.to_server(session, MqttConnect(user_name="", password=token(key, claims).encode(), keep_alive_s=0))
    assert rig.publish(1, "telemetry") == ["1 PUBACK"]
    rig.now_us += 3_600 * US_PER_S
    assert rig.publish(1, "telemetry/?on-error=ignore") == ["1 closed"]
    assert rig.wants(2, "error///#") == ["2 closed"]


# A registry that fails


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        (MqttConnect(), ["1 CONNACK 3", "1 closed"]),
        (MqttConnect(version=V5), ["1 CONNACK 136", "1 closed"]),
        (MqttPublish("telemetry", qos=1, packet_id=7), ["1 closed"]),
        (MqttSubscribe((Subscription("error///#"), Subscription("x"))), ["1 SUBACK 128 128"]),
        (MqttPingreq(), ["1 PINGRESP"]),
    ],
)
def test_nothing_is_acknowledged_that_is_not_kept(rig: AdapterRig, envelope: Envelope, said: list[str]) -> None:
    reaction = rig.platform.failed(rig.sessions[1], envelope, "a test", rig.now_us)
    assert (lines(reaction.outputs), reaction.reason) == (said, "a test")


def test_an_adapter_waits_for_the_registry_for_200_ms(rig: AdapterRig) -> None:
    assert rig.platform.gives_up_after_us(MqttConnect()) == 200_000
    assert rig.platform.gives_up_after_us(MqttPingreq()) is None
