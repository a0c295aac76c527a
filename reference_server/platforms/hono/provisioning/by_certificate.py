"""A device that shows a certificate: its tenant, its issuer, its auth-id, its credentials (spec 2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.auto_provisioning import provision
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import (
    DeviceCertificate,
    Unreadable,
    read,
    refused_by_authority,
)
from fleetrig.reference_server.platforms.hono.provisioning.contact import COAP, Contact, Identified
from fleetrig.reference_server.platforms.hono.provisioning.credentials_lookup import (
    FoundCredentials,
    announced,
    bad_credentials,
    find_credentials,
)
from fleetrig.reference_server.platforms.hono.provisioning.identity_template import TemplateFailed, expanded
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import (
    authorities_of,
    check_tenant,
    tenant_of_certificate,
)
from fleetrig.reference_server.platforms.hono.state.adapter_memory import KnownTenant
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.records import X509, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id

NOT_VALIDATED: Final = "validation of device certificate failed"
MALFORMED: Final = "malformed credentials"
UNKNOWN_DEVICE: Final = ""
"""The device of a certificate that is let in and not provisioned: none of its requests will be served."""


def identified_by_certificate(contact: Contact, chain: Sequence[bytes], server_name: str, client_id: str) -> Identified:
    """`chain` in DER, not empty; of more than the first nothing but a hint is taken. Raises Refused."""
    try:
        shown = read(chain[0])
    except Unreadable as unreadable:
        raise Refused(401, error_code(401), str(unreadable)) from None
    contact.called = shown.common_name or shown.subject_dn
    try:
        known = tenant_of_certificate(contact.registry, contact.adapter, shown, server_name, contact.now_us)
        contact.took(Step.TENANT_FOUND)
        provisions, template = _validate(contact, known, shown)
    except Refused as refused:
        raise Refused(refused.status, refused.error, refused.reason + _order_hint(shown, chain)) from None
    contact.took(Step.CERTIFICATE_VALIDATED)
    auth_id = _auth_id(contact.registry, shown, template)
    return _by_auth_id(contact, known.tenant, shown if provisions else None, auth_id, client_id)


def _order_hint(shown: DeviceCertificate, chain: Sequence[bytes]) -> str:
    """What is wrong with a chain that begins with an authority."""
    for der in chain[1:2]:
        try:
            if read(der).issuer_dn == shown.subject_dn:
                return "; it has issued the second one of the chain: a device's own certificate has to come first"
        except Unreadable:
            pass
    return ""


def _validate(contact: Contact, known: KnownTenant, shown: DeviceCertificate) -> tuple[bool, str | None]:
    """Whether an unknown device is provisioned, and the template of auth-ids. Raises Refused with 401.

    Both are those of the first authority that is called as the issuer, also where it is another that has signed.
    """
    anchors = authorities_of(contact.registry, known, contact.now_us)
    flaws = []
    for anchor in anchors:
        flaw = refused_by_authority(shown, anchor.subject_dn, anchor.public_key_der, contact.now_us)
        if not flaw:
            break
        flaws.append(flaw)
    else:
        shown_flaws = "; ".join(flaws[:3])
        why = f"no authority of the tenant {known.tenant.tenant_id} has issued the certificate: {shown_flaws}"
        raise Refused(401, NOT_VALIDATED, why)
    named = [anchor for anchor in anchors if anchor.subject_dn == shown.issuer_dn]
    template = next((one.auth_id_template for one in named if one.auth_id_template is not None), None)
    return bool(named) and named[0].is_auto_provisioning, template


def _auth_id(registry: Registry, shown: DeviceCertificate, template: str | None) -> str:
    if template is None:
        return shown.subject_dn
    try:
        return expanded(template, shown.certificate.subject, as_java=registry.traits.fills_templates_as_java)
    except TemplateFailed as failed:
        if failed.is_crash:
            raise Refused(500, str(failed), f"no auth-id can be made: {failed}") from None
        raise Refused(401, MALFORMED, f"no auth-id can be made: {failed}") from None


def _by_auth_id(
    contact: Contact, tenant: Tenant, provisioned_by: DeviceCertificate | None, auth_id: str, client_id: str
) -> Identified:
    """`provisioned_by`: the certificate, where an unknown device is provisioned."""
    may_provision = _check_adapter(contact, tenant)
    found = _usable(contact, tenant, X509, auth_id, client_id)
    if found is not None:
        contact.took(Step.CREDENTIALS_FOUND)
        device_id = announced(contact, tenant, found.credentials)
    elif provisioned_by is None:
        raise bad_credentials("nobody has the credentials, and the authority has auto-provisioning-enabled false")
    elif may_provision:
        device_id = _provisioned(contact, tenant, provisioned_by, auth_id)
    else:
        device_id = UNKNOWN_DEVICE
    if not contact.registry.traits.checks_tenant_first and contact.adapter != COAP:
        check_tenant(tenant, contact.adapter)
    return Identified(tenant, device_id, auth_id)


def _check_adapter(contact: Contact, tenant: Tenant) -> bool:
    """Whether a device may be provisioned. Raises Refused with 403.

    A handshake of CoAP asks nothing: the requests of the device will be refused. Ours provisions nothing either then.
    """
    traits = contact.registry.traits
    if contact.adapter == COAP:
        is_usable = tenant.is_enabled and tenant.has_adapter(COAP)
        return is_usable or traits.provisions_for_disabled_tenants
    if traits.checks_tenant_first:
        check_tenant(tenant, contact.adapter)
    return True


def _provisioned(contact: Contact, tenant: Tenant, shown: DeviceCertificate, auth_id: str) -> str:
    current = tenant_by_id(contact.registry, tenant.tenant_id)
    if current is None:
        raise bad_credentials(f"the tenant {tenant.tenant_id} has been deleted")
    try:
        return provision(contact, current, shown, auth_id).device_id
    except Refused as refused:
        if refused.status == 404:
            raise bad_credentials(refused.reason) from None
        raise Refused(refused.status, error_code(refused.status), refused.reason or refused.error) from None


def _usable(contact: Contact, tenant: Tenant, kind: str, auth_id: str, client_id: str) -> FoundCredentials | None:
    """None: for the registry they are not there, which is also said of those that are disabled (A49)."""
    registry, context = contact.registry, {"client-id": client_id} if client_id else {}
    if registry.adapters.is_under_way(tenant.tenant_id, auth_id, contact.now_us):
        return None
    found = find_credentials(registry, tenant, kind, auth_id, context, contact.now_us)
    return None if found is None or found.why_not else found
