"""What a tenant holds, to be compared before and after, and what other people may have there."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login, OperatorApi
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi, profile_document
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest

OF_TENANT = ("/deviceProfiles", "/tenant/devices", "/customers", "/users")
OF_SYSADMIN = ("/tenants", "/tenantProfiles")
STRANGERS = 300


def everything(server: ServerUnderTest) -> dict[str, list[Any]]:
    """Every document that a row could leave there or change."""
    tenant = TenantApi(server)
    found = {path: sorted(tenant.pages(f"{path}?"), key=str) for path in OF_TENANT}
    if server.sysadmin is not None:
        above = OperatorApi(server.http, Login(server.sysadmin))
        found |= {path: sorted(above.pages(f"{path}?"), key=str) for path in OF_SYSADMIN}
    return found


def make_strangers(server: ServerUnderTest) -> None:
    """Devices, profiles with keys of their own, one of them the default, and a customer."""
    tenant = TenantApi(server)
    strategies = ("ALLOW_CREATE_NEW_DEVICES", "CHECK_PRE_PROVISIONED_DEVICES", "DISABLED")
    for strategy in strategies:
        document = profile_document(f"stranger {strategy}", strategy, f"k-{strategy}", "strangers-secret")
        tenant.asked("POST", "/deviceProfile", document)
    default = tenant.asked("GET", "/deviceProfileInfo/default")
    document = tenant.asked("GET", f"/deviceProfile/{default['id']['id']}")
    tenant.asked("POST", "/deviceProfile", {**document, "name": "strangers' own", "description": "changed by them"})
    tenant.asked("POST", "/customer", {"title": "A stranger's customer"})
    lines = [f"stranger-{number},stranger {strategies[number % 3]}" for number in range(STRANGERS)]
    columns = [{"type": "NAME"}, {"type": "TYPE"}]
    mapping = {"columns": columns, "delimiter": ",", "update": False, "header": True}
    body = {"file": "\n".join(["name,type", *lines]) + "\n", "mapping": mapping}
    assert tenant.asked("POST", "/device/bulk_import", body)["created"] == STRANGERS
