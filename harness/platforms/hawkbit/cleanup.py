"""Clean-up after a run: deletes everything whose name begins with the run's prefix, and restores settings.

What to delete is looked up on the server, not remembered: an interrupted request may have got through. Simulations
restore settings with the same functions but delete their own list of targets; conformance rows have a clean-up of
their own (`conformance/cleanup.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY
from fleetrig.simulator.drivers.director import AdminCall

ROUNDS: Final = 3
"""A poll in progress when its device was switched off may create a target again."""


def steps(
    admin: HawkbitAdmin, prefix: str, configured: Mapping[str, Any], *, with_types: bool = False
) -> Iterator[tuple[str, AdminCall[None]]]:
    """What to remove or restore, in words, and the way to do it.

    Targets come before sets: a set that is in use stays as a shadow. `configured`: key -> what it was, None for the
    server's default. `with_types`: the run has made target types, which an account may not be allowed to look up.
    """
    assert prefix, "without a prefix everything would be ours"
    yield f"rollouts {prefix}*", delete_by_prefix(admin, "/rollouts", prefix)
    yield f"targets {prefix}*", delete_targets(admin, prefix)
    if with_types:
        yield f"target types {prefix}*", delete_by_prefix(admin, "/targettypes", prefix)
    yield f"distribution sets {prefix}*", delete_by_prefix(admin, "/distributionsets", prefix)
    yield f"software modules {prefix}*", delete_by_prefix(admin, "/softwaremodules", prefix)
    for key, before in configured.items():
        yield f"setting {key} (it was {in_words(key, before)})", restore(admin, key, before)


def delete_targets(admin: HawkbitAdmin, prefix: str) -> AdminCall[None]:
    for _ in range(ROUNDS):
        found = yield from admin.targets(f"controllerId=={prefix}*")
        ours = [target["controllerId"] for target in found if str(target.get("controllerId")).startswith(prefix)]
        for controller_id in ours:
            yield from admin.delete_target(controller_id)
        if not ours:
            return


def delete_by_prefix(admin: HawkbitAdmin, path: str, prefix: str) -> AdminCall[None]:
    """A server that does not understand the query may list everything: names are compared here too."""
    found = yield from admin.search(path, f"name=={prefix}*")
    for entity in found:
        if str(entity.get("name")).startswith(prefix):
            yield from admin.delete(f"{path}/{entity['id']}")


def restore(admin: HawkbitAdmin, key: str, before: Any) -> AdminCall[None]:
    """A setting gets back what it was; None for the server's default."""
    if before is None:
        yield from admin.reset_config(key)
    else:
        yield from admin.configure({key: before})


def in_words(key: str, before: Any) -> str:
    """What a setting was, for people to put it back; a key is a secret."""
    if before is None:
        return "the server's default"
    return "another key" if key == GATEWAY_KEY else repr(before)


def value_before(entry: Mapping[str, Any]) -> Any:
    """What `restore` wants of a key as the configuration shows it."""
    return None if entry.get("global", True) else entry.get("value")
