"""What the array engine has to know of a platform's devices. Each platform says it in `platforms/<name>/cohort.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.retry_rule import retry_rule
from fleetrig.harness.platforms import load
from fleetrig.harness.scenario_file.scenario import Devices, Scenario
from fleetrig.simulator.cohort.model import RetryRule


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A request of a device: what the device calls it, and its one line, for `hits` of faults and capacities."""

    name: str
    line: str
    is_told: bool = False
    """Nobody waits for an answer: it takes its turn, and is no exchange."""
    is_once: bool = False
    """The server does it once: a device that never saw the answer is refused from then on, and never comes online."""


@dataclass(frozen=True, slots=True)
class CohortTraits:
    """How devices of one make behave towards their server."""

    asks: AskedFor
    """What they ask again and again; of connected devices what they come back with."""
    interval_s: tuple[float, float]
    """After an answer they wait so long, drawn evenly; (0, 0) for connected ones."""
    retry: RetryRule
    timeout_s: float
    is_connected: bool = False
    """They log in and stay: only who loses the connection asks again."""
    drops_at_once: bool = False
    """They hold a connection: an outage that ends it is noticed in that moment."""
    waits_to_start: bool = False
    """After power-on they wait as after a loss before they ask for the first time."""
    knows_retry_after: bool = True
    """They do what `retry` says of `Retry-After`; False: something else."""
    handshake: str = ""
    """The line of the handshake that comes before all they ask, such as `HANDSHAKE https`; empty for none."""
    first_contact: tuple[AskedFor, ...] = ()
    """What a device asks one after the other when it is switched on for the first time; then it goes on with `asks`.
    Empty: with that from the beginning."""
    online_after: int = 0
    """It is online when this one of them is answered, the first being 0."""
    comes_back_at: int | None = None
    """With which of them it begins again after its power, or its connection, was gone; None: with `asks`."""
    after_each_login: tuple[AskedFor, ...] = ()
    """What it says after each login, which the array engine does not count."""

    @property
    def all_asked(self) -> tuple[AskedFor, ...]:
        return (*self.first_contact, self.asks)

    @property
    def further_at_first(self) -> int:
        """Requests that follow the first one at once, when a device is switched on for the first time."""
        return max(0, len(self.first_contact) - 1)

    @property
    def further_when_back(self) -> int:
        """The same of a device that has been known."""
        return 0 if self.comes_back_at is None else len(self.first_contact) - self.comes_back_at - 1


def sending_traits(
    devices: Devices,
    asks: AskedFor,
    first: tuple[AskedFor, ...] = (),
    *,
    online_after: int = 0,
    drops_at_once: bool = False,
) -> CohortTraits:
    """Of devices that say something at an interval of their own, and come back with what makes them online.

    Of its own wait and `Retry-After` such a device takes the longer one, which the array engine does not know.
    """
    return CohortTraits(
        asks,
        (devices.interval_s, devices.interval_s),
        retry_rule(devices.backoff.to_backoff(), knows_retry_after=False),
        devices.timeout_s,
        drops_at_once=drops_at_once,
        knows_retry_after=False,
        first_contact=first,
        online_after=online_after,
        comes_back_at=online_after if first else None,
    )


TraitsOf = Callable[[Scenario, Devices], CohortTraits]
"""Raises NotACohort for devices that are more than a rhythm of requests."""


def check_server(scenario: Scenario, is_known: Callable[[str], bool]) -> None:
    """Raises NotACohort for settings and start-up properties of which a platform does not know that devices can be as
    its traits say whatever their values."""
    for name in (*scenario.server.settings.values, *scenario.server.properties):
        if not is_known(name):
            raise NotACohort(f"server: {name} may change what devices are told")


def traits_of(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Of the devices of a block. Raises NotACohort."""
    if devices.external or scenario.boards:
        raise NotACohort("its devices are programs or boards")
    if devices.children:
        raise NotACohort("devices stand behind gateways (`children`)")
    if devices.csv is not None:
        raise NotACohort("its devices are listed one by one (`csv`)")
    if scenario.platform != devices.flow:
        raise NotACohort(f"its devices speak {devices.flow} to a server of {scenario.platform}")
    try:
        of_platform: TraitsOf = load(devices.flow, "cohort:cohort_traits")
    except ModuleNotFoundError:
        raise NotACohort(f"nobody has told the array engine about devices of {devices.flow}") from None
    traits = of_platform(scenario, devices)
    if not traits.is_connected and min(traits.interval_s) <= 0:
        raise NotACohort("its devices ask without a pause (`interval: 0s`)")
    return traits
