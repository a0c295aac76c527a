"""Finds by its name what a row made and nobody knows the id of.

For rows that were interrupted: between a request and its answer things come into being.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fleetrig.harness.conformance.cleanup import NOT_AS_THE_CONTRACT_SAYS
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import Login, OperatorApi, id_of
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.simulator.contract.errors import BrokenBench

OF_TENANTS: Final = (("/users", "email", "/user"), ("/customers", "title", "/customer"))
OF_SYSADMINS: Final = (("/tenants", "title", "/tenant"), ("/tenantProfiles", "name", "/tenantProfile"))
"""(list, its member with our name, where one of them is removed), in an order in which it can be."""


def sweep(under_test: ServerUnderTest, prefix: str) -> list[str]:
    """Removes whatever has a name with this prefix. A sentence when that cannot be done."""
    try:
        _sweep(under_test, prefix)
    except (Mismatch, BrokenBench, *NOT_AS_THE_CONTRACT_SAYS) as error:
        return [f"what has a name that begins with {prefix} may still be there: {error}"]
    return []


def _sweep(under_test: ServerUnderTest, prefix: str) -> None:
    tenant = TenantApi(under_test)
    for profile in list(named(tenant, "/deviceProfiles", "name", prefix)):
        tenant.delete_profile(id_of(profile), str(profile["name"]))
    for device in list(named(tenant, "/tenant/devices", "name", prefix)):
        tenant.delete_device(device)
    _remove(tenant, OF_TENANTS, prefix)
    if under_test.sysadmin is not None:
        _remove(OperatorApi(under_test.http, Login(under_test.sysadmin)), OF_SYSADMINS, prefix)


def named(api: OperatorApi, path: str, name: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    """What a list holds under a name with this prefix."""
    for one in api.pages(f"{path}?textSearch={prefix}&"):
        if str(one[name]).startswith(prefix):
            yield one


def _remove(api: OperatorApi, lists: tuple[tuple[str, str, str], ...], prefix: str) -> None:
    for path, name, place in lists:
        for one in list(named(api, path, name, prefix)):
            api.remove(f"{place}/{id_of(one)}")
