"""What adapters keep in their memory, outside of any transaction: tenants that they have cached, contacts under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from fleetrig.reference_server.platforms.hono.state.records import Tenant, TrustAnchor
from fleetrig.simulator.contract.clock import US_PER_S

MOST_KEPT: Final = 1_000
"""As the caches of the real adapters; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class KnownTenant:
    """A tenant as an adapter knows it. `anchors`: those of when it was cached; None: ask the registry."""

    tenant: Tenant
    anchors: tuple[TrustAnchor, ...] | None = None


class _Cached(NamedTuple):
    known: KnownTenant
    until_us: int


class AdapterMemory:
    """Of all adapters of one server, each for itself."""

    def __init__(self) -> None:
        self._tenants: dict[tuple[str, str], _Cached] = {}
        """(adapter, what was asked for) -> what the registry said then."""
        self._under_way: dict[tuple[str, str], int] = {}
        """(tenant, auth-id) -> until when other first contacts do not see that it is provisioned."""

    def cached(self, adapter: str, asked: str, now_us: int) -> KnownTenant | None:
        entry = self._tenants.get((adapter, asked))
        return None if entry is None or now_us >= entry.until_us else entry.known

    def cache(self, adapter: str, asked: str, known: KnownTenant, for_s: int, now_us: int) -> None:
        self._tenants.pop((adapter, asked), None)
        self._tenants[adapter, asked] = _Cached(known, now_us + for_s * US_PER_S)
        while len(self._tenants) > MOST_KEPT:
            del self._tenants[next(iter(self._tenants))]

    def forget(self, tenant_id: str) -> None:
        """The tenant was deleted."""
        self._tenants = {
            asked: entry for asked, entry in self._tenants.items() if entry.known.tenant.tenant_id != tenant_id
        }

    def begin(self, tenant_id: str, auth_id: str, until_us: int) -> None:
        """A first contact has provisioned the device; it is answered at `until_us`."""
        if len(self._under_way) >= MOST_KEPT:
            self._under_way.clear()
        self._under_way[tenant_id, auth_id] = until_us

    def is_under_way(self, tenant_id: str, auth_id: str, now_us: int) -> bool:
        until_us = self._under_way.get((tenant_id, auth_id))
        if until_us is not None and now_us >= until_us:
            del self._under_way[tenant_id, auth_id]
            return False
        return until_us is not None
