"""What every driver offers to the director of a run: time, power switches, and `run`, which carries out directions.

A director is a generator, like a flow, so that a run is directed by the same code in virtual and in real time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import NamedTuple, Protocol, TypeVar

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Ask, Outcome, Pause

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Until(NamedTuple):
    """Go on as soon as `met()` is true, at the latest after `within_s`. Answered by whether it was met."""

    met: Callable[[], bool]
    within_s: float


class RealWork(NamedTuple):
    """Something on real things, such as a board's console, that takes as long as it takes. Answered by True.

    There is none in virtual time: who directs it makes sure that the run is in real time before it begins.
    """

    work: Callable[[], Awaitable[object]]


Direction = Ask | Pause | Until | RealWork
Director = Generator[Direction, Outcome | bool, T_co]
AdminCall = Generator[Ask, Outcome, T_co]
"""A director that only asks: an admin call."""


class Driver(Protocol):
    """A driver as a director sees it."""

    trace: Trace

    def now_us(self) -> int: ...

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """Switches a device on, now or later. A trigger that cuts its power switches it on again after `trigger.off_s`.

        Does nothing for a device that is on, or waits to be switched on.
        """

    def power_cut(self, agent: Agent) -> None:
        """Switches it off at once, or keeps it from being switched on."""


class LoadDriver(Driver, Protocol):
    """A driver that waits without asyncio: of a load run."""

    def run(self, director: Director[T] | AdminCall[T]) -> T:
        """Carries out a director's directions."""

    def forget(self, agent: Agent) -> None:
        """A factory reset of a device that is off."""

    def close(self) -> None:
        """Switches every device off. The server can still be asked."""
