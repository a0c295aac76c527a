"""The server that a scenario meets: its address, an operator's account on it, and what it can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.platforms.hawkbit.admin import Call, HawkbitAdmin
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.faults import Fault

REFERENCE_CAN: Final = frozenset(
    {"hawkbit", "hawkbit.admin", "hawkbit.fast_polling", "http", "reference", "reference.faults", "reference.reasons"}
)
CONTROL_CAN: Final = frozenset({"reference.faults", "reference.reasons"})
"""Of a reference server that runs elsewhere, when its control interface is known."""


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """`add_fault` gives the fault's id; it is None where faults cannot be switched from outside."""

    url: str
    admin: HawkbitAdmin
    can: frozenset[str]
    name: str
    profile: str
    is_own: bool
    add_fault: Callable[[Fault], Call[int]] | None = None
    control: ControlInterface | None = None
    """Of a reference server that is reached over sockets."""

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """The capability words that a scenario needs and this server has not."""
        return [word for word in needs if word not in self.can]
