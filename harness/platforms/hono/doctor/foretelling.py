"""What becomes of a device by all that is known: its tenant, auth-id and device-id, and what is in the way. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight
from fleetrig.harness.platforms.hono.doctor.facts import DeviceRecord, Facts, Kind, TenantRecord
from fleetrig.harness.platforms.hono.doctor.identity import identity
from fleetrig.harness.platforms.hono.doctor.leaf_causes import leaf_causes
from fleetrig.harness.platforms.hono.doctor.login import (
    login_form,
    login_tenant,
    no_tenant,
    parts_of,
    unknown_login,
)
from fleetrig.harness.platforms.hono.doctor.registration import (
    Owner,
    credentials_causes,
    device_causes,
    gateway_causes,
    owner_of,
    unknown_device,
)
from fleetrig.harness.platforms.hono.doctor.tenant_causes import tenant_causes
from fleetrig.harness.platforms.hono.doctor.trust import trust


@dataclass(frozen=True, slots=True)
class Foretold:
    """`device_id`: None where the registry would draw one. `is_known`: the credentials are registered."""

    causes: tuple[Diagnosis, ...]
    tenant: TenantRecord | None = None
    auth_id: str = ""
    device_id: str | None = None
    is_known: bool = False
    provisions: bool = False
    """The device is unknown, and its authority lets it be provisioned."""
    as_gateway: bool = False

    @property
    def is_refused(self) -> bool:
        return any(one.weight is Weight.CAUSE for one in self.causes)


def foretell(facts: Facts) -> Foretold:
    return _certificate(facts) if facts.presented.kind is Kind.CERTIFICATE else _login(facts)


def _certificate(facts: Facts) -> Foretold:
    own, found = list(leaf_causes(facts)), trust(facts)
    tenant = found.tenant
    if tenant is None or found.causes:
        return Foretold((*facts.form, *own, *found.causes), tenant)
    made = identity(facts, found.named)
    causes = [*facts.form, *own, *tenant_causes(facts, tenant), *made.causes]
    owner = owner_of(facts, made.auth_id)
    if owner is not None:
        causes += _of_owner(facts, tenant, owner, made.auth_id)
        return Foretold(tuple(causes), tenant, made.auth_id, owner.device.id, is_known=True)
    provisions = found.named is not None and found.named.provisions
    if not made.causes:
        causes += unknown_device(facts, tenant, found.named, made)
    is_gateway = found.named is not None and found.named.as_gateway
    return Foretold(tuple(causes), tenant, made.auth_id, made.device_id, False, provisions, is_gateway)


def _login(facts: Facts) -> Foretold:
    form, auth_id = list(login_form(facts)), parts_of(facts.presented.login)[0]
    tenant = login_tenant(facts)
    if form:
        return Foretold((*facts.form, *form))
    if tenant is None:
        known = facts.knows_all_tenants
        return Foretold((*facts.form, *(no_tenant(facts) if known else ())), None, auth_id)
    causes = [*facts.form, *tenant_causes(facts, tenant)]
    owner = owner_of(facts, auth_id)
    if owner is None:
        causes += [] if any(one.weight is Weight.CAUSE for one in facts.form) else unknown_login(facts, tenant)
        return Foretold(tuple(causes), tenant, auth_id)
    causes += _of_owner(facts, tenant, owner, auth_id)
    return Foretold(tuple(causes), tenant, auth_id, owner.device.id, is_known=True)


def _of_owner(facts: Facts, tenant: TenantRecord, owner: Owner, auth_id: str) -> list[Diagnosis]:
    device: DeviceRecord = owner.device
    return [
        *credentials_causes(facts, tenant, owner, auth_id),
        *device_causes(facts, tenant, device),
        *gateway_causes(facts, tenant, device),
    ]


def may_be_made(facts: Facts, foretold: Foretold) -> bool:
    """Whether asking as this device could provision one, or have one told of, as far as anybody knows."""
    owner = owner_of(facts, foretold.auth_id)
    if owner is not None and owner.device.owes_notification:
        return True
    if facts.presented.kind is not Kind.CERTIFICATE:
        return False
    usable = {
        "credentials-disabled",
        "secret-out-of-date",
        "secret-not-yet-valid",
        "secret-disabled",
        "client-id-bound",
    }
    if foretold.is_known and not usable & {one.name for one in foretold.causes}:
        return False
    if not facts.knows_all_tenants:
        return True
    issuer = facts.presented.issuer_dn
    return any(one.provisions and one.subject_dn == issuer for tenant in facts.tenants for one in tenant.anchors)
