"""Clean-up after a run: its tenant is deleted, and with it all that stands in it.

The stock registries keep devices of a tenant that is gone (spec 1.1), so they go first.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.simulator.drivers.director import AdminCall


def steps(admin: HonoAdmin, prefix: str) -> Iterator[tuple[str, AdminCall[None]]]:
    assert prefix, "without a prefix the tenant could be anybody's"
    yield f"devices of tenant {admin.tenant}", admin.delete_devices()
    yield f"tenant {admin.tenant}", admin.delete_tenant()
