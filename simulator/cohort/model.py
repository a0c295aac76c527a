"""What a fleet is for the array engine: whole microseconds, no floats, nothing that depends on the order of events.

One request of a device at `t` (`failures` in a row so far, draw `n`):

1. A disruption answers it, if one covers `t`: refused and seen after the round trip, silent and seen after the client's
   time-out, or turned away with a status and perhaps `Retry-After`.
2. Else the server takes it: first come, first served, `service_us` each. `wait` is how long it would queue.
   `wait > waiting_us`: turned away at once, with `retry_after_us` if there is one. `wait > sheds_after_us`: dropped
   when its turn comes, without work, which counts as late; the client sees its time-out. `wait + service + round trip +
   latency > timeout_us`: the work is done, nobody waits for it any more (late); the client sees its time-out.
   Otherwise it is answered.
3. Answered: `failures` is 0 and the device is online. If it has further work, that is its next request, `round_trip_us`
   later; a polling device asks again after its interval, a connected one when it loses its connection.
   Not answered: it retries by its `RetryRule`.

Draws are `chance.draw(seed, device, n)`, 32 bits; each request uses one, whatever becomes of it.
Facts and formulas: the docstrings of the modules here, and `docs/fleets.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fleetrig.simulator.backoff import Policy

ROUND_TRIP_US: Final = 2_000
"""As in the exact engine (`transports.virtual_http`)."""


MOST_FAILURES: Final = 255
"""Further failures in a row are not counted: no delay grows beyond that, but linear ones with a cap of more than 255
times their base."""
MOST_DEVICES: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Budget:
    """A token bucket of the device: a retry costs one token, an answered request gives a share of one.

    Counted in thousandths. A device without a token waits for its interval, as policy `none` does.
    """

    most_milli: int
    gain_milli: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """After so many failures in a row the device is silent for `open_us` … `open_us + spread_us`, then tries once."""

    after: int
    open_us: int
    spread_us: int


@dataclass(frozen=True, slots=True)
class RetryRule:
    """`simulator.backoff.Backoff` in microseconds."""

    policy: Policy
    base_us: int = 5_000_000
    cap_us: int = 300_000_000
    floor_us: int = 1_000_000
    retry_after_spread_us: int = 5_000_000
    honours_retry_after: bool = True
    first_us: tuple[int, int] | None = None
    """The delay after the first failure is drawn from this range; later ones by the policy."""
    first_step_us: int = 1
    """That delay is rounded down to whole steps of so many, and then floored."""
    budget: Budget | None = None
    breaker: Breaker | None = None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Devices that are alike. The devices of a fleet are numbered through, cohort after cohort."""

    name: str
    count: int
    interval_us: tuple[int, int]
    """A polling device waits so long after an answer, drawn evenly. A connected one knows no interval: (0, 0)."""
    retry: RetryRule
    timeout_us: int = 10_000_000
    is_connected: bool = False
    """It logs in and stays; what takes its connection away it notices at once. Without an interval only that makes it
    ask again."""
    waits_to_start: bool = False
    """At power-on it waits as after a first failure before it asks."""

    @property
    def has_rhythm(self) -> bool:
        """It asks again after an answer."""
        return not self.is_connected or any(self.interval_us)


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A server of finite capacity. All None: never busy."""

    service_us: int | None = None
    waiting_us: int | None = None
    retry_after_us: int | None = None
    """What those are told that are turned away."""
    sheds_after_us: int | None = None


class Unanswered(StrEnum):
    """What a disruption gives to who asks."""

    REFUSED = "refused"
    SILENT = "silent"
    TURNED_AWAY = "turned_away"


@dataclass(frozen=True, slots=True)
class Disruption:
    """From `begin_us` up to `end_us`. `share_milli`: so many of 1,000 requests it affects, drawn."""

    begin_us: int
    end_us: int
    answer: Unanswered | None = Unanswered.REFUSED
    """None: everything is answered, only later by `latency_us`; who is turned away hears that as soon as ever."""
    retry_after_us: int | None = None
    latency_us: int = 0
    share_milli: int = 1000
    drops_connections: bool = False
    """At `begin_us` every connected device notices that its connection is gone: failure number 1, at that moment."""


def in_order(disruptions: Iterable[Disruption]) -> list[Disruption]:
    """Of several that cover a moment the first of these counts: one that answers, else the earliest added."""
    return sorted(disruptions, key=lambda each: each.answer is None)


@dataclass(frozen=True, slots=True)
class FleetModel:
    """A fleet and its server; what happens to them is told to the engine while it runs."""

    cohorts: tuple[Cohort, ...]
    server: ServerModel = field(default_factory=ServerModel)
    seed: int = 1
    round_trip_us: int = ROUND_TRIP_US

    @property
    def count(self) -> int:
        return sum(cohort.count for cohort in self.cohorts)


@dataclass(frozen=True, slots=True)
class Starts:
    """When devices start: a quantile curve of (thousandths of the devices, microseconds), both never falling.

    Device i of n starts where the curve is at (2i + 1)/(2n), interpolated in whole numbers. `((0, 0), (1000, 0))`: all
    at once. `in_equilibrium`: instead, each device is online already, each polling one somewhere in its interval, drawn
    from the residual-life distribution, so that the fleet is steady from the first second. It counts as `came_online`
    then, but no time to online is known of it.
    """

    points: tuple[tuple[int, int], ...] = ((0, 0), (1000, 0))
    in_equilibrium: bool = False
