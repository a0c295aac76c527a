"""A template and a count make a fleet: identities are made when they are first asked for, one after another."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.simulator.contract.identity import DeviceIdentity


def numbered(template: str, count: int, tenant: str, first: int = 1) -> Iterator[DeviceIdentity]:
    """Identities with serials from a format such as `HB-{n:04d}`.

    Raises ValueError when the format cannot tell them apart.
    """
    if count > 1 and template.format(n=first) == template.format(n=first + 1):
        raise ValueError(f"serial {template!r} gives every device the same name; write for instance 'HB-{{n:04d}}'")
    return (DeviceIdentity(template.format(n=n), tenant) for n in range(first, first + count))
