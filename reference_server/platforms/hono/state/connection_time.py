"""How long a tenant's devices were connected in its accounting period (`connection-duration`, spec 4.5).

As for its data volume, each tenant that has a limit has a record, written lazily: of connections that have ended. Those
that last are told by who has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.data_volume import AccountingPeriod, accounting_period
from fleetrig.reference_server.platforms.hono.state.records import INSTALLATION, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind
from fleetrig.simulator.contract.clock import US_PER_S

UNLIMITED: Final = -1
US_PER_MINUTE: Final = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class ConnectionTime:
    tenant_id: str
    period_from_us: int
    connected_us: int


CONNECTION_TIME: Final = Kind("hono.connection_time", ConnectionTime, lambda time: time.tenant_id)


def exceeds_connection_time(registry: Registry, tenant: Tenant, begun_us: Iterable[int], now_us: int) -> str:
    """Why no device may connect; empty when one may. `begun_us`: when the connections have begun that last."""
    period, most_minutes = _limit(registry, tenant, now_us)
    if period is None or most_minutes == UNLIMITED:
        return ""
    lasting_us = sum(now_us - max(one, period.from_us) for one in begun_us)
    connected_minutes = (_ended_us(registry, tenant.tenant_id, period) + lasting_us) // US_PER_MINUTE
    allowed_minutes = ceil(most_minutes * period.share)
    if connected_minutes < allowed_minutes:
        return ""
    return f"the tenant's devices were connected for {connected_minutes} minutes, {allowed_minutes} may be"


def count_connection(registry: Registry, tenant: Tenant, begun_us: int, now_us: int) -> None:
    """A connection has ended."""
    period, _ = _limit(registry, tenant, now_us)
    if period is None:
        return
    lasted_us = now_us - max(begun_us, period.from_us)
    connected_us = _ended_us(registry, tenant.tenant_id, period) + lasted_us
    time = ConnectionTime(tenant.tenant_id, period.from_us, connected_us)
    registry.store.put(CONNECTION_TIME, INSTALLATION, time, lazily=True)


def _limit(registry: Registry, tenant: Tenant, now_us: int) -> tuple[AccountingPeriod | None, Any]:
    limit = tenant.resource_limits.get("connection-duration")
    if limit is None or not registry.traits.enforces_resource_limits:
        return None, UNLIMITED
    return accounting_period(limit, now_us), limit.get("max-minutes", UNLIMITED)


def _ended_us(registry: Registry, tenant_id: str, period: AccountingPeriod) -> int:
    kept = registry.store.get(CONNECTION_TIME, INSTALLATION, tenant_id)
    return kept.connected_us if kept is not None and kept.period_from_us == period.from_us else 0
