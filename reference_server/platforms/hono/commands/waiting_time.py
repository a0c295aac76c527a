"""How long a request may wait for a command (`hono-ttd`), over HTTP and CoAP alike (getTimeUntilDisconnect)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.state.records import Tenant

MOST_S: Final = 60
"""Unless the tenant says another `max-ttd` for the adapter."""


def waiting_time_s(tenant: Tenant, adapter: str, wanted_s: int | None) -> int:
    """0: it does not wait."""
    if wanted_s is None or wanted_s <= 0:
        return 0
    limit_s = ((tenant.adapter(adapter) or {}).get("ext") or {}).get("max-ttd")
    most_s = limit_s if isinstance(limit_s, int) and not isinstance(limit_s, bool) and limit_s >= 0 else MOST_S
    return min(wanted_s, most_s)
