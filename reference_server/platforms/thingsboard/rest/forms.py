"""Records as the documents of the operator's API (section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.records import (
    NULL_UUID,
    Attribute,
    Credentials,
    Customer,
    Device,
    DeviceProfile,
    Tenant,
    TenantProfile,
    User,
)

CONTACT: Final = ("country", "state", "city", "address", "address2", "zip", "phone", "email")
"""What a tenant and a customer say of where they are."""


def entity_id(kind: str, value: str) -> dict[str, str]:
    return {"entityType": kind, "id": value}


def optional_id(kind: str, value: str | None) -> dict[str, str] | None:
    return None if value is None else entity_id(kind, value)


def device_form(device: Device) -> dict[str, Any]:
    return {
        "id": entity_id("DEVICE", device.id),
        "createdTime": device.created_at_ms,
        "tenantId": entity_id("TENANT", device.tenant_id),
        "customerId": entity_id("CUSTOMER", device.customer_id or NULL_UUID),
        "name": device.name,
        "type": device.type,
        "label": device.label,
        "deviceProfileId": entity_id("DEVICE_PROFILE", device.profile_id),
        "firmwareId": optional_id("OTA_PACKAGE", device.firmware_id),
        "softwareId": optional_id("OTA_PACKAGE", device.software_id),
        "externalId": None,
        "version": device.version,
        "additionalInfo": device.additional_info,
        "deviceData": device.device_data,
    }


def profile_form(profile: DeviceProfile) -> dict[str, Any]:
    return {
        "id": entity_id("DEVICE_PROFILE", profile.id),
        "createdTime": profile.created_at_ms,
        "tenantId": entity_id("TENANT", profile.tenant_id),
        "name": profile.name,
        "description": profile.description,
        "image": profile.image,
        "type": profile.type,
        "transportType": profile.transport_type,
        "provisionType": profile.provision_type,
        "defaultRuleChainId": optional_id("RULE_CHAIN", profile.default_rule_chain_id),
        "defaultDashboardId": optional_id("DASHBOARD", profile.default_dashboard_id),
        "defaultQueueName": profile.default_queue_name,
        "provisionDeviceKey": profile.provision_device_key,
        "firmwareId": optional_id("OTA_PACKAGE", profile.firmware_id),
        "softwareId": optional_id("OTA_PACKAGE", profile.software_id),
        "defaultEdgeRuleChainId": optional_id("RULE_CHAIN", profile.default_edge_rule_chain_id),
        "externalId": None,
        "version": profile.version,
        "default": profile.is_default,
        "profileData": profile.profile_data,
    }


def profile_info_form(profile: DeviceProfile) -> dict[str, Any]:
    return {
        "id": entity_id("DEVICE_PROFILE", profile.id),
        "name": profile.name,
        "image": profile.image,
        "defaultDashboardId": optional_id("DASHBOARD", profile.default_dashboard_id),
        "type": profile.type,
        "transportType": profile.transport_type,
        "tenantId": entity_id("TENANT", profile.tenant_id),
    }


def credentials_form(credentials: Credentials) -> dict[str, Any]:
    """Without `entityType` in its id: credentials are no entity."""
    return {
        "id": {"id": credentials.id},
        "createdTime": credentials.created_at_ms,
        "deviceId": entity_id("DEVICE", credentials.device_id),
        "credentialsType": credentials.type,
        "credentialsId": credentials.credentials_id,
        "credentialsValue": credentials.value,
        "version": credentials.version,
    }


def attribute_form(attribute: Attribute) -> dict[str, Any]:
    return {"lastUpdateTs": attribute.updated_at_ms, "key": attribute.key, "value": attribute.value}


def contact_form(contact: Mapping[str, str]) -> dict[str, Any]:
    return {name: contact.get(name) for name in CONTACT}


def customer_form(customer: Customer) -> dict[str, Any]:
    return {
        "id": entity_id("CUSTOMER", customer.id),
        "createdTime": customer.created_at_ms,
        **contact_form(customer.contact),
        "title": customer.title,
        "tenantId": entity_id("TENANT", customer.tenant_id),
        "externalId": None,
        "version": customer.version,
        "name": customer.title,
        "additionalInfo": customer.additional_info,
    }


def tenant_form(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": entity_id("TENANT", tenant.id),
        "createdTime": tenant.created_at_ms,
        **contact_form(tenant.contact),
        "title": tenant.title,
        "region": "Global",
        "tenantProfileId": entity_id("TENANT_PROFILE", tenant.profile_id),
        "version": tenant.version,
        "name": tenant.title,
        "additionalInfo": tenant.additional_info,
    }


def tenant_profile_form(profile: TenantProfile) -> dict[str, Any]:
    return {
        "id": entity_id("TENANT_PROFILE", profile.id),
        "createdTime": profile.created_at_ms,
        "name": profile.name,
        "description": profile.description,
        "isolatedTbRuleEngine": profile.is_isolated,
        "profileData": profile.profile_data,
        "default": profile.is_default,
    }


def tenant_profile_info_form(profile: TenantProfile) -> dict[str, Any]:
    return {"id": entity_id("TENANT_PROFILE", profile.id), "name": profile.name}


def user_form(user: User) -> dict[str, Any]:
    return {
        "id": entity_id("USER", user.id),
        "createdTime": user.created_at_ms,
        "tenantId": entity_id("TENANT", user.tenant_id),
        "customerId": entity_id("CUSTOMER", user.customer_id or NULL_UUID),
        "email": user.email,
        "name": user.email,
        "authority": user.authority,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "phone": user.phone,
        "version": user.version,
        "additionalInfo": user.additional_info,
    }
