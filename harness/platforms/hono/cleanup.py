"""Clean-up after a run: the tenant that it has asked for is deleted, and all that stands in it. No other one ever is.

The stock registries keep devices of a tenant that is gone (spec 1.1), so they go first.
"""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.settings import SHOWN
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall


def steps(run: HonoRun) -> Iterator[tuple[str, AdminCall[None]]]:
    """Nothing for a run that ended before it asked for a tenant."""
    assert run.context.prefix, "without a prefix the tenant could be anybody's"
    assert run.admin.tenant == run.tenant, "the operator is on about another tenant than that of the run"
    if run.asked_for_tenant:
        yield f"devices of tenant {run.tenant}", delete_devices(run)
        yield f"tenant {run.tenant}", run.admin.delete_tenant()


def delete_devices(run: HonoRun) -> AdminCall[None]:
    """All of the tenant; those of the run's names where the registry lists none (1.1).

    Raises BrokenBench for what it may have provisioned then: it draws such ids itself.
    """
    if (yield from run.admin.delete_devices()):
        return
    is_somebody_missing = False
    for name in run.context.record_names():
        is_somebody_missing |= (yield from run.admin.device(name)) is None
        yield from run.admin.delete_device(name)
    if is_somebody_missing and run.kind in SHOWN:
        raise BrokenBench("it does not list them: what it has provisioned under ids of its own may stay")
