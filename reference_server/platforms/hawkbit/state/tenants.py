"""The first use of a tenant makes it, with the types of modules and sets that every new tenant has (§1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state import software
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import GATEWAY_KEY
from fleetrig.reference_server.platforms.hawkbit.state.context import Scheduled
from fleetrig.reference_server.platforms.hawkbit.state.records import TENANT, Tenant
from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository
from fleetrig.simulator.contract.clock import US_PER_MS

KEY_BYTES: Final = 16


def open_tenant(repo: Repository, name: str, now_us: int) -> Tenant:
    """The tenant's record, made if need be."""
    tenant = repo.tenant(name)
    if tenant is None:
        system = Scheduled(repo, name, software.SYSTEM, now_us)
        software.create_types(system)
        default = software.set_type(system, software.DEFAULT_SET_TYPE)
        tenant = Tenant(name, _first_values(repo, now_us), default.id)
        repo.store.put(TENANT, name, tenant)
    return tenant


def _first_values(repo: Repository, now_us: int) -> Mapping[str, Mapping[str, Any]]:
    """A gateway key of 32 characters where the generation has one from the beginning, and the server names none."""
    if not repo.traits.tenants_have_gateway_key or repo.settings.config_defaults.get(GATEWAY_KEY):
        return {}
    key, maker, now_ms = repo.entropy.token_hex(KEY_BYTES), repo.settings.accounts[0].user, now_us // US_PER_MS
    repo.learn("gateway-token", key)
    entry = {"value": key, "created_by": maker, "created_at_ms": now_ms, "modified_by": maker, "modified_at_ms": now_ms}
    return {GATEWAY_KEY: entry}
