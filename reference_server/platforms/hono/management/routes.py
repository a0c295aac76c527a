"""What the management API has, resource by resource (spec 1.1 to 1.3)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.management import credentials_api, devices_api, tenants_api
from fleetrig.reference_server.platforms.hono.management.routing import DEVICE_ID, TENANT_ID, Resource
from fleetrig.reference_server.platforms.hono.vertx.cors import CorsRoute

ALL: Final = "POST,PUT,GET,DELETE"


def _cors(methods: str) -> CorsRoute:
    return CorsRoute(methods, "content-type,authorization,if-match", exposed="etag")


TENANTS: Final = Resource(
    "tenants", (), {"POST": tenants_api.create, "GET": tenants_api.search}, "POST,GET", cors=_cors("POST")
)
TENANT: Final = Resource(
    "tenants",
    (TENANT_ID,),
    {
        "POST": tenants_api.create,
        "GET": tenants_api.read,
        "PUT": tenants_api.replace,
        "DELETE": tenants_api.delete,
    },
    "DELETE,POST,GET,PUT",
    cors=_cors(ALL),
)
DEVICES: Final = Resource(
    "devices",
    (TENANT_ID,),
    {"POST": devices_api.create, "GET": devices_api.search, "DELETE": devices_api.delete_all},
    "DELETE,POST,GET",
    cors=_cors("POST"),
)
DEVICE: Final = Resource(
    "devices",
    (TENANT_ID, DEVICE_ID),
    {
        "POST": devices_api.create,
        "GET": devices_api.read,
        "PUT": devices_api.replace,
        "DELETE": devices_api.delete,
    },
    "DELETE,POST,GET,PUT",
    cors=_cors(ALL),
)
CREDENTIALS: Final = Resource(
    "credentials",
    (TENANT_ID, DEVICE_ID),
    {"GET": credentials_api.read, "PUT": credentials_api.replace},
    "GET,PUT",
    cors=_cors("GET,PUT"),
)
RESOURCES: Final = (TENANTS, TENANT, DEVICES, DEVICE, CREDENTIALS)
SEARCHES: Final = frozenset({tenants_api.search, devices_api.search, devices_api.delete_all})
"""What generation 1 does not have."""
