"""After the last phase, on a server that others use too: what carries the run's prefix goes, settings return.

What there is to remove is asked of the server, not remembered: a request that was broken off may have got through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.admin import NoAnswer
from fleetrig.harness.run.context import RunContext
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall

ROUNDS: Final = 3
"""A poll that was under way when its device was switched off may bring a target back."""


def clean_up(context: RunContext) -> AdminCall[str]:
    """What could not be taken back, and why; empty when nothing is left. Devices must be off."""
    left: list[str] = []
    names = f"{context.prefix}*"
    try:
        for what, work in steps(context):
            try:
                yield from work
            except NoAnswer:
                raise
            except BrokenBench as why:
                left.append(f"{what} ({why})")
    except NoAnswer as why:
        return f"{names} and settings may be left behind on {context.server.url}: {why}"
    return f"left behind on {context.server.url}: {', '.join(left)}" if left else ""


def steps(context: RunContext) -> Iterator[tuple[str, AdminCall[None]]]:
    """What to take back, in words, and the way to do it.

    Faults first, since they may be in the way; targets before sets: a set that is in use stays as a shadow.
    """
    assert context.prefix, "without a prefix everything would be ours"
    if context.server.control is not None:
        yield from ((f"fault {number}", context.server.control.remove_fault(number)) for number in context.fault_ids)
    yield f"targets {context.prefix}*", remove_targets(context)
    yield f"distribution sets {context.prefix}*", remove_named(context, "/distributionsets")
    yield f"software modules {context.prefix}*", remove_named(context, "/softwaremodules")
    for key, before in context.configured.items():
        yield f"setting {key}", restore(context, key, before)


def remove_targets(context: RunContext) -> AdminCall[None]:
    admin = context.server.admin
    for _ in range(ROUNDS):
        found = yield from admin.targets(f"controllerId=={context.prefix}*")
        ours = [
            target["controllerId"] for target in found if str(target.get("controllerId")).startswith(context.prefix)
        ]
        for controller_id in ours:
            yield from admin.delete_target(controller_id)
        if not ours:
            return


def remove_named(context: RunContext, path: str) -> AdminCall[None]:
    """A server that does not understand the query may list everything: names are compared here too."""
    admin = context.server.admin
    found = yield from admin.search(path, f"name=={context.prefix}*")
    for entity in found:
        if str(entity.get("name")).startswith(context.prefix):
            yield from admin.delete(f"{path}/{entity['id']}")


def restore(context: RunContext, key: str, before: Any) -> AdminCall[None]:
    if before is None:
        yield from context.server.admin.reset_config(key)
    else:
        yield from context.server.admin.configure({key: before})
