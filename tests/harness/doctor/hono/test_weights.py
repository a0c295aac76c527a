"""How sure the doctor is: no more than what was looked at allows, and no secret is blamed for a busy server."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.harness.doctor.diagnosis import Weight
from fleetrig.harness.platforms.hono.doctor.asking import _error_of
from fleetrig.harness.platforms.hono.doctor.commands import RegistryShell
from fleetrig.harness.platforms.hono.doctor.facts import (
    DeviceRecord,
    Facts,
    Heard,
    Kind,
    Presented,
    Said,
    TenantRecord,
)
from fleetrig.harness.platforms.hono.doctor.foretelling import foretell, may_be_made
from fleetrig.harness.platforms.hono.doctor.judging import judge
from tests.harness.doctor.hono.bench import DEVICE_DN, TENANT, authority, leaf_of, loaded, password, psk, x509_entry

CA = authority()
OWN = Presented(Kind.CERTIFICATE, (loaded(leaf_of(CA)),), has_key=True)
HERE = TenantRecord(TENANT, {})
"""It trusts nobody."""


def login(kind: Kind, name: str = "sensor1") -> Presented:
    return Presented(kind, login=f"{name}@{TENANT}", secret="a secret")


def seen(presented: Presented, over: str, *devices: DeviceRecord, **more: Any) -> Facts:
    """All that an online registry shows."""
    facts = Facts(RegistryShell(), presented, over, f"{over}://localhost", "", datetime.now(UTC))
    known: dict[str, Any] = {"knows_all_tenants": True, "knows_all_devices": True, "is_offline": False}
    return replace(facts, tenants=(HERE,), devices=devices, **(known | more))


def weights(facts: Facts) -> dict[str, Weight]:
    return {one.name: one.weight for one in judge(facts).diagnoses}


@pytest.mark.parametrize(
    ("kind", "over", "heard", "name"),
    [
        (Kind.PASSWORD, "http", Heard(Said.REFUSED, "HTTP 401: bad credentials"), "secret-differs"),
        (Kind.PASSWORD, "mqtt", Heard(Said.REFUSED, "CONNACK 4"), "secret-differs"),
        (Kind.KEY, "coaps", Heard(Said.SILENCE, "no DTLS session within 1 s"), "secret-differs"),
        (Kind.PASSWORD, "http", Heard(Said.REFUSED, "HTTP 503: no connection"), "contradiction"),
        (Kind.PASSWORD, "http", Heard(Said.REFUSED, "HTTP 429"), "contradiction"),
        (Kind.PASSWORD, "http", Heard(Said.REFUSED, "HTTP 500"), "contradiction"),
        (Kind.PASSWORD, "mqtt", Heard(Said.REFUSED, "CONNACK 3"), "contradiction"),
        (Kind.PASSWORD, "mqtt", Heard(Said.REFUSED, "CONNACK 5"), "contradiction"),
        (Kind.PASSWORD, "mqtts", Heard(Said.REFUSED, "TLS handshake refused: internal_error"), "contradiction"),
        (Kind.KEY, "coaps", Heard(Said.REFUSED, "CoAP 5.03"), "contradiction"),
    ],
)
def test_a_secret_is_blamed_for_what_is_said_to_wrong_secrets_alone(
    kind: Kind, over: str, heard: Heard, name: str
) -> None:
    device = DeviceRecord("d-1", {}, (password(), psk()))
    weight = Weight.CAUSE if name == "secret-differs" else Weight.POSSIBLE
    assert weights(seen(login(kind), over, device, heard=heard)) == {name: weight}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error": "Content-Type required"}', "Content-Type required"),
        (b"Content-Type required\n", "Content-Type required"),
        (b'<html><meta http-equiv="Content-Type"></html>', ""),
        (b"", ""),
    ],
)
def test_an_error_is_a_member_or_the_whole_text(body: bytes, error: str) -> None:
    assert _error_of(body) == error


@pytest.mark.parametrize(
    ("status", "is_owed"),
    [
        ({"auto-provisioned": True, "auto-provisioning-notification-sent": True}, False),
        ({"auto-provisioned": True, "auto-provisioning-notification-sent": False}, True),
        ({"auto-provisioned": True}, True),
        ({}, False),
    ],
)
@pytest.mark.parametrize("presented", [OWN, login(Kind.PASSWORD)], ids=["certificate", "password"])
def test_a_known_device_of_which_nobody_was_told_is_not_asked_for(
    presented: Presented, status: dict[str, bool], is_owed: bool
) -> None:
    tenant = TenantRecord(TENANT, {"trusted-ca": [{"subject-dn": OWN.issuer_dn, **key_of_ca()}]})
    device = DeviceRecord("d-1", {"status": status}, (x509_entry(DEVICE_DN), password()))
    facts = replace(seen(presented, "mqtts", device), tenants=(tenant,))
    assert foretell(facts).is_known
    assert may_be_made(facts, foretell(facts)) is is_owed


def key_of_ca() -> dict[str, str]:
    key = CA.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"public-key": b64encode(key).decode(), "not-before": "2020-01-01T00:00:00Z",
            "not-after": "2099-01-01T00:00:00Z"}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "weight"),
    [
        ({}, Weight.CAUSE),
        ({"knows_all_tenants": False}, Weight.POSSIBLE),
        ({"knows_all_tenants": False, "tenant_named": TENANT}, Weight.CAUSE),
        ({"knows_all_tenants": False, "is_offline": True}, Weight.CAUSE),
    ],
    ids=["all are known", "some are known", "the one that is named", "that of a file"],
)
def test_nobody_trusts_it_as_far_as_tenants_are_known(more: dict[str, Any], weight: Weight) -> None:
    assert weights(seen(OWN, "mqtts", **more))["issuer-unknown"] is weight


@pytest.mark.parametrize(("knows_all", "weight"), [(True, Weight.CAUSE), (False, Weight.POSSIBLE)])
@pytest.mark.parametrize(
    ("presented", "name"),
    [
        (login(Kind.PASSWORD), "credentials-of-another-type"),
        (login(Kind.PASSWORD, "d-1"), "device-id-for-auth-id"),
        (login(Kind.PASSWORD, "nobody"), "auth-id-unknown"),
    ],
)
def test_a_login_is_wrong_as_far_as_devices_are_known(
    presented: Presented, name: str, knows_all: bool, weight: Weight
) -> None:
    device = DeviceRecord("d-1", {}, (psk(),))
    assert weights(seen(presented, "http", device, knows_all_devices=knows_all)) == {name: weight}
