"""When a gateway connects, and when it tries again: the law of Kura's DataService (spec 4.4 to 4.6).

The first attempt of a cycle follows after max(1, U) whole seconds, U drawn from 0 to D-1 with D = max(1, R // 5). All
further ones follow at the fixed rate R, from start to start; one that takes longer makes the next begin at once.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.life import PREVIOUS, GatewayLife
from fleetrig.simulator.flows.kura.transport import Trouble, sign_in
from fleetrig.simulator.stages import Stage

LEAST_DELAY_S: Final = 1.0
DELAY_SHARE: Final = 5
REBOOT_INTERVALS: Final = 5
"""The watchdog reboots the gateway so many intervals after the last check-in (spec 4.5)."""
RECONNECT: Final = "reconnect"


@dataclass(slots=True)
class ConnectionCycle:
    """From a loss to the next success."""

    life: GatewayLife
    checked_in_s: float
    """When the connection monitor was last heard of by the watchdog: first when the cycle begins."""
    due_s: float | None = None
    """When the next attempt is due; None before the first."""
    failures: int = 0
    counted: int = 0
    """Failures that the connection monitor counts."""

    def wait(self) -> Generator[Effect, Outcome, None]:
        """Until the next attempt is due, or until something else is."""
        life, data = self.life, self.life.data
        if data.reconnect == "full-jitter":
            delay = full_jitter(data.retry_interval_s).delay(self.failures + 1, interval_s=data.retry_interval_s)
            yield from life.rest(delay.at_least_s, delay.at_most_s, RECONNECT)
            yield from life.do_what_is_due()
        elif self.due_s is None:
            yield from self._first_wait()
            yield from life.do_what_is_due()
        else:
            yield from self._wait_until(self.due_s)

    def _wait_until(self, due_s: float) -> Generator[Effect, Outcome, None]:
        """What else is due meanwhile is done, and does not bring the attempt forward."""
        life = self.life
        yield from life.do_what_is_due()
        while not life.is_due(due_s) and not is_called_off(life):
            left_s = min(due_s, life.next_due_s()) - life.now_s
            yield from life.rest(left_s, left_s, RECONNECT)
            yield from life.do_what_is_due()

    def _first_wait(self) -> Generator[Effect, Outcome, None]:
        steps = max(1, self.life.data.retry_interval_s // DELAY_SHARE)
        if steps <= 2 or self.life.has_quirk("no-jitter"):
            yield from self.life.rest(LEAST_DELAY_S, LEAST_DELAY_S, RECONNECT)
            return
        drawn_s = yield from self.life.rest(0.0, float(steps), RECONNECT, whole_s=True)
        if drawn_s < LEAST_DELAY_S:
            yield from self.life.rest(LEAST_DELAY_S, LEAST_DELAY_S, RECONNECT)

    def attempt(self) -> Generator[Effect, Outcome, Trouble | None]:
        life = self.life
        # A fixed rate: what comes late does not move those that follow.
        self.due_s = (life.now_s if self.due_s is None else self.due_s) + life.data.retry_interval_s
        trouble = yield from sign_in(life)
        if trouble is None:
            life.watchdog_at_s = None
            return None
        self.failures += 1
        self._check_in(trouble)
        return trouble

    def _check_in(self, trouble: Trouble) -> None:
        """With the watchdog; a failure that counts too much does not, and five intervals later it reboots."""
        life = self.life
        if not life.data.recovery:
            return
        if not trouble.is_refused:
            self.counted += 1
        if self.counted <= life.data.recovery_max_failures:
            self.checked_in_s, life.watchdog_at_s = life.now_s, None
        elif life.watchdog_at_s is None:
            life.watchdog_at_s = self.checked_in_s + REBOOT_INTERVALS * life.data.retry_interval_s


def full_jitter(interval_s: float) -> Backoff:
    """«Exponential Backoff And Jitter»: each wait is drawn from 0 to the interval, which doubles up to five of it."""
    return Backoff(Policy.FULL_JITTER, base_s=interval_s, cap_s=5 * interval_s, floor_s=0.0)


def wants_something_else(life: GatewayLife) -> bool:
    """Something has come up that is more urgent than the connection."""
    return life.is_to_reboot or life.is_to_provision or life.is_switched_off


def is_called_off(life: GatewayLife) -> bool:
    """This cycle is over: something else is wanted, or its transport was configured anew."""
    return life.reloads or wants_something_else(life)


def connected(life: GatewayLife) -> Generator[Effect, Outcome, Trouble | None]:
    """Tries until it is let in, or until something else is wanted. None when it is connected."""
    life.reloads = False
    cycle = ConnectionCycle(life, life.now_s)
    while True:
        yield from cycle.wait()
        if wants_something_else(life):
            return Trouble("something else is wanted", is_local=True)
        if life.reloads:  # a new configuration has a cycle of its own
            life.reloads, cycle = False, ConnectionCycle(life, life.now_s)
            continue
        trouble = yield from cycle.attempt()
        if trouble is None:
            return None
        if trouble.is_local:
            return trouble
        yield from life.enter(Stage.REFUSED if trouble.is_refused else Stage.BACKING_OFF, trouble.why)
        life.target_failures += 1
        if must_roll_back(life):
            return trouble


def must_roll_back(life: GatewayLife) -> bool:
    """The target of a move has failed too often (spec 3.7)."""
    return PREVIOUS in life.memory and life.target_failures >= life.settings.most_target_failures
