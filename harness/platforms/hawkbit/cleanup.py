"""After the last phase, on a server that others use too: what carries the run's prefix goes, settings return.

What there is to remove is asked of the server, not remembered: a request that was broken off may have got through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.admin import NoAnswer
from fleetrig.harness.run.context import Rig
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall

ROUNDS: Final = 3
"""A poll that was under way when its device was switched off may bring a target back."""


def take_back(rig: Rig) -> AdminCall[str]:
    """What could not be taken back, and why; empty when nothing is left. Devices must be off."""
    left: list[str] = []
    names = f"{rig.prefix}*"
    try:
        for what, work in steps(rig):
            try:
                yield from work
            except NoAnswer:
                raise
            except BrokenBench as why:
                left.append(f"{what} ({why})")
    except NoAnswer as why:
        return f"{names} and settings may be left behind on {rig.server.url}: {why}"
    return f"left behind on {rig.server.url}: {', '.join(left)}" if left else ""


def steps(rig: Rig) -> Iterator[tuple[str, AdminCall[None]]]:
    """What to take back, in words, and the way to do it.

    Faults first, since they may be in the way; targets before sets: a set that is in use stays as a shadow.
    """
    assert rig.prefix, "without a prefix everything would be ours"
    if rig.server.control is not None:
        yield from ((f"fault {number}", rig.server.control.remove_fault(number)) for number in rig.fault_ids)
    yield f"targets {rig.prefix}*", remove_targets(rig)
    yield f"distribution sets {rig.prefix}*", remove_named(rig, "/distributionsets")
    yield f"software modules {rig.prefix}*", remove_named(rig, "/softwaremodules")
    for key, before in rig.configured.items():
        yield f"setting {key}", restore(rig, key, before)


def remove_targets(rig: Rig) -> AdminCall[None]:
    admin = rig.server.admin
    for _ in range(ROUNDS):
        found = yield from admin.targets(f"controllerId=={rig.prefix}*")
        ours = [target["controllerId"] for target in found if str(target.get("controllerId")).startswith(rig.prefix)]
        for controller_id in ours:
            yield from admin.delete_target(controller_id)
        if not ours:
            return


def remove_named(rig: Rig, path: str) -> AdminCall[None]:
    """A server that does not understand the query may list everything: names are compared here too."""
    admin = rig.server.admin
    found = yield from admin.search(path, f"name=={rig.prefix}*")
    for entity in found:
        if str(entity.get("name")).startswith(rig.prefix):
            yield from admin.delete(f"{path}/{entity['id']}")


def restore(rig: Rig, key: str, before: Any) -> AdminCall[None]:
    if before is None:
        yield from rig.server.admin.reset_config(key)
    else:
        yield from rig.server.admin.configure({key: before})
