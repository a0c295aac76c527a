"""What a platform hands on to the applications behind it, and what keeps it from getting there.

There is no broker: messages stay with the platform, and who tests reads them over the control interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platform import ServerPlatform
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.json_types import Json


@dataclass(frozen=True, slots=True)
class NorthboundMessage:
    """A message as an application gets it. `number`: higher ones are later; those for a webhook may have their own."""

    number: int
    at_us: int
    tenant: str
    topic: str
    key: str
    properties: Mapping[str, Json]
    payload: bytes


@dataclass(frozen=True, slots=True)
class NorthboundCommand:
    """What an application asks of a device."""

    tenant: str
    device: str
    name: str
    payload: bytes = b""
    content_type: str = ""
    is_one_way: bool = False
    """The application waits for no response."""


class CommandRefused(Exception):
    """Nobody can be told of the command; the text says why."""


class Outlet(Protocol):
    """Asked before a message is handed on."""

    def takes(self, line: str, now_us: int) -> bool:
        """False while applications cannot be reached. `line`: `EVENT <topic>`, as faults speak of it."""


class OpenOutlet:
    """One without faults."""

    def takes(self, line: str, now_us: int) -> bool:
        return True


@runtime_checkable
class NorthboundPlatform(ServerPlatform, Protocol):
    """A platform that hands messages on. `server.py` sets its outlet."""

    outlet: Outlet
    webhook: str
    """The URL of an external system on this machine that is told of some messages (`webhook.py`); empty: of none."""

    def for_webhook(self, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        """What the external system is told of: the first so many with numbers above `after`."""

    def northbound(self, tenant: str, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        """The messages of a tenant, or of all for an empty name, with numbers above `after`: the first so many."""

    def send_command(self, command: NorthboundCommand, now_us: int) -> str:
        """The correlation id of its response; empty for a command without one. Raises CommandRefused."""


class Held(NamedTuple):
    """A message that a fault has kept back."""

    line: str
    fault: Fault


class FaultyOutlet:
    """An outlet as the faults of a run leave it."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._held: list[Held] = []

    def takes(self, line: str, now_us: int) -> bool:
        if self._plan.is_idle:
            return True
        fault = self._plan.trigger(lambda fault: fault.kind is FaultKind.NORTHBOUND_DOWN, (line,), now_us)
        if fault is not None:
            self._held.append(Held(line, fault))
        return fault is None

    @property
    def has_held(self) -> bool:
        return bool(self._held)

    def take_held(self) -> list[Held]:
        """What was kept back since the last call."""
        held, self._held = self._held, []
        return held


def gives_up_after_us(held: Sequence[Held]) -> int:
    """How long whoever sends waits for one who does not answer, before it says so to the device."""
    return max((to_us(one.fault.number("delay_s") or 0.0) for one in held), default=0)
