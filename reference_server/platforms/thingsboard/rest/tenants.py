"""Tenants: made, changed and deleted by who administers the installation (TenantController)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.contacts import contact_of
from fleetrig.reference_server.platforms.thingsboard.rest.forms import tenant_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import member_id, tenant_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, whole_number
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.records import Tenant
from fleetrig.reference_server.platforms.thingsboard.state.tenants import (
    create_tenant,
    default_tenant_profile,
    delete_tenant,
    save_tenant,
    tenant_profile_by_id,
    tenants,
)


def save(call: Call) -> Reply:
    """POST /api/tenant: a new one, or with an `id` the changed one; without a profile it gets the default one."""
    body = call.object
    tenant_id = member_id(body, "id")
    if tenant_id is None:
        new = Tenant(call.registry.new_id(call.now_us), call.now_ms, "", "")
        made = create_tenant(call.registry, _filled(call, body, new), call.now_us)
        return Reply(document=tenant_form(made), changed=f"tenant {made.title} created")
    changed = _filled(call, body, tenant_at(call, tenant_id))
    saved = save_tenant(call.registry, changed, whole_number(body, "version"))
    return Reply(document=tenant_form(saved), changed=f"tenant {saved.title} changed")


def read(call: Call, tenant_id: str) -> Reply:
    """GET /api/tenant/{id}."""
    return Reply(document=tenant_form(tenant_at(call, tenant_id)))


def read_info(call: Call, tenant_id: str) -> Reply:
    """GET /api/tenant/info/{id}."""
    return Reply(document=_info(call, tenant_at(call, tenant_id)))


def read_all(call: Call) -> Reply:
    """GET /api/tenants."""
    return Reply(document=page_of(call, map(tenant_form, tenants(call.registry)), "title"))


def read_infos(call: Call) -> Reply:
    """GET /api/tenantInfos."""
    return Reply(document=page_of(call, (_info(call, each) for each in tenants(call.registry)), "title"))


def delete(call: Call, tenant_id: str) -> Reply:
    """DELETE /api/tenant/{id}, with all it has; a tenant's administrator may delete his own."""
    tenant = tenant_at(call, tenant_id)
    delete_tenant(call.registry, tenant)
    return Reply(changed=f"tenant {tenant.title} deleted")


def _info(call: Call, tenant: Tenant) -> dict[str, Any]:
    profile = tenant_profile_by_id(call.registry, tenant.profile_id)
    return {**tenant_form(tenant), "tenantProfileName": None if profile is None else profile.name}


def _filled(call: Call, body: Mapping[str, Any], tenant: Tenant) -> Tenant:
    return replace(
        tenant,
        title=text(body, "title") or "",
        profile_id=member_id(dict(body), "tenantProfileId") or default_tenant_profile(call.registry, call.now_us).id,
        contact=contact_of(body),
        additional_info=mapping(body, "additionalInfo"),
    )
