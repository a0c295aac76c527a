"""A template and a count make a fleet: agents are built when they are first asked for, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from simulator.agent import Agent
from simulator.contract.identity import Credential, DeviceIdentity
from simulator.flows.hawkbit import hawkbit
from simulator.flows.hawkbit_device import HawkbitSettings


@dataclass(frozen=True, slots=True)
class Unit:
    """One device as it leaves the line: who it is and the credential burnt into it."""

    identity: DeviceIdentity
    credential: Credential | None


def numbered_units(
    template: str, count: int, tenant: str, credential_of: Callable[[str], Credential | None], first: int = 1
) -> Iterator[Unit]:
    """Units with serials from a format such as `HB-{n:04d}`.

    Raises ValueError when the format cannot tell them apart.
    """
    if count > 1 and template.format(n=first) == template.format(n=first + 1):
        raise ValueError(f"serial {template!r} gives every device the same name; write for instance 'HB-{{n:04d}}'")
    for n in range(first, first + count):
        serial = template.format(n=n)
        yield Unit(DeviceIdentity(serial, tenant), credential_of(serial))


def hawkbit_fleet(units: Iterable[Unit], settings: HawkbitSettings) -> Iterator[Agent]:
    """One agent per unit, all of the same make."""
    for unit in units:
        yield Agent(unit.identity, partial(hawkbit, settings, unit.credential))
