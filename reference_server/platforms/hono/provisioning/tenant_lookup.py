"""Which tenant a certificate belongs to (spec 5), and whether its devices may use an adapter.

Adapters of the real server cache what the registry said; profiles with that trait do it too. What they have is used
until its time is over, unless the tenant was deleted or disabled since, or wants caches to be told of updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import DeviceCertificate
from fleetrig.reference_server.platforms.hono.state.adapter_memory import KnownTenant
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import Tenant, TrustAnchor
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import anchors_of, tenant_of, tenants_trusting

NO_SUCH_TENANT: Final = "no such tenant"
TENANT_DISABLED: Final = "tenant is disabled or not registered"
ADAPTER_DISABLED: Final = "adapter is disabled"


def tenant_of_certificate(
    registry: Registry, adapter: str, shown: DeviceCertificate, server_name: str, now_us: int
) -> KnownTenant:
    """By the issuer; if that names none, or several, by the first label of the host that was asked for.

    Raises Refused with 404 or 400.
    """
    cached = _cached(registry, adapter, shown.issuer_dn, now_us)
    if cached is not None:
        return cached
    trusting = tenants_trusting(registry, shown.issuer_dn)
    if len(trusting) == 1:
        return _known(registry, adapter, shown.issuer_dn, trusting[0], now_us)
    if not server_name or not registry.traits.looks_at_server_names:
        why = _why_none(registry, shown, trusting)
        raise Refused(404, NO_SUCH_TENANT, f"{why}, and no host was asked for (SNI) whose first label is a tenant")
    label, dot, _ = server_name.partition(".")
    if not dot:
        why = _why_none(registry, shown, trusting)
        said = "could not determine tenant ID from SNI extension"
        raise Refused(400, said, f"{why}, and the host that was asked for, {server_name!r}, has one label only")
    named = tenant_named(registry, adapter, label, now_us)
    if named is None:
        why = _why_none(registry, shown, trusting)
        raise Refused(
            404, NO_SUCH_TENANT, f"{why}, and no tenant is called {label!r}, as the host {server_name!r} says"
        )
    return named


def tenant_named(registry: Registry, adapter: str, name: str, now_us: int) -> KnownTenant | None:
    """By its id or alias, as the adapter knows it."""
    cached = _cached(registry, adapter, name, now_us)
    if cached is not None:
        return cached
    found = tenant_of(registry, name)
    return None if found is None else _known(registry, adapter, name, found, now_us)


def check_tenant(tenant: Tenant, adapter: str) -> None:
    """Raises Refused with 403 for a tenant or an adapter that is disabled."""
    if not tenant.is_enabled:
        raise Refused(403, TENANT_DISABLED, f"the tenant {tenant.tenant_id} is disabled")
    if not tenant.has_adapter(adapter):
        listed = tenant.adapter(adapter) is not None
        why = "lists it, but not as enabled" if listed else "does not list it among its adapters"
        raise Refused(403, ADAPTER_DISABLED, f"{adapter} is disabled: the tenant {tenant.tenant_id} {why}")


def authorities_of(registry: Registry, known: KnownTenant, now_us: int) -> Sequence[TrustAnchor]:
    """The trusted authorities that adapters are told of. Raises Refused with 401 when none is left."""
    tenant_id = known.tenant.tenant_id
    anchors: Sequence[TrustAnchor] = known.anchors if known.anchors is not None else anchors_of(registry, tenant_id)
    if not registry.traits.trusts_expired_authorities:
        anchors = [one for one in anchors if one.is_valid_at(now_us)]
    if not anchors:
        why = f"the tenant {tenant_id} has no trusted authority that counts now"
        raise Refused(401, "no valid trust anchors defined for tenant", why)
    return anchors


def _known(registry: Registry, adapter: str, asked: str, tenant: Tenant, now_us: int) -> KnownTenant:
    """As the registry says it now; from now on the adapter has it in its cache, if it has one."""
    for_s = registry.traits.caches_tenants_s
    if not for_s:
        return KnownTenant(tenant)
    known = KnownTenant(tenant, tuple(anchors_of(registry, tenant.tenant_id)))
    registry.adapters.cache(adapter, asked, known, for_s, now_us)
    return known


def _cached(registry: Registry, adapter: str, asked: str, now_us: int) -> KnownTenant | None:
    """What the adapter has cached, if it was not told to drop it (spec 0)."""
    known = registry.adapters.cached(adapter, asked, now_us) if registry.traits.caches_tenants_s else None
    if known is None or (tenant := tenant_of(registry, known.tenant.tenant_id)) is None:
        return None
    if tenant.version == known.tenant.version:
        return known
    is_told = not tenant.is_enabled or tenant.ext.get("invalidate-cache-on-update") is True
    return None if is_told else known


def _why_none(registry: Registry, shown: DeviceCertificate, trusting: Sequence[Tenant]) -> str:
    if trusting:
        names = ", ".join(sorted(one.tenant_id for one in trusting)[:5])
        return f"several tenants trust the issuer {shown.issuer_dn}: {names}"
    why = f"no tenant trusts the issuer {shown.issuer_dn}"
    turned = ",".join(reversed(shown.issuer_dn.split(",")))
    if turned != shown.issuer_dn and tenants_trusting(registry, turned):
        why += f" (one has {turned}, the same in the other order: a DN begins with the most specific part)"
    return why
