"""What the registry stores. Times are us since the epoch; documents are the JSON of the wire.

Tenants and trust anchors are in one partition of the store, since issuers are looked up over all tenants (spec 5);
devices and credentials are in the partition of their tenant. Deleting a tenant leaves these behind, unreachable (1.1).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.stores.interface import Kind

INSTALLATION: Final = "installation"
"""The partition of the store for what belongs to no tenant."""
HASHED_PASSWORD: Final = "hashed-password"
PSK: Final = "psk"
X509: Final = "x509-cert"
RPK: Final = "rpk"
AUTO_PROVISIONING_AUTHORITY: Final = "auto-provisioning-enabled"
"""What lets a gateway have edge devices provisioned (3)."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`document` is what GET shows."""

    tenant_id: str
    document: Mapping[str, Any]
    version: str
    created_us: int
    updated_us: int | None = None

    @property
    def is_enabled(self) -> bool:
        return self.document.get("enabled") is not False

    @property
    def alias(self) -> str | None:
        return self.document.get("alias")

    @property
    def trust_anchor_group(self) -> str | None:
        return self.document.get("trust-anchor-group")

    @property
    def ext(self) -> Mapping[str, Any]:
        return _mapping(self.document, "ext")

    @property
    def resource_limits(self) -> Mapping[str, Any]:
        return _mapping(self.document, "resource-limits")

    @property
    def defaults(self) -> Mapping[str, Any]:
        return _mapping(self.document, "defaults")

    def adapter(self, adapter_type: str) -> Mapping[str, Any] | None:
        """What the tenant says of an adapter; None when it names adapters, and not this one."""
        adapters = self.document.get("adapters")
        if not adapters:
            return {"type": adapter_type, "enabled": True, "device-authentication-required": True}
        return next((one for one in adapters if one["type"] == adapter_type), None)

    def has_adapter(self, adapter_type: str) -> bool:
        """Whether an adapter may be used: one that is not listed may not, if any is (1.1)."""
        adapter = self.adapter(adapter_type)
        return adapter is not None and adapter["enabled"] is True


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """An authority that a tenant trusts: a name and a key.

    `position`: its place in the tenant's document, which holds the same; `public_key` and `subject_dn_bytes` are DER in
    Base64. `subject_dn` is Java's RFC 2253 form.
    """

    tenant_id: str
    id: str
    position: int
    subject_dn: str
    public_key: str
    algorithm: str
    not_before_us: int
    not_after_us: int
    subject_dn_bytes: str | None = None
    is_auto_provisioning: bool = False
    provisions_gateways: bool = False
    device_id_template: str | None = None
    auth_id_template: str | None = None
    trust_anchor_group: str | None = None

    @property
    def public_key_der(self) -> bytes:
        return b64decode(self.public_key)

    def is_valid_at(self, now_us: int) -> bool:
        return self.not_before_us <= now_us <= self.not_after_us


@dataclass(frozen=True, slots=True)
class Device:
    """`document` is what GET shows, but for its `status`."""

    tenant_id: str
    device_id: str
    document: Mapping[str, Any]
    version: str
    credentials_version: str
    """The same as `version` where both have one (`Traits.has_common_version`)."""
    created_us: int
    updated_us: int | None = None
    is_auto_provisioned: bool = False
    is_notification_sent: bool = False

    @property
    def is_enabled(self) -> bool:
        return self.document.get("enabled") is not False

    @property
    def via(self) -> tuple[str, ...]:
        return self._ids("via")

    @property
    def via_groups(self) -> tuple[str, ...]:
        return self._ids("viaGroups")

    @property
    def member_of(self) -> tuple[str, ...]:
        return self._ids("memberOf")

    def _ids(self, name: str) -> tuple[str, ...]:
        """Some registries keep a null among ids; it means nobody."""
        return tuple(one for one in self.document.get(name, ()) if one is not None)

    @property
    def may_provision(self) -> bool:
        """It is a gateway whose unknown devices are provisioned (3)."""
        return AUTO_PROVISIONING_AUTHORITY in self.document.get("authorities", ())


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """One entry of a device's credentials, unique by (type, auth-id) in its tenant.

    `document` is the entry with all secrets, each with its id; `position` its place among those of the device.
    """

    tenant_id: str
    type: str
    auth_id: str
    device_id: str
    document: Mapping[str, Any]
    position: int = 0

    @property
    def is_enabled(self) -> bool:
        return self.document.get("enabled") is not False

    @property
    def secrets(self) -> list[Mapping[str, Any]]:
        return list(self.document["secrets"])

    @property
    def ext(self) -> Mapping[str, Any]:
        return _mapping(self.document, "ext")


def joined(*parts: str) -> str:
    """One key of several: the words that cannot hold a line break come first, so that it cannot be misread."""
    return "\n".join(parts)


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if found is not None and isinstance(found, Mapping) else {}


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


TENANT: Final = Kind("hono.tenant", Tenant, lambda tenant: tenant.tenant_id, {"alias": lambda one: _one(one.alias)})
TRUST_ANCHOR: Final = Kind(
    "hono.trust_anchor",
    TrustAnchor,
    lambda anchor: joined(anchor.tenant_id, anchor.id),
    {"subject_dn": lambda anchor: (anchor.subject_dn,), "tenant": lambda anchor: (anchor.tenant_id,)},
)
DEVICE: Final = Kind(
    "hono.device",
    Device,
    lambda device: device.device_id,
    {
        "via": lambda device: device.via,
        "via_group": lambda device: device.via_groups,
        "member_of": lambda device: device.member_of,
    },
)
CREDENTIALS: Final = Kind(
    "hono.credentials",
    DeviceCredentials,
    lambda credentials: joined(credentials.type, credentials.auth_id),
    {"device": lambda credentials: (credentials.device_id,)},
)
