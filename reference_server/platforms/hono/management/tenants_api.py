"""Tenants over the management API (spec 1.1)."""

from __future__ import annotations

from functools import partial
from typing import Any

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.members import Unreadable
from fleetrig.reference_server.platforms.hono.management.older_members import older_tenant
from fleetrig.reference_server.platforms.hono.management.parameters import optional_id, tenant_id
from fleetrig.reference_server.platforms.hono.management.replies import NO_CONTENT, Reply
from fleetrig.reference_server.platforms.hono.management.routing import TENANT_ID
from fleetrig.reference_server.platforms.hono.management.search import Search, found_page
from fleetrig.reference_server.platforms.hono.management.tenant_form import read_tenant
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import INSTALLATION, TENANT, Tenant
from fleetrig.reference_server.platforms.hono.state.tenants import (
    create_tenant,
    delete_tenant,
    replace_tenant,
    tenant_by_id,
)


def create(call: Call) -> Reply:
    """POST /v1/tenants, /v1/tenants/{tenantId}."""
    document = call.optional_object()
    wanted = optional_id(call, TENANT_ID)
    tenant = create_tenant(call.registry, wanted, _read(call, document), call.now_us)
    named = tenant.tenant_id
    return Reply(201, {"id": named}, tenant.version, location=f"/v1/tenants/{named}", changed=f"tenant {named} created")


def read(call: Call) -> Reply:
    """GET /v1/tenants/{tenantId}."""
    wanted = tenant_id(call)
    tenant = tenant_by_id(call.registry, wanted)
    if tenant is None:
        raise Refused(404, "no such tenant", f"there is no tenant {wanted!r}")
    shown = tenant.document if call.registry.traits.has_newer_members else older_tenant(tenant.document)
    return Reply(200, shown, tenant.version)


def replace(call: Call) -> Reply:
    """PUT /v1/tenants/{tenantId}."""
    document = call.object()
    wanted = tenant_id(call)
    tenant = replace_tenant(call.registry, wanted, _read(call, document), call.version, call.now_us)
    return Reply(NO_CONTENT, version=tenant.version, changed=f"tenant {wanted} changed")


def delete(call: Call) -> Reply:
    """DELETE /v1/tenants/{tenantId}."""
    wanted = tenant_id(call)
    delete_tenant(call.registry, wanted, call.version)
    return Reply(NO_CONTENT, changed=f"tenant {wanted} deleted")


def search(call: Call) -> Reply:
    """GET /v1/tenants."""
    found = partial(call.registry.store.scan, TENANT, INSTALLATION)
    count = partial(call.registry.store.count, TENANT, INSTALLATION)
    page = partial(call.registry.store.page, TENANT, INSTALLATION)
    shown = _found if call.registry.traits.shows_authorities_in_search else _without_authorities
    return Reply(200, found_page(call, Search(found, _found, shown, "no tenants found", count, page)))


def _found(tenant: Tenant) -> dict[str, Any]:
    return {**tenant.document, "id": tenant.tenant_id}


def _without_authorities(tenant: Tenant) -> dict[str, Any]:
    return {name: one for name, one in _found(tenant).items() if name != "trusted-ca"}


def _read(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    if not call.registry.traits.has_newer_members:
        document = older_tenant(document)
    try:
        return read_tenant(document, call.registry.traits)
    except Unreadable as unreadable:
        raise Refused(400, "request does not contain a valid Tenant object", str(unreadable)) from None
