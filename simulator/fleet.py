"""A template and a count make a fleet: agents are built when they are first asked for, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleetrig.simulator.agent import Agent, Behaviour
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Flow
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import hawkbit

HawkbitProgram = Callable[[HawkbitSettings, Credential | None, DeviceIdentity, Mapping[str, Json]], Flow]
"""A make of hawkBit device; `hawkbit` is ours, tests hand in others that misbehave."""


@dataclass(frozen=True, slots=True)
class Burnt:
    """A `Behaviour`: a program with its settings and its credential. A third of the memory of a `partial`."""

    program: HawkbitProgram
    settings: HawkbitSettings
    credential: Credential | None

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return self.program(self.settings, self.credential, device, remembered)


def burn(settings: HawkbitSettings, credential: Credential | None, program: HawkbitProgram = hawkbit) -> Behaviour:
    """A program with its settings and its credential, ready for a device."""
    return Burnt(program, settings, credential)


def numbered(template: str, count: int, tenant: str, first: int = 1) -> Iterator[DeviceIdentity]:
    """Identities with serials from a format such as `HB-{n:04d}`.

    Raises ValueError when the format cannot tell them apart.
    """
    if count > 1 and template.format(n=first) == template.format(n=first + 1):
        raise ValueError(f"serial {template!r} gives every device the same name; write for instance 'HB-{{n:04d}}'")
    return (DeviceIdentity(template.format(n=n), tenant) for n in range(first, first + count))


def fleet(
    identities: Iterable[DeviceIdentity],
    settings: HawkbitSettings,
    credential_of: Callable[[DeviceIdentity], Credential | None],
) -> Iterator[Agent]:
    """One agent per identity, all of the same make."""
    for identity in identities:
        yield Agent(identity, burn(settings, credential_of(identity)))
