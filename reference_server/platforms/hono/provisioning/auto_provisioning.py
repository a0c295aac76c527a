"""A device that is provisioned by its certificate: device, credentials and notification in one transaction (spec 2.3).

The two registries of the real server do it in steps of their own, which others come between and which nobody undoes.
Profiles with these traits leave what they leave: a device without credentials for each attempt that fails.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import DeviceCertificate
from fleetrig.reference_server.platforms.hono.provisioning.contact import COAP, Contact
from fleetrig.reference_server.platforms.hono.provisioning.identity_template import TemplateFailed, expanded
from fleetrig.reference_server.platforms.hono.provisioning.notification import announce_if_owed
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.credentials import (
    check_entries,
    credentials_by_auth_id,
    put_first_entry,
)
from fleetrig.reference_server.platforms.hono.state.devices import LIMITS, create_device
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.records import (
    AUTO_PROVISIONING_AUTHORITY,
    X509,
    Device,
    Tenant,
    TrustAnchor,
)
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import anchors_of
from fleetrig.reference_server.platforms.hono.state.times import instant_text

NOT_FOUND: Final = 404


def provision(contact: Contact, tenant: Tenant, shown: DeviceCertificate, auth_id: str) -> Device:
    """`tenant`: as the registry has it now. Raises Refused as its credentials API answers; 404: nobody does."""
    registry = contact.registry
    anchor = _provisioning_anchor(registry, tenant, shown, contact.now_us)
    device_id = _device_id(registry, anchor, shown)
    comment = f"Auto-provisioned at {instant_text(contact.now_us)}"
    entry = {"type": X509, "auth-id": auth_id, "secrets": [{}], "enabled": True, "comment": comment}
    if auth_id:
        check_entries(registry, tenant.tenant_id, tenant.document.get(LIMITS, {}), [entry])
    flaw = _flaw_of_credentials(registry, tenant, auth_id)
    if flaw is not None and not registry.traits.leaves_orphans:
        raise flaw
    device = create_device(
        registry, tenant, device_id, _device_document(anchor, comment), contact.now_us, is_auto_provisioned=True
    )
    if flaw is not None:
        contact.changed = f"device {device.device_id} created, without credentials"
        raise flaw
    put_first_entry(registry, device, entry)
    contact.changed = f"device {device.device_id} provisioned"
    contact.took(Step.CREDENTIALS_CREATED)
    announce_if_owed(contact, tenant, device)
    _let_others_race(contact, tenant, auth_id)
    return device


def _provisioning_anchor(registry: Registry, tenant: Tenant, shown: DeviceCertificate, now_us: int) -> TrustAnchor:
    """The registry looks for itself: an authority of that name that counts now (since 1.8)."""
    named = [one for one in anchors_of(registry, tenant.tenant_id) if one.subject_dn == shown.issuer_dn]
    if named and not registry.traits.registry_checks_authority:
        return named[0]
    counting = next((one for one in named if one.is_valid_at(now_us)), None)
    if counting is None:
        why = f"nobody knows the device, and no authority {shown.issuer_dn} of {tenant.tenant_id} counts now"
        raise Refused(NOT_FOUND, error_code(NOT_FOUND), why)
    if not counting.is_auto_provisioning:
        why = f"nobody knows the device, and the authority {shown.issuer_dn} has auto-provisioning-enabled false"
        raise Refused(NOT_FOUND, error_code(NOT_FOUND), why)
    return counting


def _device_id(registry: Registry, anchor: TrustAnchor, shown: DeviceCertificate) -> str | None:
    """None: it is left to chance."""
    if anchor.device_id_template is None:
        return None
    try:
        subject = shown.certificate.subject
        return expanded(anchor.device_id_template, subject, as_java=registry.traits.fills_templates_as_java)
    except TemplateFailed as failed:
        status = registry.traits.status_of_failed_template
        raise Refused(status, error_code(status), f"no device-id can be made: {failed}") from None


def _device_document(anchor: TrustAnchor, comment: str) -> dict[str, object]:
    document: dict[str, object] = {"enabled": True, "ext": {"comment": comment}}
    if anchor.provisions_gateways:
        document["authorities"] = [AUTO_PROVISIONING_AUTHORITY]
    return document


def _flaw_of_credentials(registry: Registry, tenant: Tenant, auth_id: str) -> Refused | None:
    """Another first contact was faster, or the credentials are there and of no use (A28, A49); or they have no name."""
    if not auth_id:
        status = 500 if registry.traits.crashes else 400
        return Refused(status, error_code(status), "the certificate has no subject, so its device has no auth-id")
    taken = credentials_by_auth_id(registry, tenant.tenant_id, X509, auth_id)
    if taken is None:
        return None
    status = registry.traits.status_of_taken_auth_id
    why = (
        f"its credentials are those of the device {taken.device_id}, which the registry did not see: another contact "
        "was faster, or they are disabled"
    )
    return Refused(status, error_code(status), why)


def _let_others_race(contact: Contact, tenant: Tenant, auth_id: str) -> None:
    """As long as the real registry takes, other first contacts of the device do not see that it is there.

    A handshake of DTLS cannot be kept waiting so long.
    """
    takes_us = contact.registry.traits.provisioning_takes_us
    if not takes_us or contact.adapter == COAP:
        return
    contact.took_us = takes_us
    registry, until_us = contact.registry, contact.now_us + takes_us

    def settled(committed: bool) -> None:
        if committed:
            registry.adapters.begin(tenant.tenant_id, auth_id, until_us)

    registry.store.when_settled(settled)
