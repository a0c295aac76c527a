"""Automatic provisioning by a client certificate (A rows): what is made, who is refused, and where it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.hono.state.generations import PROVISIONING_TAKES_US, Profile
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hono.adapter_rig import (
    TENANT,
    AdapterRig,
    authority,
    certificate_text,
    chain,
    of_profile,
)
from tests.reference_server.platforms.hono.http_requests import (
    answered,
    ask,
    post,
    reasons_of,
    said,
    steps_of,
)

DN = "CN=device-1,O=ACME"
ISSUER = "CN=devices,O=ACME"
NOTIFICATION = "application/vnd.eclipse-hono-device-provisioning-notification"


@pytest.fixture
def devices() -> CertificateAuthority:
    return authority(ISSUER)


@pytest.fixture
def rig(devices: CertificateAuthority) -> AdapterRig:
    made = AdapterRig()
    made.trusting(devices)
    made.told()
    return made


def anchor(of: CertificateAuthority) -> dict[str, Any]:
    return {"cert": certificate_text(of), "auto-provisioning-enabled": True}


def only_device(rig: AdapterRig) -> str:
    (device_id,) = rig.device_ids()
    return device_id


def test_device_credentials_and_notification(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A01 to A05."""
    assert post(rig, certificates=chain(devices)).status == 202
    assert steps_of(rig) == [
        "tenant_found", "certificate_validated", "credentials_created", "notification_sent",
        "registration_asserted", "message_forwarded",
    ]  # fmt: skip
    device_id = only_device(rig)
    changes = [event.name for event in rig.events if event.kind == "answered" and event.name]
    assert changes == [f"device {device_id} provisioned"]
    device = rig.shown(f"devices/{TENANT}/{device_id}")
    assert device["enabled"] is True
    assert device["ext"] == {"comment": "Auto-provisioned at 2026-01-01T00:00:00Z"}
    assert device["status"]["auto-provisioned"] is True
    assert device["status"]["auto-provisioning-notification-sent"] is True
    (entry,) = rig.shown(f"credentials/{TENANT}/{device_id}")
    assert (entry["type"], entry["auth-id"], entry["enabled"]) == ("x509-cert", DN, True)
    assert [list(secret) for secret in entry["secrets"]] == [["id"]]
    notification, telemetry = rig.northbound()
    assert notification.properties == {
        "content-type": NOTIFICATION,
        "creation-time": "1767225600000",
        "device_id": device_id,
        "hono_registration_status": "NEW",
        "orig_adapter": "hono-device-registry",
        "orig_address": "event",
        "qos": "1",
        "tenant_id": TENANT,
    }
    assert (notification.topic, notification.key, notification.payload) == (f"hono.event.{TENANT}", device_id, b"")
    assert (telemetry.topic, telemetry.key, telemetry.payload) == (f"hono.telemetry.{TENANT}", device_id, b'{"temp":5}')


def test_the_device_is_known_from_then_on_over_all_adapters(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A06, A07: no second device, no second notification, and nothing of the device changes."""
    post(rig, certificates=chain(devices))
    before = rig.api("GET", f"devices/{TENANT}/{only_device(rig)}")
    rig.told()
    assert post(rig, certificates=chain(devices), session=501).status == 202
    assert steps_of(rig)[:3] == ["tenant_found", "certificate_validated", "credentials_found"]
    assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 0"]
    assert rig.shakes(2, certificates=chain(devices)) is None
    assert rig.answer(2, "POST", "/telemetry").code == "2.04"
    assert rig.api("GET", f"devices/{TENANT}/{only_device(rig)}") == before
    assert [kind for _, kind in rig.heard_by_applications()].count(NOTIFICATION) == 1


def test_everybody_is_told_who_is_meant(rig: AdapterRig, devices: CertificateAuthority) -> None:
    post(rig, certificates=chain(devices))
    post(rig, certificates=chain(authority("CN=stranger", "2")), session=501)
    told = [(event.kind, event.device) for event in rig.events if event.kind in ("answered", "refused")]
    assert told == [("answered", "device-1"), ("refused", "device-1")]


# Who is refused


def test_an_unknown_device_where_none_is_provisioned(devices: CertificateAuthority) -> None:
    """A08, A26: as-gateway alone is nothing."""
    rig = AdapterRig()
    rig.trusting(devices, auto_provisioning_enabled=False, auto_provision_as_gateway=True)
    assert said(post(rig, certificates=chain(devices))) == (401, "bad credentials")
    assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 4", "1 closed"]
    assert rig.shakes(2, certificates=chain(devices)) is TlsAlert.BAD_CERTIFICATE
    assert rig.device_ids() == []
    assert "auto-provisioning-enabled false" in reasons_of(rig)[0]


def test_the_name_of_an_authority_and_another_key(rig: AdapterRig) -> None:
    """A09."""
    forged = authority(ISSUER, seed="another key")
    assert said(post(rig, certificates=chain(forged))) == (401, "validation of device certificate failed")
    assert "its signature is not by the key of CN=devices,O=ACME" in reasons_of(rig)[0]
    assert rig.device_ids() == []


@pytest.mark.parametrize(
    ("server_name", "expected"),
    [
        ("", (404, "no such tenant")),
        ("localhost", (400, "could not determine tenant ID from SNI extension")),
        ("nosuch.example.com", (404, "no such tenant")),
        (f"{TENANT}.example.com", (401, "validation of device certificate failed")),
    ],
)
def test_a_strangers_authority(rig: AdapterRig, server_name: str, expected: tuple[int, str]) -> None:
    """A10."""
    strangers = chain(authority("CN=strangers", "2"))
    assert said(post(rig, certificates=strangers, server_name=server_name)) == expected
    assert rig.join(1, certificates=strangers, server_name=server_name) == ["1 CONNACK 4", "1 closed"]
    assert rig.shakes(2, certificates=strangers, server_name=server_name) is TlsAlert.BAD_CERTIFICATE
    assert rig.device_ids() == []


@pytest.mark.parametrize("how", ["expired", "not yet valid", "no certificate"])
def test_dates_are_looked_at_in_the_handshake(rig: AdapterRig, devices: CertificateAuthority, how: str) -> None:
    """A11, A12; and bytes that are no certificate."""
    shown = {
        "expired": lambda: chain(devices, expired=True),
        "not yet valid": lambda: chain(devices),
        "no certificate": lambda: (b"\x30\x03abc",),
    }[how]()
    if how == "not yet valid":
        rig.now_us -= 100 * 86_400 * 1_000_000
    over_tls = TlsAlert.BAD_CERTIFICATE if how == "no certificate" else TlsAlert.CERTIFICATE_UNKNOWN
    for name, alert in (("https", over_tls), ("mqtts", over_tls), ("coaps", TlsAlert.BAD_CERTIFICATE)):
        assert rig.server.handshake(Session(id=9, listener=name, tls=True, certificates=shown), rig.now_us) is alert
    assert len(reasons_of(rig)) == 3
    assert "" not in reasons_of(rig)


def nameless(of: CertificateAuthority, *, has_extensions: bool) -> tuple[bytes, ...]:
    """Of a certificate without a subject."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=VIRTUAL_EPOCH_US)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(of.certificate.subject, x509.Name([]), key.public_key(), 7)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if has_extensions:
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return (builder.sign(of.signer.key, hashes.SHA256()).public_bytes(Encoding.DER),)


def test_java_cannot_read_a_certificate_with_extensions_and_no_subject(
    rig: AdapterRig, devices: CertificateAuthority
) -> None:
    unread = nameless(devices, has_extensions=True)
    for name in ("https", "mqtts"):
        for shown in (unread, (*chain(devices), *unread)):
            judged = rig.server.handshake(Session(id=9, listener=name, tls=True, certificates=shown), rig.now_us)
            assert judged is TlsAlert.BAD_CERTIFICATE
    assert "has extensions and no subject" in reasons_of(rig)[0]


@pytest.mark.parametrize(("profile", "status", "devices_left"), [("2", 400, 0), ("2-jdbc", 500, 1)])
def test_a_device_without_a_name(devices: CertificateAuthority, profile: str, status: int, devices_left: int) -> None:
    rig = of_profile(Profile(profile))
    rig.trusting(devices)
    assert said(post(rig, certificates=nameless(devices, has_extensions=False)))[0] == status
    assert len(rig.device_ids()) == devices_left


def test_two_slashes_are_noticed_after_the_certificate(rig: AdapterRig, devices: CertificateAuthority) -> None:
    strangers = chain(authority(ISSUER, "2"))
    assert said(post(rig, "//event", certificates=strangers)) == (401, "validation of device certificate failed")
    slashes = post(rig, "//event", certificates=chain(devices))
    assert said(slashes) == (400, "path must not start with an empty segment")
    assert rig.device_ids() == []


def test_an_authority_whose_time_is_over(devices: CertificateAuthority) -> None:
    """A13: JDBC hands it to its adapters, and provisions nothing."""
    for profile, error in (
        (Profile.CURRENT, "no valid trust anchors defined for tenant"),
        (Profile.JDBC, "bad credentials"),
    ):
        rig = of_profile(profile)
        rig.tenant()
        shown = anchor_by_key(
            rig, devices, **{"not-before": "2020-01-01T00:00:00Z", "not-after": "2021-01-01T00:00:00Z"}
        )
        rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [shown]})
        assert said(post(rig, certificates=chain(devices))) == (401, error)
        assert rig.device_ids() == []


def anchor_by_key(rig: AdapterRig, of: CertificateAuthority, **members: Any) -> dict[str, Any]:
    """An authority as GET shows it, so by its key."""
    rig.api("POST", "tenants/only-for-its-key", {"trusted-ca": [{"cert": certificate_text(of)}]})
    (shown,) = rig.shown("tenants/only-for-its-key")["trusted-ca"]
    rig.api("DELETE", "tenants/only-for-its-key")
    return {
        **{name: value for name, value in shown.items() if name != "id"},
        "auto-provisioning-enabled": True,
        **members,
    }


def test_a_name_in_another_order(devices: CertificateAuthority) -> None:
    """A48: the reason says what is wrong."""
    rig = AdapterRig()
    rig.tenant()
    turned = anchor_by_key(rig, devices, **{"subject-dn": "O=ACME,CN=devices"})
    turned.pop("subject-dn-bytes")
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [turned]})
    assert said(post(rig, certificates=chain(devices))) == (404, "no such tenant")
    assert "one has O=ACME,CN=devices, the same in the other order" in reasons_of(rig)[0]


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"enabled": False}, "tenant is disabled or not registered"),
        ({"adapters": [{"type": "hono-amqp", "enabled": True}]}, "adapter is disabled"),
    ],
)
def test_nothing_is_provisioned_for_a_tenant_that_does_not_want_it(
    devices: CertificateAuthority, members: dict[str, Any], error: str
) -> None:
    """A14, A15. A handshake of CoAP comes to something all the same, and the real server's makes the device."""
    for profile, made in ((Profile.CURRENT, 0), (Profile.MONGODB, 1)):
        rig = of_profile(profile)
        rig.tenant(trusted_ca=[anchor(devices)], **members)
        assert said(post(rig, certificates=chain(devices))) == (403, error)
        assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 5", "1 closed"]
        assert rig.shakes(2, certificates=chain(devices)) is None
        assert rig.answer(2, "POST", "/telemetry").code == "4.03"
        assert len(rig.device_ids()) == made


def test_a_device_that_an_operator_has_disabled(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A16."""
    post(rig, certificates=chain(devices))
    device_id = only_device(rig)
    rig.api("PUT", f"devices/{TENANT}/{device_id}", {"enabled": False})
    assert said(post(rig, certificates=chain(devices))) == (404, "device is disabled or not registered")
    assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 5", "1 closed"]
    rig.api("PUT", f"devices/{TENANT}/{device_id}", {"enabled": True})
    assert post(rig, certificates=chain(devices)).status == 202


def test_a_device_that_was_deleted_is_a_new_one(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A17."""
    post(rig, certificates=chain(devices))
    old = only_device(rig)
    rig.api("DELETE", f"devices/{TENANT}/{old}")
    assert post(rig, certificates=chain(devices)).status == 202
    assert only_device(rig) != old
    assert [kind for _, kind in rig.heard_by_applications()].count(NOTIFICATION) == 2


def test_as_many_devices_as_there_may_be(devices: CertificateAuthority) -> None:
    """A27."""
    rig = AdapterRig()
    limits = {"max-devices": 1}
    rig.trusting(devices)
    rig.api("PUT", f"tenants/{TENANT}", {**rig.shown(f"tenants/{TENANT}"), "registration-limits": limits})
    assert post(rig, certificates=chain(devices)).status == 202
    assert said(post(rig, certificates=chain(devices, "CN=device-2"))) == (403, "Error Code: 403")
    assert rig.join(1, certificates=chain(devices, "CN=device-2")) == ["1 CONNACK 5", "1 closed"]
    assert len(rig.device_ids()) == 1


# Renewal, several authorities


def test_a_renewed_certificate_and_one_with_another_name(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A32, A33."""
    post(rig, certificates=chain(devices))
    first = only_device(rig)
    post(rig, certificates=chain(devices))  # another key
    assert rig.device_ids() == [first]
    post(rig, certificates=chain(devices, "CN=device-1,OU=new,O=ACME"))
    assert len(rig.device_ids()) == 2


def test_two_authorities_of_one_name(devices: CertificateAuthority) -> None:
    """A34: while a new key is rolled out both count."""
    newer = authority(ISSUER, seed="2")
    rig = AdapterRig()
    rig.trusting(devices, newer)
    assert post(rig, certificates=chain(devices)).status == 202
    assert post(rig, certificates=chain(newer, "CN=device-2")).status == 202
    assert post(rig, certificates=chain(newer)).status == 202
    assert len(rig.device_ids()) == 2


def test_the_same_name_of_two_authorities(devices: CertificateAuthority) -> None:
    """A50."""
    other = authority("CN=others", "2")
    rig = AdapterRig()
    rig.trusting(devices, other)
    assert [post(rig, certificates=chain(one)).status for one in (devices, other)] == [202, 202]
    assert len(rig.device_ids()) == 1


def test_an_authority_that_provisions_no_more(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """A35, A36."""
    post(rig, certificates=chain(devices))
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [{"cert": certificate_text(devices)}]})
    assert post(rig, certificates=chain(devices)).status == 202
    assert post(rig, certificates=chain(devices, "CN=device-2")).status == 401
    rig.api("PUT", f"tenants/{TENANT}", {})
    assert post(rig, certificates=chain(devices)).status == 404
    assert len(rig.device_ids()) == 1


def test_only_the_direct_issuer_counts(devices: CertificateAuthority) -> None:
    """A38, A39: what else a device shows is not looked at."""
    intermediate = devices.authority_below("line 7")
    shown = chain(intermediate)
    assert len(shown) > 1
    rig = AdapterRig()
    rig.trusting(devices)
    assert post(rig, certificates=shown).status == 404
    rig.api(
        "PUT",
        f"tenants/{TENANT}",
        {"trusted-ca": [anchor(intermediate)]},
    )
    assert post(rig, certificates=shown[:1]).status == 202
    assert post(rig, certificates=shown).status == 202


def test_a_chain_in_the_wrong_order(devices: CertificateAuthority) -> None:
    rig = AdapterRig()
    rig.trusting(authority("CN=others", "2"))
    own, issuer = chain(devices.authority_below("line 7"))[:2]
    assert post(rig, certificates=(issuer, own)).status == 404
    assert post(rig, certificates=(own, issuer), session=501).status == 404
    turned, right = reasons_of(rig)
    assert turned.endswith("it has issued the second one of the chain: a device's own certificate has to come first")
    assert "has to come first" not in right


def test_one_authority_of_two_tenants(devices: CertificateAuthority) -> None:
    """A40 to A42: the host that is asked for names the tenant, by its id or its alias."""
    rig = AdapterRig()
    group = {
        "trust_anchor_group": "g",
        "trusted_ca": [anchor(devices)],
    }
    rig.tenant("t1", **group)
    rig.tenant("t2", alias="second", **group)
    shown = chain(devices)
    assert said(post(rig, certificates=shown)) == (404, "no such tenant")
    assert "several tenants trust the issuer CN=devices,O=ACME: t1, t2" in reasons_of(rig)[0]
    assert post(rig, certificates=shown, server_name="t1.localhost").status == 202
    assert (len(rig.device_ids("t1")), len(rig.device_ids("t2"))) == (1, 0)
    assert post(rig, certificates=shown, server_name="second.example.org").status == 202
    assert len(rig.device_ids("t2")) == 1
    assert rig.join(1, certificates=shown, server_name="nosuch.example.org") == ["1 CONNACK 4", "1 closed"]


def test_credentials_that_an_operator_has_made(devices: CertificateAuthority) -> None:
    """A51: manual provisioning, and a secret whose time is over."""
    rig = AdapterRig()
    rig.trusting(devices, auto_provisioning_enabled=False)
    rig.device("d")
    entry = {"type": "x509-cert", "auth-id": DN, "secrets": [{}]}
    rig.api("PUT", f"credentials/{TENANT}/d", [entry])
    assert post(rig, certificates=chain(devices)).status == 202
    assert [kind for _, kind in rig.heard_by_applications()] == ["application/json"]
    rig.api("PUT", f"credentials/{TENANT}/d", [{**entry, "secrets": [{"not-after": "2020-01-01T00:00:00Z"}]}])
    assert said(post(rig, certificates=chain(devices))) == (401, "bad credentials")


# While applications cannot be reached


def test_a_device_that_applications_do_not_hear_of_is_locked_out(
    rig: AdapterRig, devices: CertificateAuthority
) -> None:
    """A30, A31: device and credentials stay, and the next contact tells first."""
    rig.fault(FaultKind.NORTHBOUND_DOWN, hits=f"EVENT hono.event.{TENANT}", for_s=60.0, parameters={"delay_s": 2.0})
    delivery = ask(rig, "POST", "/telemetry", certificates=chain(devices))
    assert said(answered(delivery)) == (503, "Error Code: 503")
    assert answered(delivery).header("Retry-After") is None
    assert delivery.delay_us == 2_000_000
    device_id = only_device(rig)
    status = rig.shown(f"devices/{TENANT}/{device_id}")["status"]
    assert status["auto-provisioned"] is True
    assert "auto-provisioning-notification-sent" not in status
    assert steps_of(rig)[-1] == "credentials_created"
    assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 3 +2000ms", "1 closed +2000ms"]
    rig.told()
    rig.after(60)
    assert post(rig, certificates=chain(devices)).status == 202
    assert steps_of(rig)[2:4] == ["credentials_found", "notification_sent"]
    assert only_device(rig) == device_id
    assert rig.shown(f"devices/{TENANT}/{device_id}")["status"]["auto-provisioning-notification-sent"] is True
    assert [kind for _, kind in rig.heard_by_applications()] == [NOTIFICATION, "application/json"]


# Races and what real registries leave behind


def race(profile: Profile, **members: Any) -> tuple[AdapterRig, list[int]]:
    """Twenty first contacts of one device at the same time."""
    devices = authority(ISSUER)
    rig = of_profile(profile)
    rig.trusting(devices, **members)
    shown = chain(devices)
    statuses = []
    for number in range(20):
        delivery = ask(rig, "POST", "/telemetry", certificates=shown, session=600 + number)
        if delivery.ending is not Ending.HELD:
            statuses.append(answered(delivery).status)
    rig.now_us += PROVISIONING_TAKES_US
    late = [output for output in rig.server.advance(rig.now_us) if isinstance(output, LateAnswer)]
    statuses += [answered(output.delivery).status for output in late]
    return rig, sorted(statuses)


@pytest.mark.parametrize(
    ("profile", "template", "lost", "orphans"),
    [
        (Profile.CURRENT, None, 202, 0),
        (Profile.JDBC, None, 500, 19),
        (Profile.MONGODB, None, 409, 19),
        (Profile.JDBC, "dev-{{subject-cn}}", 409, 0),
        (Profile.MONGODB, "dev-{{subject-cn}}", 409, 0),
    ],
)
def test_twenty_first_contacts_at_once(profile: Profile, template: str | None, lost: int, orphans: int) -> None:
    """A28: one wins in all of them, and one is announced."""
    members = {} if template is None else {"auto_provisioning_device_id_template": template}
    rig, statuses = race(profile, **members)
    assert statuses == [202, *[lost] * 19]
    assert len(rig.device_ids()) == 1 + orphans
    assert [kind for _, kind in rig.heard_by_applications()].count(NOTIFICATION) == 1
    with_credentials = [one for one in rig.device_ids() if rig.shown(f"credentials/{TENANT}/{one}")]
    assert len(with_credentials) == 1


def test_who_comes_again_after_a_race_is_known() -> None:
    rig, _ = race(Profile.JDBC)
    assert post(rig, certificates=chain(authority(ISSUER))).status == 202


@pytest.mark.parametrize(
    ("profile", "status", "code", "orphans"),
    [(Profile.CURRENT, 409, 5, 0), (Profile.JDBC, 500, 5, 3), (Profile.MONGODB, 409, 5, 3)],
)
def test_credentials_that_an_operator_has_disabled(profile: Profile, status: int, code: int, orphans: int) -> None:
    """A49: real registries leave one more device for each attempt."""
    devices = authority(ISSUER)
    rig = of_profile(profile)
    rig.trusting(devices)
    ask(rig, "POST", "/telemetry", certificates=chain(devices))
    rig.after(1)
    (device_id,) = rig.device_ids()
    (entry,) = rig.shown(f"credentials/{TENANT}/{device_id}")
    rig.api("PUT", f"credentials/{TENANT}/{device_id}", [{**entry, "enabled": False}])
    for _ in range(2):
        assert said(post(rig, certificates=chain(devices))) == (status, f"Error Code: {status}")
    assert rig.join(1, certificates=chain(devices)) == [f"1 CONNACK {code}", "1 closed"]
    assert len(rig.device_ids()) == 1 + orphans


@pytest.mark.parametrize(("profile", "for_s"), [(Profile.JDBC, 60), (Profile.MONGODB, 180), (Profile.CURRENT, 0)])
def test_an_adapter_goes_on_with_what_it_knows_of_a_tenant(profile: Profile, for_s: int) -> None:
    """A removed authority counts until the cache has forgotten it; each adapter has a cache of its own."""
    devices = authority(ISSUER)
    rig = of_profile(profile)
    rig.trusting(devices)
    ask(rig, "POST", "/telemetry", certificates=chain(devices))
    rig.after(1)
    rig.api("PUT", f"tenants/{TENANT}", {})
    if for_s:
        assert post(rig, certificates=chain(devices)).status == 202
        assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 4", "1 closed"]
        assert post(rig, certificates=chain(devices, "CN=device-2")).status == 401, "the registry itself knows better"
        rig.after(for_s)
    assert post(rig, certificates=chain(devices)).status == 404


@pytest.mark.parametrize("members", [{"ext": {"invalidate-cache-on-update": True}}, {"enabled": False}])
def test_what_empties_the_caches(members: dict[str, Any]) -> None:
    devices = authority(ISSUER)
    rig = of_profile(Profile.JDBC)
    rig.trusting(devices)
    ask(rig, "POST", "/telemetry", certificates=chain(devices))
    rig.after(1)
    rig.api("PUT", f"tenants/{TENANT}", members)
    assert post(rig, certificates=chain(devices)).status == 404
    rig.api("DELETE", f"tenants/{TENANT}")
    assert post(rig, certificates=chain(devices)).status == 404


def test_a_tenant_that_is_made_anew_is_not_taken_for_the_one_before() -> None:
    devices = authority(ISSUER)
    rig = of_profile(Profile.JDBC)
    rig.trusting(devices)
    ask(rig, "POST", "/telemetry", certificates=chain(devices))
    rig.after(1)
    rig.api("DELETE", f"tenants/{TENANT}")
    rig.tenant()
    assert said(post(rig, certificates=chain(devices))) == (404, "no such tenant")


# Generation 1


def test_generation_1_announces_nothing_and_asks_late() -> None:
    devices = authority(ISSUER)
    rig = of_profile(Profile.OLD)
    rig.tenant(trusted_ca=[anchor(devices)], enabled=False)
    assert post(rig, certificates=chain(devices)).status == 403
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [anchor(devices)]})
    assert post(rig, certificates=chain(devices)).status == 202
    assert steps_of(rig)[-3:] == ["credentials_found", "registration_asserted", "message_forwarded"]
    assert [kind for _, kind in rig.heard_by_applications()] == ["application/json"]
    strangers = chain(authority("CN=strangers", "2"))
    assert post(rig, certificates=strangers, server_name=f"{TENANT}.example.com").status == 404, "SNI means nothing"


def test_the_documents_on_the_wire_are_those_of_the_recordings(rig: AdapterRig, devices: CertificateAuthority) -> None:
    """The order of members, too: people compare texts."""
    post(rig, certificates=chain(devices))
    (entry,) = rig.shown(f"credentials/{TENANT}/{only_device(rig)}")
    assert list(json.loads(json.dumps(entry))) == ["type", "auth-id", "secrets", "enabled", "comment"]
