"""The first use of a tenant makes it, with the types of modules and sets that every new tenant has (§1.4)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.context import Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.records import TENANT, Tenant
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository


def open_tenant(repo: Repository, name: str, now_us: int) -> Tenant:
    """The tenant's record, made if need be."""
    tenant = repo.tenant(name)
    if tenant is None:
        system = Scheduled(repo, name, software.SYSTEM, now_us)
        software.create_types(system)
        default = software.set_type(system, software.DEFAULT_SET_TYPE)
        tenant = Tenant(name, default_set_type_id=default.id)
        repo.store.put(TENANT, name, tenant)
    return tenant
