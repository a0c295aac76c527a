"""Tenants and the authorities that they trust: found, made, replaced, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.ids import check_column
from fleetrig.reference_server.platforms.hono.state.records import (
    INSTALLATION,
    TENANT,
    TRUST_ANCHOR,
    Tenant,
    TrustAnchor,
)
from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.hono.state.times import read_time
from fleetrig.reference_server.platforms.hono.state.versions import check_version

TRUSTED_CA: Final = "trusted-ca"
DUPLICATE: Final = "an object with the same identifier already exists"
FOREIGN_ANCHOR: Final = (
    "tenant cannot use same CA certificate as other tenant belonging to different trust anchor group"
)


def tenant_by_id(registry: Registry, tenant_id: str) -> Tenant | None:
    return registry.store.get(TENANT, INSTALLATION, tenant_id)


def tenant_of(registry: Registry, id_or_alias: str) -> Tenant | None:
    """By its id, or by its alias where the registry knows those."""
    found = tenant_by_id(registry, id_or_alias)
    if found is not None or not registry.traits.knows_aliases:
        return found
    return next(iter(registry.store.find(TENANT, INSTALLATION, "alias", id_or_alias)), None)


def existing_tenant(registry: Registry, tenant_id: str, error: str = "tenant does not exist") -> Tenant:
    """What operations on devices ask for first. Raises Refused."""
    tenant = tenant_by_id(registry, tenant_id)
    if tenant is None:
        raise Refused(404, error, f"there is no tenant {tenant_id!r}: create it first")
    return tenant


def tenants_trusting(registry: Registry, issuer_dn: str) -> list[Tenant]:
    """Those with an authority of that name, valid or not (5); `issuer_dn` in Java's RFC 2253 form."""
    anchors = registry.store.find(TRUST_ANCHOR, INSTALLATION, "subject_dn", issuer_dn)
    ids = dict.fromkeys(anchor.tenant_id for anchor in anchors)
    return [tenant for tenant_id in ids if (tenant := tenant_by_id(registry, tenant_id)) is not None]


def anchors_of(registry: Registry, tenant_id: str) -> list[TrustAnchor]:
    """In the order of the tenant's document."""
    found = registry.store.find(TRUST_ANCHOR, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda anchor: anchor.position) if len(found) > 1 else found


def create_tenant(registry: Registry, tenant_id: str | None, document: Mapping[str, Any], now_us: int) -> Tenant:
    """`document` as `tenant_form` reads it; without an id it gets one. Raises Refused before anything is written."""
    document = _with_anchor_ids(registry, document)
    tenant_id = tenant_id or registry.new_uuid()
    if tenant_by_id(registry, tenant_id) is not None:
        raise _conflict(registry, "tenant already exists", f"there is a tenant {tenant_id!r} already")
    check_column(registry, "TENANT_ID", tenant_id)
    _check_anchors(registry, tenant_id, document)
    _check_alias(registry, tenant_id, document, "tenant already exists")
    tenant = Tenant(tenant_id, document, registry.new_uuid(), now_us)
    registry.store.put(TENANT, INSTALLATION, tenant)
    _put_anchors(registry, tenant)
    return tenant


def replace_tenant(
    registry: Registry, tenant_id: str, document: Mapping[str, Any], version: str | None, now_us: int
) -> Tenant:
    """Raises Refused before anything is written."""
    document = _with_anchor_ids(registry, document)
    stored = tenant_by_id(registry, tenant_id)
    if stored is None:
        raise Refused(404, "no such object", f"there is no tenant {tenant_id!r}")
    check_version(version, stored.version)
    _check_anchors(registry, tenant_id, document)
    _check_alias(registry, tenant_id, document, "tenant alias already in use")
    tenant = Tenant(tenant_id, document, registry.new_uuid(), stored.created_us, now_us)
    registry.store.put(TENANT, INSTALLATION, tenant)
    _delete_anchors(registry, tenant_id)
    _put_anchors(registry, tenant)
    kind = NoticeKind.TENANT_CHANGED if tenant.is_enabled else NoticeKind.TENANT_DISABLED
    empties_caches = tenant.ext.get("invalidate-cache-on-update") is True
    registry.notify(Notice(kind, tenant_id, body={"empties_caches": empties_caches}))
    return tenant


def delete_tenant(registry: Registry, tenant_id: str, version: str | None) -> None:
    """Its devices and credentials stay where they are, out of reach (1.1). Raises Refused."""
    stored = tenant_by_id(registry, tenant_id)
    if stored is None:
        raise Refused(404, "no such tenant", f"there is no tenant {tenant_id!r}")
    check_version(version, stored.version)
    _delete_anchors(registry, tenant_id)
    registry.store.delete(TENANT, INSTALLATION, tenant_id)
    registry.notify(Notice(NoticeKind.TENANT_DELETED, tenant_id))
    registry.store.when_settled(lambda committed: registry.adapters.forget(tenant_id) if committed else None)


def _with_anchor_ids(registry: Registry, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Each authority without an id gets a new one, on every PUT (1.1). Raises Refused for one id twice."""
    anchors = document.get(TRUSTED_CA, ())
    given = [anchor["id"] for anchor in anchors if "id" in anchor]
    if len(set(given)) < len(given):
        text = "trusted anchor IDs must be unique within each tenant object"
        raise Refused(
            400, text, "two authorities in trusted-ca have the same id: leave the ids out, or make them differ"
        )
    if len(given) == len(anchors):
        return document
    named = [anchor if "id" in anchor else {"id": registry.new_uuid(), **anchor} for anchor in anchors]
    return {**document, TRUSTED_CA: named}


def _check_anchors(registry: Registry, tenant_id: str, document: Mapping[str, Any]) -> None:
    """Whose authority it may be (1.1). Raises Refused."""
    names = [anchor["subject-dn"] for anchor in document.get(TRUSTED_CA, ())]
    group = document.get("trust-anchor-group")
    check_column(registry, "SUBJECT_DN", *names)
    shares = registry.traits.shares_anchors_in_group
    if not shares and len(set(names)) < len(names):
        raise _conflict(
            registry, DUPLICATE, "two authorities of the tenant have one name, which this registry cannot keep"
        )
    for name in dict.fromkeys(names):
        for other in registry.store.find(TRUST_ANCHOR, INSTALLATION, "subject_dn", name):
            is_shared = shares and group is not None and other.trust_anchor_group == group
            if other.tenant_id != tenant_id and not is_shared:
                why = (
                    f"the tenant {other.tenant_id!r} trusts {name!r} already, and is not in the same trust-anchor-group"
                )
                raise _conflict(registry, FOREIGN_ANCHOR, why)


def _check_alias(registry: Registry, tenant_id: str, document: Mapping[str, Any], error: str) -> None:
    """Raises Refused."""
    alias = document.get("alias")
    if alias is None or not registry.traits.knows_aliases:
        return
    for other in registry.store.find(TENANT, INSTALLATION, "alias", alias):
        if other.tenant_id != tenant_id:
            raise _conflict(registry, error, f"the tenant {other.tenant_id!r} has the alias {alias!r} already")


def _conflict(registry: Registry, error: str, reason: str) -> Refused:
    return Refused(409, DUPLICATE if registry.traits.names_duplicate else error, reason)


def _put_anchors(registry: Registry, tenant: Tenant) -> None:
    for position, anchor in enumerate(tenant.document.get(TRUSTED_CA, ())):
        registry.store.put(TRUST_ANCHOR, INSTALLATION, _anchor(tenant, position, anchor))


def _delete_anchors(registry: Registry, tenant_id: str) -> None:
    for anchor in registry.store.find(TRUST_ANCHOR, INSTALLATION, "tenant", tenant_id):
        registry.store.delete(TRUST_ANCHOR, INSTALLATION, TRUST_ANCHOR.key(anchor))


def _anchor(tenant: Tenant, position: int, document: Mapping[str, Any]) -> TrustAnchor:
    return TrustAnchor(
        tenant_id=tenant.tenant_id,
        id=document["id"],
        position=position,
        subject_dn=document["subject-dn"],
        subject_dn_bytes=document.get("subject-dn-bytes"),
        public_key=document["public-key"],
        algorithm=document.get("algorithm") or "RSA",
        not_before_us=read_time(document["not-before"]),
        not_after_us=read_time(document["not-after"]),
        is_auto_provisioning=document["auto-provisioning-enabled"],
        provisions_gateways=document["auto-provision-as-gateway"],
        device_id_template=document.get("auto-provisioning-device-id-template"),
        auth_id_template=document.get("auth-id-template"),
        trust_anchor_group=tenant.trust_anchor_group,
    )
