"""DTLS: pre-shared keys and certificates, and all that happens in the handshake (rows C01, C02, C05, A08-A22)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.certificates.names import distinguished_name, named
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, CertificateProfile, Validity, leaf_profile
from fleetrig.simulator.contract.handshake import TlsAlert
from tests.reference_server.platforms.hono.adapter_rig import (
    KEY,
    TENANT,
    AdapterRig,
    authority,
    certificate_text,
    chain,
    of_profile,
)

BAD = TlsAlert.BAD_CERTIFICATE


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.trusting(authority())
    rig.key("sensor1")
    return rig


def reasons(rig: AdapterRig) -> list[str]:
    return [event.reason for event in rig.events if event.kind == "refused"]


def test_the_key_of_an_identity(rig: AdapterRig) -> None:
    assert rig.shakes(1, key_of=f"sensor1@{TENANT}") == KEY
    assert rig.answer(1, "POST", "/telemetry").code == "2.04"


@pytest.mark.parametrize("identity", ["nobody@acme", "sensor1@other", "sensor1", "@", "", "sensor1@acme@acme"])
def test_who_has_no_key_has_no_session(rig: AdapterRig, identity: str) -> None:
    if identity:
        assert rig.shakes(1, key_of=identity) is None
        assert reasons(rig)


@pytest.mark.parametrize(
    "secret",
    [
        {"enabled": False},
        {"not-after": "2025-12-31T00:00:00Z"},
        {"not-before": "2026-02-01T00:00:00Z"},
    ],
)
def test_a_key_that_does_not_count_now(rig: AdapterRig, secret: dict[str, object]) -> None:
    entry = {"type": "psk", "auth-id": "sensor1", "secrets": [{"key": "a2V5", **secret}]}
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [entry])
    assert rig.shakes(1, key_of=f"sensor1@{TENANT}") is None


def test_the_first_key_that_counts(rig: AdapterRig) -> None:
    secrets = [{"key": "b2xk", "not-after": "2025-12-31T00:00:00Z"}, {"key": "bmV3"}, {"key": "bGFzdA=="}]
    rig.api("PUT", f"credentials/{TENANT}/sensor1", [{"type": "psk", "auth-id": "sensor1", "secrets": secrets}])
    assert rig.shakes(1, key_of=f"sensor1@{TENANT}") == b"new"


def test_a_first_contact_by_certificate(rig: AdapterRig) -> None:
    assert rig.shakes(1, certificates=chain(authority())) is None
    assert rig.answer(1, "POST", "/telemetry").code == "2.04"
    assert len(rig.device_ids()) == 2
    assert [topic for topic, _ in rig.heard_by_applications()] == [f"event.{TENANT}", f"telemetry.{TENANT}"]
    assert rig.shakes(2, certificates=chain(authority())) is None
    assert rig.answer(2, "POST", "/t").code == "2.04"
    assert len(rig.device_ids()) == 2


def test_steps_of_the_handshake_come_before_those_of_the_request(rig: AdapterRig) -> None:
    rig.shakes(1, certificates=chain(authority()))
    rig.answer(1, "POST", "/telemetry")
    assert [event.name for event in rig.events if event.kind == "step"] == [
        *("tenant_found", "certificate_validated", "credentials_created", "notification_sent"),
        *("registration_asserted", "message_forwarded"),
    ]


@pytest.mark.parametrize("server_name", ["", "localhost", "nosuch.example.com", f"{TENANT}.example.com"])
def test_a_certificate_of_nobody(rig: AdapterRig, server_name: str) -> None:
    stranger = chain(authority("O=Other,CN=devices", "2"))
    assert rig.shakes(1, certificates=stranger, server_name=server_name) is BAD
    assert reasons(rig)


def test_a_certificate_with_the_right_issuer_and_another_key(rig: AdapterRig) -> None:
    assert rig.shakes(1, certificates=chain(authority(seed="another"))) is BAD
    assert "signature" in reasons(rig)[0]


def test_certificates_out_of_their_time(rig: AdapterRig) -> None:
    assert rig.shakes(1, certificates=chain(authority(), expired=True)) is BAD
    later = Validity.later(rig.now_us)
    assert rig.shakes(2, certificates=chain(authority(), validity=later)) is BAD


def test_nobody_is_provisioned_where_it_is_off(rig: AdapterRig) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [{"cert": certificate_text(authority())}]})
    assert rig.shakes(1, certificates=chain(authority())) is BAD
    assert rig.device_ids() == ["sensor1"]


def test_an_illegal_device_id_is_no_device(rig: AdapterRig) -> None:
    anchor = {"cert": certificate_text(authority()), "auto-provisioning-enabled": True}
    anchor["auto-provisioning-device-id-template"] = "x-{{subject-dn}}"
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [anchor]})
    assert rig.shakes(1, certificates=chain(authority())) is BAD
    assert rig.device_ids() == ["sensor1"]


@pytest.mark.parametrize("profile", list(Profile))
def test_a_handshake_does_not_ask_whether_the_tenant_is_enabled(profile: Profile) -> None:
    """A14: the real one makes the device all the same."""
    rig = of_profile(profile)
    rig.trusting(authority())
    rig.api("PUT", f"tenants/{TENANT}", {**rig.shown(f"tenants/{TENANT}"), "enabled": False})
    assert rig.shakes(1, certificates=chain(authority())) is None
    assert rig.answer(1, "POST", "/telemetry").code == "4.03"
    assert len(rig.device_ids()) == (0 if profile is Profile.CURRENT else 1)


@pytest.mark.parametrize(
    ("extension", "word"),
    [
        (x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), "clientAuth"),
        (
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            "digitalSignature",
        ),
    ],
)
def test_a_certificate_that_is_none_for_clients(rig: AdapterRig, extension: x509.ExtensionType, word: str) -> None:
    devices = authority()
    only = (x509.Extension(extension.oid, False, extension),)
    profile = CertificateProfile(distinguished_name("CN=device-1"), Validity.days(rig.now_us, 9), only)
    key = devices.keys.new_key(KeyKind.P256, "client")
    made = devices.issue(profile, key.public_key(), "client")
    assert rig.shakes(1, certificates=(made.public_bytes(Encoding.DER),)) is BAD
    assert word in reasons(rig)[0]


def test_keys_of_certificates(rig: AdapterRig) -> None:
    """As a running adapter has them: RSA is taken, Ed25519 is not."""
    devices = authority()
    key = rsa.generate_private_key(65537, 2048)
    profile = leaf_profile(named("device-1"), Validity.days(rig.now_us, 9), FOR_CLIENTS)
    made = devices.issue(profile, key.public_key(), "client").public_bytes(Encoding.DER)
    assert rig.shakes(1, certificates=(made,)) is None
    assert rig.shakes(2, certificates=devices.issue_client("device-2", kind=KeyKind.ED25519).chain) is BAD
    assert "neither EC nor RSA" in reasons(rig)[0]


def test_garbage_for_a_certificate(rig: AdapterRig) -> None:
    assert rig.shakes(1, certificates=(b"garbage",)) is BAD


def test_a_session_is_the_device_of_its_handshake_until_it_ends(rig: AdapterRig) -> None:
    """A device that was deleted and made anew is another one, and its session is nobody's."""
    rig.shakes(1, certificates=chain(authority()))
    (made,) = [one for one in rig.device_ids() if one != "sensor1"]
    rig.api("DELETE", f"devices/{TENANT}/{made}")
    assert rig.after(0) == []
    assert rig.answer(1, "POST", "/telemetry").code == "4.04"
    rig.gone(1)
    rig.shakes(1, certificates=chain(authority()))
    assert rig.answer(1, "POST", "/telemetry").code == "2.04"


def test_handshakes_that_come_to_nothing_are_forgotten(rig: AdapterRig) -> None:
    """Whoever judged a session of that id before is not taken for its owner."""
    rig.shakes(1, key_of=f"sensor1@{TENANT}")
    rig.gone(1)
    rig.plain(1)
    assert rig.answer(1, "POST", "/telemetry").code == "4.01"
