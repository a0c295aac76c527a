"""How many records of a kind a tenant may have, by its tenant profile (S82)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.thingsboard.state.errors import too_many
from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind


def check_room(registry: Registry, tenant_id: str, kind: Kind[Any], called: str) -> None:
    """Whether there may be one more; `called` as in `Device`, the kind has an index `tenant`. Raises RuleBroken."""
    most = registry.limits_of(tenant_id).most[called.upper()]
    if most > 0 and registry.store.count(kind, INSTALLATION, "tenant", tenant_id) >= most:
        raise too_many(called, most)
