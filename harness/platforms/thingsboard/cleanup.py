"""Clean-up after a run: deletes every device and device profile whose name begins with the run's prefix.

What to delete is looked up on the server, not remembered: an interrupted request may have got through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.simulator.drivers.director import AdminCall

ROUNDS: Final = 3
"""A request in progress when its device was switched off may create a device again."""


def steps(admin: ThingsBoardAdmin, prefix: str) -> Iterator[tuple[str, AdminCall[None]]]:
    """Devices come first: a profile that devices have cannot be deleted."""
    assert prefix, "without a prefix everything would be ours"
    yield f"devices {prefix}*", delete_devices(admin, prefix)
    yield f"device profile {prefix}*", delete_profiles(admin, prefix)


def delete_devices(admin: ThingsBoardAdmin, prefix: str) -> AdminCall[None]:
    for _ in range(ROUNDS):
        found = yield from admin.devices()
        ours = [device for device in found if str(device.get("name")).startswith(prefix) or _is_of(device, prefix)]
        for device in ours:
            yield from admin.delete_device(id_of(device))
        if not ours:
            return


def _is_of(device: dict[str, object], prefix: str) -> bool:
    """A device without a name of its own has the run's profile all the same."""
    return str(device.get("type")).startswith(prefix)


def delete_profiles(admin: ThingsBoardAdmin, prefix: str) -> AdminCall[None]:
    for profile in (yield from admin.profiles()):
        if str(profile.get("name")).startswith(prefix):
            yield from admin.delete_profile(id_of(profile))
