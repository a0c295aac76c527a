"""One power cycle of a Hono device: what it knows, what it still has to say, and how it waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fleetrig.simulator.backoff import RETRY_AFTER_LIMIT_S, Delay
from fleetrig.simulator.contract.identity import DeviceIdentity, UserPassword
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Effect, Enter, Outcome, Pause, Remember, pause
from fleetrig.simulator.flows.hono.heard import NOTHING, Heard
from fleetrig.simulator.flows.hono.settings import HonoSettings
from fleetrig.simulator.stages import Stage

OWN: Final = ""
"""In place of a device-id: the device itself."""
CONFLICT: Final = 409
TOO_MANY: Final = 429
NO_HANDSHAKE: Final = "tls"
SOON_S: Final = (0.2, 2.0)
"""After a lost race the winner is done at once; who lost with it comes back at other times."""
MOST_HALVINGS: Final = 5
"""429 doubles the interval, at most so often (D08)."""
EDGE_TRIES: Final = 3
"""So often a gateway is refused for a device behind it; then it leaves that one alone until the next power-on."""
OF_EDGE: Final = frozenset({400, 403, 404, 409})
"""In the answer to a gateway that was let in these speak of the device it acts for (spec 3)."""


class Complaint(StrEnum):
    """Why a device has given up until somebody does something; it remembers it as `fault`."""

    BAD_CREDENTIALS = "bad_credentials"
    """401, CONNACK 4: its certificate or password lets nobody in."""
    NOT_AUTHORIZED = "not_authorized"
    """403, CONNACK 5: tenant, adapter or device is disabled, or a limit is reached."""
    UNKNOWN = "unknown"
    """404: the server knows neither the device nor who issued its certificate."""
    NO_HANDSHAKE = "no_handshake"
    """TLS ended with an alert: its certificate is out of date, or it does not trust the server's (D02, D09)."""
    UNFIT_MESSAGE = "unfit_message"
    """400, 413 and others: what it says is wrong, and will not be right the next time."""


COMPLAINTS: Final = {401: Complaint.BAD_CREDENTIALS, 403: Complaint.NOT_AUTHORIZED, 404: Complaint.UNKNOWN}


@dataclass(slots=True)
class HonoLife:
    """What was remembered survives the power, the rest does not."""

    settings: HonoSettings
    login: UserPassword | None
    device: DeviceIdentity
    is_enrolled: bool
    has_fault: bool
    """A fault is written down."""
    stage: Stage
    interval_s: float
    """Until the next message; a command may change it."""
    failures: int = 0
    """In a row, of any kind: the next wait depends on them."""
    previous_delay_s: float | None = None
    tokens_milli: int = 0
    """Of its retry budget."""
    refusals: int = 0
    conflicts: int = 0
    slowed: int = 0
    messages: int = 0
    """Rounds that are over in this power cycle."""
    pending: list[str] = field(default_factory=list)
    """For whom something is still to be said in this round: what was not accepted is said again (D07, D16)."""
    edge_refusals: Counter[str] = field(default_factory=Counter)

    @property
    def is_done(self) -> bool:
        wanted = self.settings.telemetry_messages
        return wanted is not None and self.messages >= wanted

    @property
    def pace_s(self) -> float:
        """Between two messages, as the server wants it."""
        return self.interval_s * float(2**self.slowed)

    def due(self) -> list[str]:
        """For whom something is to be said: itself first, then the devices behind it."""
        if not self.pending:
            edge = self.settings.edge_devices or ()
            self.pending = [OWN, *(one for one in edge if self.edge_refusals[one] < EDGE_TRIES)]
        return list(self.pending)

    def enter(self, stage: Stage, why: str = "") -> Generator[Effect, Outcome, None]:
        """Asks for a move only when it is one."""
        if stage is not self.stage:
            self.stage = stage
            yield Enter(stage, why)

    def came_through(self) -> Generator[Effect, Outcome, None]:
        """It is let in. The first time that makes it a device that the server knows."""
        self.refusals = self.conflicts = 0
        if not self.is_enrolled:
            self.is_enrolled = True
            yield Remember({"stage": Stage.ENROLLED.value})
            yield from self.enter(Stage.ENROLLED, "it is let in")
        if self.has_fault:
            self.has_fault = False
            yield Remember({"fault": None})
        yield from self.enter(Stage.ONLINE)

    def settle(self, device_id: str, heard: Heard) -> bool:
        """Notes what became of a message. False when the device itself has trouble."""
        is_about_edge = device_id != OWN and heard.status in OF_EDGE
        if not heard.is_good and not is_about_edge:
            return False
        self.pending.remove(device_id)
        if is_about_edge:
            self.edge_refusals[device_id] += 1
        else:
            self.edge_refusals.pop(device_id, None)
            self.failures, self.previous_delay_s = 0, None
            self.tokens_milli = self.settings.backoff.earn(self.tokens_milli)
        if not self.pending:
            self.messages += 1
            self.slowed = max(0, self.slowed - 1)
        return True

    def recover(self, heard: Heard) -> Generator[Effect, Outcome, bool]:
        """Waits as the answer asks for. False when only people can help."""
        if heard.status == CONFLICT and self.conflicts < self.settings.conflict_tries:
            self.conflicts += 1
            yield from self.enter(Stage.BACKING_OFF, heard.why)
            yield from pause(Pause(*SOON_S, "lost race"))
        elif complaint := complaint_of(heard):
            self.refusals += 1
            if self.refusals >= self.settings.refused_tries:
                yield from self.give_up(complaint, heard.why)
                return False
            yield from self.back_off(Stage.REFUSED, heard)
        else:
            if heard.status == TOO_MANY:
                self.slowed = min(MOST_HALVINGS, self.slowed + 1)
            yield from self.back_off(Stage.BACKING_OFF, heard)
        if not self.is_enrolled:
            yield from self.enter(Stage.ENROLLING, "try again")
        return True

    def give_up(self, complaint: Complaint, why: str) -> Generator[Effect, Outcome, None]:
        """Reports; its identity it keeps (D05)."""
        self.has_fault = True
        yield Remember({"fault": complaint.value})
        yield from self.enter(Stage.REFUSED, why)

    def back_off(self, stage: Stage, heard: Heard) -> Generator[Effect, Outcome, None]:
        """Waits longer with every failure in a row, with jitter, and never less than the server asks for (D07)."""
        self.failures += 1
        yield from self.enter(stage, heard.why)
        backoff = self.settings.backoff
        has_token, self.tokens_milli = backoff.spend(self.tokens_milli, self.failures)
        delay = self._delay(None, has_token=has_token)
        if backoff.honours_retry_after and min(heard.retry_after_s or 0.0, RETRY_AFTER_LIMIT_S) > delay.at_least_s:
            delay = self._delay(heard.retry_after_s, has_token=has_token)
        wait = Pause(delay.at_least_s, delay.at_most_s, "backoff", delay.capped_at_s)
        self.previous_delay_s = yield from pause(wait)

    def _delay(self, retry_after_s: float | None, *, has_token: bool) -> Delay:
        return self.settings.backoff.delay(
            self.failures,
            interval_s=self.interval_s,
            previous_s=self.previous_delay_s,
            retry_after_s=retry_after_s,
            has_token=has_token,
        )


def complaint_of(heard: Heard) -> Complaint | None:
    """What of the device itself is refused; None for what passes."""
    if heard.status == NOTHING:
        return Complaint.NO_HANDSHAKE if heard.why == NO_HANDSHAKE else None
    if heard.status in (CONFLICT, TOO_MANY) or not 300 <= heard.status < 500:
        return None
    return COMPLAINTS.get(heard.status, Complaint.UNFIT_MESSAGE)


def switched_on(
    settings: HonoSettings, login: UserPassword | None, device: DeviceIdentity, remembered: Mapping[str, Json]
) -> HonoLife:
    """All it knows is what it remembered."""
    stage = Stage(str(remembered.get("stage", Stage.BLANK)))
    return HonoLife(
        settings,
        login,
        device,
        is_enrolled=stage is not Stage.BLANK,
        has_fault=remembered.get("fault") is not None,
        stage=stage,
        interval_s=settings.telemetry_interval_s,
        tokens_milli=settings.backoff.full_milli,
    )
