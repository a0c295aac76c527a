"""Mistakes with devices that show a certificate: who is let in, what is provisioned, what applications are told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platform import ACCEPTED
from fleetrig.reference_server.platforms.hono import platform
from fleetrig.reference_server.platforms.hono.http import authenticating
from fleetrig.reference_server.platforms.hono.mqtt import signing_in
from fleetrig.reference_server.platforms.hono.provisioning import (
    auto_provisioning,
    by_certificate,
    client_certificate,
    credentials_lookup,
    notification,
    sign_in,
    tenant_lookup,
)
from fleetrig.reference_server.platforms.hono.provisioning.contact import COAP
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied
from fleetrig.reference_server.platforms.hono.state import devices, tenants
from fleetrig.reference_server.platforms.hono.state.devices import mark_notification_sent
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import (
    DEVICE,
    Device,
    DeviceCredentials,
    Tenant,
    TrustAnchor,
)
from tests.harness.conformance.code_changes import always, being, giving, instead, then
from tests.harness.platforms.hono.conformance.mutants import Mutant, mutant, with_traits, without

UNKNOWN = Denied(401, "bad credentials", "a certificate")


def named(auth_id: Any) -> Any:
    """Another auth-id than the server's: `auth_id(certificate, template)`."""
    return (by_certificate, "_auth_id", being(lambda registry, shown, template: auth_id(shown, template)))


def by_key(shown: Any, template: str | None) -> str:
    key = shown.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def with_key(shown: Any, template: str | None) -> str:
    return f"{shown.subject_dn},{by_key(shown, template)}"


def as_others_write_it(shown: Any, template: str | None) -> str:
    text: str = shown.certificate.subject.rfc4514_string()
    return text


def first_of_name(registry: Any, tenant: Any, shown: Any, now_us: int) -> TrustAnchor:
    """An authority that provisions, whatever was said."""
    return next(one for one in tenants.anchors_of(registry, tenant.tenant_id) if one.subject_dn == shown.issuer_dn)


def as_unknown(original: Any, *more: Any) -> Any:
    """Whatever was wrong with the issuer is told as wrong credentials."""
    try:
        return original(*more)
    except Refused as refused:
        raise Refused(401, refused.error, refused.reason) from None


def in_any_order(original: Any, registry: Any, dn: str) -> Any:
    return original(registry, dn) or original(registry, ",".join(reversed(dn.split(","))))


def of_the_last(original: Any, registry: Any, certificates: Any, *more: Any) -> Any:
    """A chain stands for who is at its end."""
    return original(registry, certificates[-1:], *more)


def takes_who_is_there(original: Any, registry: Any, tenant: Any, device_id: Any, *more: Any, **flags: Any) -> Any:
    there = devices.device_of(registry, tenant.tenant_id, device_id) if device_id else None
    return there or original(registry, tenant, device_id, *more, **flags)


def changes_it(contact: Any, tenant: Any, device: Device) -> None:
    mark_notification_sent(contact.registry, device, contact.now_us)


def twice(original: Any, contact: Any, tenant: Any, device: Device, *more: Any) -> None:
    original(contact, tenant, device, *more)
    original(contact, tenant, device, *more)


def keeps_credentials(registry: Any, device: Device) -> None:
    registry.store.delete(DEVICE, device.tenant_id, device.device_id)


def as_gateway(document: Any) -> Any:
    return {**document, "authorities": ["auto-provisioning-enabled"]}


def not_over_coap(original: Any, contact: Any, tenant: Any) -> Any:
    return contact.adapter != COAP and original(contact, tenant)


MUTANTS: tuple[Mutant, ...] = (
    mutant("ids of devices are their names", "A01 A17",
           (auto_provisioning, "_device_id", being(lambda registry, anchor, shown: shown.common_name)), spares="A04"),
    mutant("devices do not say when they were made", "A02 C05",
           (auto_provisioning, "_device_document", giving({"enabled": True})), spares="A01"),
    mutant("every device is a gateway", "A02",
           (auto_provisioning, "_device_document", then(as_gateway)),
           spares="A25"),
    mutant("that it was told is not noted", "A03 A31 G01",
           (notification, "mark_notification_sent", giving(None)),
           spares="A02"),
    mutant("auth-ids have a prefix", "A04 A43",
           named(lambda shown, template: f"x509:{shown.subject_dn}"),
           spares="A01"),
    mutant("notifications are JSON", "A05 A31 G02",
           (notification, "PROVISIONING_NOTIFICATION", being(notification.PROVISIONING_NOTIFICATION + "+json")),
           spares="A03"),
    mutant("notifications come twice", "A05 A31 G02", (notification, "announce", instead(twice)), spares="A03"),
    mutant("every contact changes the device", "A06",
           (credentials_lookup, "announce_if_owed", being(changes_it)), spares="A05"),
    mutant("MQTT knows no certificates", "A07 A15", (signing_in, "with_certificate", giving(UNKNOWN)), spares="A01"),
    mutant("every authority provisions", "A08 A26 A35",
           (by_certificate, "_validate", then(lambda found: (True, found[1]))),
           (auto_provisioning, "_provisioning_anchor", being(first_of_name)), spares="A09"),
    mutant("whoever has the name has signed", "A09",
           (client_certificate, "_refused_by_signature", giving("")),
           spares="A08"),
    mutant("strangers are told as wrong credentials", "A10 A36 A38 A41 A48 A53",
           (by_certificate, "tenant_of_certificate", instead(as_unknown)), spares="A08"),
    mutant("dates are not looked at in the handshake", "A11 A12",
           (platform, "judge_dates", giving(ACCEPTED)),
           spares="A13"),
    mutant("authorities never end", "A13", (TrustAnchor, "is_valid_at", giving(True)), spares="A11"),
    mutant("no tenant is ever disabled", "A14 A46 C03 H11 M02", (Tenant, "is_enabled", always(True)), spares="A15"),
    mutant("CoAP provisions for tenants that are disabled", "A14",
           with_traits(provisions_for_disabled_tenants=True),
           spares="A15"),
    mutant("all adapters are on", "A15 H11 M02", (Tenant, "has_adapter", giving(True)), spares="A14"),
    mutant("no device is ever disabled", "A16 C03 G06 G07 M02", (Device, "is_enabled", always(True)), spares="A14"),
    mutant("credentials outlive their device", "A17 A19", (devices, "_remove", being(keeps_credentials)), spares="A16"),
    mutant("templates of device-ids are ignored", "A18 A19 A20 A21 A22",
           (auto_provisioning, "_device_id", giving(None)),
           spares="A23"),
    mutant("any device-id will do", "A20 G09", (devices, "check_device_id", giving(None)), spares="A18"),
    mutant("a missing part is the server's fault", "A21", with_traits(status_of_failed_template=500), spares="A20"),
    mutant("a device that is there is taken over", "A22",
           (auto_provisioning, "create_device", instead(takes_who_is_there)),
           spares="A18"),
    mutant("templates of auth-ids are ignored", "A23 A24 A47",
           named(lambda shown, template: shown.subject_dn),
           spares="A18"),
    mutant("no device is a gateway", "A25 G13",
           (auto_provisioning, "_device_document", then(without("authorities"))),
           spares="A02"),
    mutant("there is always room", "A27 R34", (devices, "check_device_limit", giving(None)), spares="A20"),
    mutant("who loses leaves a device behind", "A28",
           with_traits(leaves_orphans=True, provisioning_takes_us=300_000, status_of_taken_auth_id=409), spares="A01"),
    mutant("auth-ids are cut", "A29 A33", named(lambda shown, template: shown.subject_dn[:11]), spares="A01"),
    mutant("devices that nobody is told of are let in", "A30", (notification, "forward", giving(True)), spares="A01"),
    mutant("devices that nobody is told of are gone", "A30",
           (sign_in, "_denied", then(lambda denied: replace(denied, rollback=denied.status == 503))), spares="A05"),
    mutant("what was not told is forgotten", "A31",
           (credentials_lookup, "announce_if_owed", giving(None)),
           spares="A05"),
    mutant("another key is another device", "A32 A04", named(with_key), spares="A33"),
    mutant("the same key is the same device", "A33 A04 A50", named(by_key), spares="A06"),
    mutant("one name is one authority", "A34",
           (by_certificate, "authorities_of", then(lambda found: found[:1])),
           spares="A13"),
    mutant("groups do not count", "A34 A40 A41 A42", with_traits(shares_anchors_in_group=False), spares="A50"),
    mutant("authorities are never removed", "A36", (tenants, "_delete_anchors", giving(None)), spares="A16"),
    mutant("a change forgets that it was told", "A37", with_traits(keeps_notification_sent=False), spares="A16"),
    mutant("a change forgets that it was provisioned", "A37", with_traits(keeps_auto_provisioned=False), spares="A16"),
    mutant("the last of a chain counts", "A38 A39",
           (authenticating, "with_certificate", instead(of_the_last)), spares="A01"),
    mutant("host names do not count", "A10 A40 A42", with_traits(looks_at_server_names=False), spares="A41"),
    mutant("the first of several tenants is meant", "A41",
           (tenant_lookup, "tenants_trusting", then(lambda found: found[:1])),
           spares="A12"),
    mutant("aliases are no names of hosts", "A42",
           (tenant_lookup, "tenant_of", being(tenants.tenant_by_id)),
           spares="A40"),
    mutant("names as others write them", "A43 A44", named(as_others_write_it), spares="A04"),
    mutant("connections outlive what they stand for", "A45 A46 A53",
           with_traits(closes_connections=False), silence=True,
           spares="A16"),
    mutant("templates are regular expressions", "A47", with_traits(fills_templates_as_java=True), spares="A23"),
    mutant("names are the same in any order", "A48",
           (tenant_lookup, "tenants_trusting", instead(in_any_order)),
           spares="A10"),
    mutant("credentials are never disabled", "A49", (DeviceCredentials, "is_enabled", always(True)), spares="A16"),
    mutant("the secret of a certificate never ends", "A51",
           with_traits(looks_at_secrets_of_certificates=False),
           spares="H09"),
    mutant("nothing is counted", "A52 H07 M04", with_traits(enforces_resource_limits=False), spares="A27"),
    mutant("CoAP provisions nobody", "C05", (by_certificate, "_check_adapter", instead(not_over_coap)), spares="A01"),
)  # fmt: skip
