"""Records as the documents of the operator's API (section 4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.records import (
    Attribute,
    Credentials,
    Customer,
    Device,
    DeviceProfile,
    User,
)

NOBODY: Final = "13814000-1dd2-11b2-8080-808080808080"
"""The id that stands for none where there has to be one: the customer of a device that nobody has claimed."""


def entity_id(kind: str, value: str) -> dict[str, str]:
    return {"entityType": kind, "id": value}


def optional_id(kind: str, value: str | None) -> dict[str, str] | None:
    return None if value is None else entity_id(kind, value)


def device_form(device: Device) -> dict[str, Any]:
    return {
        "id": entity_id("DEVICE", device.id),
        "createdTime": device.created_at_ms,
        "tenantId": entity_id("TENANT", device.tenant_id),
        "customerId": entity_id("CUSTOMER", device.customer_id or NOBODY),
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


def customer_form(customer: Customer) -> dict[str, Any]:
    return {
        "id": entity_id("CUSTOMER", customer.id),
        "createdTime": customer.created_at_ms,
        "tenantId": entity_id("TENANT", customer.tenant_id),
        "title": customer.title,
        "name": customer.title,
        "version": customer.version,
        "additionalInfo": customer.additional_info,
    }


def user_form(user: User) -> dict[str, Any]:
    return {
        "id": entity_id("USER", user.id),
        "createdTime": user.created_at_ms,
        "tenantId": entity_id("TENANT", user.tenant_id),
        "customerId": entity_id("CUSTOMER", user.customer_id or NOBODY),
        "email": user.email,
        "name": user.email,
        "authority": user.authority,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "version": user.version,
        "additionalInfo": user.additional_info,
    }
