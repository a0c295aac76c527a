"""What the platform stores. Ids are UUIDs, unique over the installation; times are ms since the epoch, as on the wire.

Everything is in one partition of the store, since credentials and provision keys are unique over all tenants (1.1,
1.3); what belongs to a tenant says so, and indexes by name begin with its tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.stores.interface import Kind

INSTALLATION: Final = "installation"
"""The partition of the store that has all records."""
NULL_UUID: Final = "13814000-1dd2-11b2-8080-808080808080"
"""The id that stands for none where there has to be one: the customer of a device that nobody has claimed, the tenant
of who administers all of them."""


class ProvisionType(StrEnum):
    """A profile's strategy (spec 2)."""

    DISABLED = "DISABLED"
    ALLOW_CREATE = "ALLOW_CREATE_NEW_DEVICES"
    CHECK_PRE_PROVISIONED = "CHECK_PRE_PROVISIONED_DEVICES"
    CERTIFICATE_CHAIN = "X509_CERTIFICATE_CHAIN"


class CredentialsType(StrEnum):
    ACCESS_TOKEN = "ACCESS_TOKEN"
    X509_CERTIFICATE = "X509_CERTIFICATE"
    MQTT_BASIC = "MQTT_BASIC"
    LWM2M_CREDENTIALS = "LWM2M_CREDENTIALS"


class Scope(StrEnum):
    """Whose attributes they are."""

    CLIENT = "CLIENT_SCOPE"
    SERVER = "SERVER_SCOPE"
    SHARED = "SHARED_SCOPE"


class Authority(StrEnum):
    SYS_ADMIN = "SYS_ADMIN"
    TENANT_ADMIN = "TENANT_ADMIN"
    CUSTOMER_USER = "CUSTOMER_USER"


@dataclass(frozen=True, slots=True)
class TenantProfile:
    """What tenants may have and do. `profile_data` is the JSON of the wire; the limits are in its `configuration`."""

    id: str
    created_at_ms: int
    name: str
    profile_data: Mapping[str, Any]
    description: str | None = None
    is_default: bool = False
    is_isolated: bool = False

    @property
    def configuration(self) -> Mapping[str, Any]:
        found = self.profile_data.get("configuration")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Tenant:
    """`contact`: country, state, city and so on, as the wire names them; those that are null are left out."""

    id: str
    created_at_ms: int
    title: str
    profile_id: str
    contact: Mapping[str, str] = field(default_factory=dict)
    additional_info: Mapping[str, Any] | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Customer:
    """`contact` as of a tenant."""

    id: str
    tenant_id: str
    created_at_ms: int
    title: str
    contact: Mapping[str, str] = field(default_factory=dict)
    additional_info: Mapping[str, Any] | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in. Without a password hash the account is not active, and `activation_token` makes it so.

    Who administers the whole installation belongs to the tenant NULL_UUID.
    """

    id: str
    tenant_id: str
    created_at_ms: int
    email: str
    authority: Authority
    customer_id: str | None = None
    password_hash: str | None = None
    activation_token: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    last_login_ms: int | None = None
    additional_info: Mapping[str, Any] | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """`profile_data` is the JSON of the wire; the secret is in its `provisionConfiguration`."""

    id: str
    tenant_id: str
    created_at_ms: int
    name: str
    type: str = "DEFAULT"
    transport_type: str = "DEFAULT"
    provision_type: ProvisionType = ProvisionType.DISABLED
    provision_device_key: str | None = None
    profile_data: Mapping[str, Any] | None = None
    is_default: bool = False
    description: str | None = None
    image: str | None = None
    default_rule_chain_id: str | None = None
    default_dashboard_id: str | None = None
    default_queue_name: str | None = None
    default_edge_rule_chain_id: str | None = None
    firmware_id: str | None = None
    software_id: str | None = None
    version: int = 1

    @property
    def provision_configuration(self) -> Mapping[str, Any]:
        found = (self.profile_data or {}).get("provisionConfiguration")
        return found if isinstance(found, Mapping) else {}

    @property
    def provision_secret(self) -> str | None:
        secret = self.provision_configuration.get("provisionDeviceSecret")
        return secret if isinstance(secret, str) else None


@dataclass(frozen=True, slots=True)
class Device:
    """`type` is the name of its profile."""

    id: str
    tenant_id: str
    created_at_ms: int
    name: str
    type: str
    profile_id: str
    label: str | None = None
    customer_id: str | None = None
    additional_info: Mapping[str, Any] | None = None
    device_data: Mapping[str, Any] | None = None
    firmware_id: str | None = None
    software_id: str | None = None
    version: int = 1

    @property
    def is_gateway(self) -> bool:
        return bool((self.additional_info or {}).get("gateway"))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a device logs in with: one record for each device, kept under the device's id.

    `credentials_id` is what logins look up, unique over the installation (1.1). `value`: None for an access token, the
    certificate's text, or MQTT_BASIC's JSON as text.
    """

    id: str
    device_id: str
    created_at_ms: int
    type: CredentialsType
    credentials_id: str
    value: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Attribute:
    device_id: str
    scope: Scope
    key: str
    value: Any
    updated_at_ms: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class LatestTelemetry:
    device_id: str
    key: str
    value: Any
    at_ms: int


@dataclass(frozen=True, slots=True)
class ClaimOffer:
    """A device may be claimed with this secret, until then (3.5)."""

    device_id: str
    secret_key: str
    until_ms: int


def joined(*parts: str) -> str:
    """One text of several, as an index needs it: ids and words of ours first, so that it cannot be misread."""
    return "\n".join(parts)


def _one(value: str | None) -> Iterable[str]:
    return () if value is None else (value,)


TENANT_PROFILE: Final = Kind(
    "thingsboard.tenant_profile",
    TenantProfile,
    lambda profile: profile.id,
    {"name": lambda profile: (profile.name,), "default": lambda profile: ("yes",) if profile.is_default else ()},
)
TENANT: Final = Kind(
    "thingsboard.tenant",
    Tenant,
    lambda tenant: tenant.id,
    {"title": lambda tenant: (tenant.title,), "profile": lambda tenant: (tenant.profile_id,)},
)
CUSTOMER: Final = Kind(
    "thingsboard.customer",
    Customer,
    lambda customer: customer.id,
    {
        "tenant": lambda customer: (customer.tenant_id,),
        "title": lambda customer: (joined(customer.tenant_id, customer.title),),
    },
)
USER: Final = Kind(
    "thingsboard.user",
    User,
    lambda user: user.id,
    {
        "tenant": lambda user: (user.tenant_id,),
        "customer": lambda user: _one(user.customer_id),
        "email": lambda user: (user.email,),
        "activation": lambda user: _one(user.activation_token),
    },
)
DEVICE_PROFILE: Final = Kind(
    "thingsboard.device_profile",
    DeviceProfile,
    lambda profile: profile.id,
    {
        "tenant": lambda profile: (profile.tenant_id,),
        "name": lambda profile: (joined(profile.tenant_id, profile.name),),
        "provision_key": lambda profile: _one(profile.provision_device_key),
    },
)
DEVICE: Final = Kind(
    "thingsboard.device",
    Device,
    lambda device: device.id,
    {
        "tenant": lambda device: (device.tenant_id,),
        "name": lambda device: (joined(device.tenant_id, device.name),),
        "profile": lambda device: (device.profile_id,),
        "customer": lambda device: _one(device.customer_id),
    },
)
CREDENTIALS: Final = Kind(
    "thingsboard.credentials",
    Credentials,
    lambda credentials: credentials.device_id,
    {"credentials_id": lambda credentials: (credentials.credentials_id,)},
)
ATTRIBUTE: Final = Kind(
    "thingsboard.attribute",
    Attribute,
    lambda attribute: joined(attribute.device_id, attribute.scope, attribute.key),
    {"scope": lambda attribute: (joined(attribute.device_id, attribute.scope),)},
)
LATEST: Final = Kind(
    "thingsboard.latest",
    LatestTelemetry,
    lambda latest: joined(latest.device_id, latest.key),
    {"device": lambda latest: (latest.device_id,)},
)
CLAIM_OFFER: Final = Kind("thingsboard.claim_offer", ClaimOffer, lambda offer: offer.device_id)
