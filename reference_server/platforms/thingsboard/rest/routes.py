"""Every path of the operator's API that this server has, in one table (section 4)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.routing import (
    ADMINISTRATORS,
    ANY_ACCOUNT,
    BOTH,
    CUSTOMER,
    SYSTEM,
    TENANT,
    Route,
)
from fleetrig.reference_server.platforms.thingsboard.rest import (
    api_keys,
    attributes,
    bulk_import,
    claims,
    credentials,
    customers,
    devices,
    login,
    ota_packages,
    profiles,
    rpc,
    system_info,
    tenant_profiles,
    tenants,
    users,
)

TELEMETRY: Final = "/api/plugins/telemetry/{entityType}/{entityId}"
TELEMETRY_OF_DEVICE: Final = "/api/plugins/telemetry/{deviceId}"

ROUTES: Final[tuple[Route, ...]] = (
    # login
    Route("POST", "/api/auth/login", login.log_in),
    Route("POST", "/api/auth/token", login.refresh),
    Route("POST", "/api/noauth/activate", login.activate),
    Route("POST", "/api/auth/logout", login.log_out, ANY_ACCOUNT),
    Route("POST", "/api/auth/changePassword", login.change_password, ANY_ACCOUNT),
    Route("GET", "/api/auth/user", users.read_myself, ANY_ACCOUNT),
    Route("GET", "/api/system/info", system_info.read, ANY_ACCOUNT),
    # tenants and what limits them
    Route("POST", "/api/tenant", tenants.save, SYSTEM),
    Route("GET", "/api/tenant/{id}", tenants.read, ADMINISTRATORS),
    Route("DELETE", "/api/tenant/{id}", tenants.delete, ADMINISTRATORS),
    Route("GET", "/api/tenants", tenants.read_all, SYSTEM),
    Route("POST", "/api/tenantProfile", tenant_profiles.save, SYSTEM),
    Route("GET", "/api/tenantProfile/{id}", tenant_profiles.read, SYSTEM),
    Route("DELETE", "/api/tenantProfile/{id}", tenant_profiles.delete, SYSTEM),
    Route("GET", "/api/tenantProfiles", tenant_profiles.read_all, SYSTEM),
    Route("GET", "/api/tenantProfileInfo/default", tenant_profiles.read_default, SYSTEM),
    # device profiles
    Route("POST", "/api/deviceProfile", profiles.save, TENANT),
    Route("GET", "/api/deviceProfile/{id}", profiles.read, TENANT),
    Route("DELETE", "/api/deviceProfile/{id}", profiles.delete, TENANT),
    Route("GET", "/api/deviceProfiles", profiles.read_all, TENANT),
    Route("GET", "/api/deviceProfileInfos", profiles.read_infos, BOTH),
    Route("GET", "/api/deviceProfileInfo/default", profiles.read_default, BOTH),
    # devices
    Route("POST", "/api/device", devices.save, BOTH),
    Route("POST", "/api/device-with-credentials", devices.save_with_credentials, BOTH),
    Route("GET", "/api/device/{id}", devices.read, BOTH),
    Route("DELETE", "/api/device/{id}", devices.delete, TENANT),
    Route("GET", "/api/tenant/devices", devices.read_called, TENANT, "deviceName"),
    Route("GET", "/api/tenant/devices", devices.read_all, TENANT),
    Route("GET", "/api/tenant/device", devices.read_called, TENANT),
    Route("POST", "/api/device/bulk_import", bulk_import.import_devices, TENANT),
    Route("GET", "/api/device/{id}/credentials", credentials.read, BOTH),
    Route("POST", "/api/device/credentials", credentials.save, TENANT),
    # attributes and telemetry
    Route("GET", TELEMETRY + "/values/attributes", attributes.read_all, BOTH),
    Route("GET", TELEMETRY + "/values/attributes/{scope}", attributes.read, BOTH),
    Route("GET", TELEMETRY + "/values/timeseries", attributes.read_latest, BOTH),
    Route("POST", TELEMETRY + "/{scope}", attributes.write, BOTH),
    Route("POST", TELEMETRY + "/attributes/{scope}", attributes.write, BOTH),
    Route("DELETE", TELEMETRY + "/{scope}", attributes.delete, BOTH),
    Route("POST", TELEMETRY_OF_DEVICE + "/{scope}", attributes.write_of_device, BOTH),
    Route("DELETE", TELEMETRY_OF_DEVICE + "/{scope}", attributes.delete_of_device, BOTH),
    # commands
    Route("POST", "/api/rpc/oneway/{id}", rpc.send_one_way, BOTH),
    # customers and users
    Route("POST", "/api/customer", customers.save, TENANT),
    Route("GET", "/api/customer/{id}", customers.read, BOTH),
    Route("DELETE", "/api/customer/{id}", customers.delete, TENANT),
    Route("GET", "/api/customers", customers.read_all, TENANT),
    Route("POST", "/api/user", users.save, ANY_ACCOUNT),
    Route("GET", "/api/user/{id}", users.read, ANY_ACCOUNT),
    Route("DELETE", "/api/user/{id}", users.delete, ADMINISTRATORS),
    Route("GET", "/api/user/{id}/activationLink", users.activation_link, ADMINISTRATORS),
    Route("GET", "/api/users", users.read_all, BOTH),
    # packages of firmware and software
    Route("POST", "/api/otaPackage", ota_packages.save, TENANT),
    Route("POST", "/api/otaPackage/{id}", ota_packages.fill, TENANT),
    Route("GET", "/api/otaPackage/info/{id}", ota_packages.read, BOTH),
    Route("GET", "/api/otaPackage/{id}/download", ota_packages.download, TENANT),
    Route("GET", "/api/otaPackages", ota_packages.read_all, BOTH),
    Route("GET", "/api/otaPackages/{deviceProfileId}/{type}", ota_packages.read_usable, BOTH),
    Route("DELETE", "/api/otaPackage/{id}", ota_packages.delete, TENANT),
    # keys of programs
    Route("POST", "/api/apiKey", api_keys.save, ANY_ACCOUNT),
    Route("GET", "/api/apiKeys/{userId}", api_keys.read_of_user, ANY_ACCOUNT),
    Route("PUT", "/api/apiKey/{id}/description", api_keys.describe, ANY_ACCOUNT),
    Route("PUT", "/api/apiKey/{id}/enabled/{enabled}", api_keys.switch, ANY_ACCOUNT),
    Route("DELETE", "/api/apiKey/{id}", api_keys.delete, ANY_ACCOUNT),
    # claiming
    Route("POST", "/api/customer/device/{name}/claim", claims.claim, CUSTOMER),
    Route("DELETE", "/api/customer/device/{name}/claim", claims.take_back, BOTH),
)
