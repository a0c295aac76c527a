"""What the REST API has, path by path (spec 1.5, 5.5). Domains and actions of rights are Kapua's."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.kura.rest import (
    access_infos,
    access_roles,
    accounts,
    authentication,
    certificates,
    connections,
    credentials,
    device_configurations,
    device_keystores,
    device_packages,
    device_requests,
    devices,
    endpoints,
    events,
    provision_requests,
    service_configurations,
    users,
)
from fleetrig.reference_server.platforms.kura.rest.routing import Handler, Route

Table = tuple[tuple[str, str, Handler, str], ...]
"""Method, path below the collection, handler, action."""


def _below(base: str, domain: str, table: Table) -> tuple[Route, ...]:
    return tuple(Route(method, f"{base}{path}", handler, (domain, action)) for method, path, handler, action in table)


AUTHENTICATION: Final = (
    Route("POST", "/v1/authentication/user", authentication.log_in, is_open=True),
    Route("POST", "/v1/authentication/refresh", authentication.refresh, is_open=True),
    Route("POST", "/v1/authentication/logout", authentication.log_out),
    Route("GET", "/v1/authentication/info", authentication.login_info),
    Route("GET", "/v1/account", accounts.read_own),
    Route("GET", "/v1/accounts/{account}", accounts.read),
    Route("GET", "/v1/{scope}/accounts/{account}", accounts.read),
)
ACCOUNTS: Final = _below("/v1/{scope}/accounts", "account", (
    ("GET", "", accounts.list_all, "read"),
    ("POST", "", accounts.create, "write"),
    ("POST", "/_query", accounts.query, "read"),
    ("POST", "/_count", accounts.count, "read"),
    ("PUT", "/{account}", accounts.update, "write"),
    ("DELETE", "/{account}", accounts.delete, "delete"),
))  # fmt: skip
SERVICES: Final = _below("/v1/{scope}/serviceConfigurations", "account", (
    ("GET", "", service_configurations.read_all, "read"),
    ("PUT", "", service_configurations.update_all, "write"),
    ("GET", "/{service}", service_configurations.read, "read"),
    ("PUT", "/{service}", service_configurations.update, "write"),
))  # fmt: skip
USERS: Final = _below("/v1/{scope}/users", "user", (
    ("GET", "", users.list_all, "read"),
    ("POST", "", users.create, "write"),
    ("POST", "/_query", users.query, "read"),
    ("POST", "/_count", users.count, "read"),
    ("GET", "/{user}", users.read, "read"),
    ("PUT", "/{user}", users.update, "write"),
    ("DELETE", "/{user}", users.delete, "delete"),
))  # fmt: skip
OF_USERS: Final = _below("/v1/{scope}/users/{user}/credentials", "credential", (
    ("GET", "", credentials.list_of_user, "read"),
    ("POST", "", credentials.create_for_user, "write"),
    ("POST", "/password/_reset", credentials.reset, "write"),
))  # fmt: skip
CREDENTIALS: Final = _below("/v1/{scope}/credentials", "credential", (
    ("GET", "", credentials.list_all, "read"),
    ("POST", "", credentials.create, "write"),
    ("POST", "/_query", credentials.query, "read"),
    ("POST", "/_count", credentials.count, "read"),
    ("GET", "/{credential}", credentials.read, "read"),
    ("PUT", "/{credential}", credentials.update, "write"),
    ("DELETE", "/{credential}", credentials.delete, "delete"),
    ("POST", "/{credential}/_unlock", credentials.unlock, "write"),
    ("POST", "/{credential}/unlock", credentials.unlock, "write"),
))  # fmt: skip
ACCESS_INFOS: Final = _below("/v1/{scope}/accessinfos", "access_info", (
    ("GET", "", access_infos.list_all, "read"),
    ("POST", "", access_infos.create, "write"),
    ("POST", "/_query", access_infos.query, "read"),
    ("POST", "/_count", access_infos.count, "read"),
    ("GET", "/{access}", access_infos.read, "read"),
    ("DELETE", "/{access}", access_infos.delete, "delete"),
    ("GET", "/{access}/permissions", access_infos.list_permissions, "read"),
    ("POST", "/{access}/permissions", access_infos.create_permission, "write"),
    ("DELETE", "/{access}/permissions/{permission}", access_infos.delete_permission, "delete"),
    ("GET", "/{access}/roles", access_roles.list_all, "read"),
    ("POST", "/{access}/roles", access_roles.create, "write"),
    ("POST", "/{access}/roles/_query", access_roles.query, "read"),
    ("POST", "/{access}/roles/_count", access_roles.count, "read"),
    ("GET", "/{access}/roles/{role}", access_roles.read, "read"),
    ("DELETE", "/{access}/roles/{role}", access_roles.delete, "delete"),
))  # fmt: skip
DEVICES: Final = _below("/v1/{scope}/devices", "device", (
    ("GET", "", devices.list_all, "read"),
    ("POST", "", devices.create, "write"),
    ("POST", "/_query", devices.query, "read"),
    ("POST", "/_count", devices.count, "read"),
    ("GET", "/{device}", devices.read, "read"),
    ("PUT", "/{device}", devices.update, "write"),
    ("DELETE", "/{device}", devices.delete, "delete"),
))  # fmt: skip
EVENTS: Final = _below("/v1/{scope}/devices/{device}/events", "device_event", (
    ("GET", "", events.list_all, "read"),
    ("POST", "/_query", events.query, "read"),
    ("POST", "/_count", events.count, "read"),
    ("GET", "/{event}", events.read, "read"),
))  # fmt: skip
MANAGEMENT: Final = _below("/v1/{scope}/devices/{device}", "device_management", (
    ("GET", "/configurations", device_configurations.read_all, "read"),
    ("PUT", "/configurations", device_configurations.write_all, "write"),
    ("GET", "/configurations/{component}", device_configurations.read, "read"),
    ("PUT", "/configurations/{component}", device_configurations.write, "write"),
    ("GET", "/snapshots", device_configurations.read_snapshots, "read"),
    ("GET", "/snapshots/{snapshot}", device_configurations.read_snapshot, "read"),
    ("POST", "/snapshots/{snapshot}/_rollback", device_configurations.roll_back, "execute"),
    ("GET", "/keystore", device_keystores.read_keystores, "read"),
    ("GET", "/keystore/items", device_keystores.read_items, "read"),
    ("GET", "/keystore/item", device_keystores.read_item, "read"),
    ("DELETE", "/keystore/item", device_keystores.delete_item, "write"),
    ("POST", "/keystore/items/certificateInfo", device_keystores.load_known_certificate, "write"),
    ("POST", "/keystore/items/certificateRaw", device_keystores.load_certificate, "write"),
    ("POST", "/keystore/items/keypair", device_keystores.make_key_pair, "write"),
    ("POST", "/keystore/items/csr", device_keystores.make_request, "write"),
    ("GET", "/packages", device_packages.read_all, "read"),
    ("POST", "/packages/_download", device_packages.download, "execute"),
    ("POST", "/packages/_uninstall", device_packages.uninstall, "execute"),
    ("POST", "/requests", device_requests.send, "execute"),
))  # fmt: skip
CONNECTIONS: Final = _below("/v1/{scope}/deviceconnections", "device_connection", (
    ("GET", "", connections.list_all, "read"),
    ("POST", "/_query", connections.query, "read"),
    ("POST", "/_count", connections.count, "read"),
    ("GET", "/{connection}", connections.read, "read"),
    ("GET", "/{connection}/options", connections.read_options, "read"),
    ("PUT", "/{connection}/options", connections.update_options, "write"),
    ("POST", "/{connection}/_disconnect", connections.disconnect, "write"),
))  # fmt: skip
CERTIFICATES: Final = _below("/v1/{scope}/certificateInfos", "certificate_info", (
    ("GET", "", certificates.list_all, "read"),
    ("POST", "", certificates.create, "write"),
    ("POST", "/_query", certificates.query, "read"),
    ("POST", "/_count", certificates.count, "read"),
    ("GET", "/{certificate}", certificates.read, "read"),
    ("PUT", "/{certificate}", certificates.update, "write"),
    ("DELETE", "/{certificate}", certificates.delete, "delete"),
))  # fmt: skip
OTHERS: Final = (
    Route("GET", "/v1/{scope}/endpointInfos", endpoints.list_all, ("endpoint_info", "read")),
    Route("GET", "/v1/{scope}/audit", events.list_audit, ("device_event", "read")),
)
PROVISIONING: Final = (
    Route("GET", "/v2/provisionRequests", provision_requests.list_all),
    Route("POST", "/v2/provisionRequests", provision_requests.create),
    Route("GET", "/v2/provisionRequests/{request}", provision_requests.read),
    Route("PUT", "/v2/provisionRequests/{request}", provision_requests.update),
    Route("DELETE", "/v2/provisionRequests/{request}", provision_requests.delete),
    Route("GET", "/attachments/{token}", provision_requests.fetch_attachment, is_open=True),
)
ROUTES: Final = (
    *AUTHENTICATION, *ACCOUNTS, *SERVICES, *USERS, *OF_USERS, *CREDENTIALS, *ACCESS_INFOS, *DEVICES, *EVENTS,
    *MANAGEMENT, *CONNECTIONS, *CERTIFICATES, *OTHERS, *PROVISIONING,
)  # fmt: skip
