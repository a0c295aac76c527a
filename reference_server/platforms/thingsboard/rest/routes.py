"""Every path of the operator's API that this server has, in one table (section 4)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.routing import BOTH, CUSTOMER, TENANT, Route
from fleetrig.reference_server.platforms.thingsboard.rest import (
    attributes,
    bulk_import,
    claims,
    credentials,
    devices,
    login,
    people,
    profiles,
    rpc,
)

TELEMETRY: Final = "/api/plugins/telemetry/{entityType}/{entityId}"
TELEMETRY_OF_DEVICE: Final = "/api/plugins/telemetry/{deviceId}"

ROUTES: Final[tuple[Route, ...]] = (
    # login
    Route("POST", "/api/auth/login", login.log_in),
    Route("POST", "/api/auth/token", login.refresh),
    Route("POST", "/api/noauth/activate", login.activate),
    Route("GET", "/api/auth/user", people.read_myself, BOTH),
    # device profiles
    Route("POST", "/api/deviceProfile", profiles.save, TENANT),
    Route("GET", "/api/deviceProfile/{id}", profiles.read, TENANT),
    Route("DELETE", "/api/deviceProfile/{id}", profiles.delete, TENANT),
    Route("GET", "/api/deviceProfile/names", profiles.read_names, BOTH),
    Route("GET", "/api/deviceProfiles", profiles.read_all, TENANT),
    Route("GET", "/api/deviceProfileInfos", profiles.read_infos, BOTH),
    Route("GET", "/api/deviceProfileInfo/default", profiles.read_default, BOTH),
    # devices
    Route("POST", "/api/device", devices.save, BOTH),
    Route("POST", "/api/device-with-credentials", devices.save_with_credentials, BOTH),
    Route("GET", "/api/device/{id}", devices.read, BOTH),
    Route("DELETE", "/api/device/{id}", devices.delete, TENANT),
    Route("GET", "/api/device/types", devices.read_types, BOTH),
    Route("GET", "/api/tenant/devices", devices.read_called, TENANT, "deviceName"),
    Route("GET", "/api/tenant/devices", devices.read_all, TENANT),
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
    Route("POST", "/api/plugins/rpc/oneway/{id}", rpc.send_one_way, BOTH),
    # customers and claiming
    Route("POST", "/api/customer", people.create_customer, TENANT),
    Route("GET", "/api/customer/{id}", people.read_customer, BOTH),
    Route("POST", "/api/user", people.create_user, TENANT),
    Route("GET", "/api/user/{id}", people.read_user, TENANT),
    Route("GET", "/api/user/{id}/activationLink", people.activation_link, TENANT),
    Route("POST", "/api/customer/{id}/device/{deviceId}", devices.assign, TENANT),
    Route("DELETE", "/api/customer/device/{id}", devices.unassign, TENANT),
    Route("POST", "/api/customer/device/{name}/claim", claims.claim, CUSTOMER),
    Route("DELETE", "/api/customer/device/{name}/claim", claims.take_back, BOTH),
)
