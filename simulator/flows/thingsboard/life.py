"""One power cycle of a ThingsBoard device: what it knows, and how it waits."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Effect, Enter, Outcome, Pause, Remember, pause
from fleetrig.simulator.flows.thingsboard.credentials import (
    Credentials,
    OwnCertificate,
    ProvisionKey,
    from_memory,
    to_memory,
)
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from fleetrig.simulator.stages import Stage


class Fault(StrEnum):
    """Why a device has given up until somebody does something; it remembers it as `fault`."""

    NOT_FOUND = "not_found"
    """Key or secret is wrong, or provisioning is switched off: the three look alike."""
    FAILURE = "failure"
    """The name is taken or not on the list, or the credentials are unfit."""
    LOST_ANSWER = "lost_answer"
    """The server seems to have provisioned it, and the answer did not come (D15): only an operator can help."""
    CREDENTIALS_LOST = "credentials_lost"
    """It was provisioned once and has lost what it was given, which the server does not say a second time."""
    CREDENTIALS_REFUSED = "credentials_refused"
    """What it was given is not accepted, and asking anew is used up (D21)."""
    CREDENTIALS_UNFIT = "credentials_unfit"
    """What it was given cannot be used where it sends its telemetry."""


UNFIT: Final = "credentials of a kind that cannot be used where it sends its telemetry"


@dataclass(slots=True)
class Life:
    """What was remembered survives the power, the rest does not."""

    settings: ThingsBoardSettings
    key: ProvisionKey | None
    own: Credentials | None
    device: DeviceIdentity
    credentials: Credentials | None
    has_asked: bool
    """A request went out, and what became of it is not known."""
    has_fault: bool
    """A fault is written down."""
    has_lost: bool
    """It knows that it was provisioned, and has no credentials any more."""
    stage: Stage
    failures: int = 0
    """In a row, of any kind: the next wait depends on them."""
    previous_delay_s: float | None = None
    tokens_milli: int = 0
    """Of its retry budget."""
    refused_logins: int = 0
    provisions_left: int = 0
    messages: int = 0
    """Telemetry that was accepted in this power cycle."""

    @property
    def is_done(self) -> bool:
        wanted = self.settings.telemetry_messages
        return wanted is not None and self.messages >= wanted

    def enter(self, stage: Stage, why: str = "") -> Generator[Effect, Outcome, None]:
        """Asks for a move only when it is one."""
        if stage is not self.stage:
            self.stage = stage
            yield Enter(stage, why)

    def keep(self, credentials: Credentials) -> Generator[Effect, Outcome, None]:
        """Writes down what it was given, before the server can notice that it has it."""
        self.credentials, self.has_asked, self.has_fault, self.has_lost = credentials, False, False, False
        yield Remember(
            {"stage": Stage.ENROLLED.value, "credentials": to_memory(credentials), "asked": None, "fault": None}
        )

    def note_asked(self, *, asked: bool) -> Generator[Effect, Outcome, None]:
        if asked is not self.has_asked:
            self.has_asked = asked
            yield Remember({"asked": asked or None})

    def give_up(self, fault: Fault, why: str) -> Generator[Effect, Outcome, None]:
        self.has_fault = True
        yield Remember({"fault": fault.value})
        yield from self.enter(Stage.REFUSED, why)

    def back_off(self, stage: Stage, why: str) -> Generator[Effect, Outcome, None]:
        """Waits longer with every failure in a row, with jitter (D14, D16, D17, D26)."""
        self.failures += 1
        yield from self.enter(stage, why)
        backoff = self.settings.backoff
        has_token, self.tokens_milli = backoff.spend(self.tokens_milli, self.failures)
        delay = backoff.delay(
            self.failures,
            interval_s=self.settings.telemetry_interval_s,
            previous_s=self.previous_delay_s,
            has_token=has_token,
        )
        wait = Pause(delay.at_least_s, delay.at_most_s, "backoff", delay.capped_at_s)
        self.previous_delay_s = yield from pause(wait)

    def came_through(self) -> Generator[Effect, Outcome, None]:
        """What it has is accepted; with a certificate chain that is how it learns that it is provisioned."""
        self.refused_logins, self.provisions_left = 0, self.settings.provisions_anew
        if self.credentials is None:
            yield from self.keep(OwnCertificate())
            yield from self.enter(Stage.ENROLLED, "its certificate is accepted")
        if self.has_fault or self.has_asked:
            self.has_fault = self.has_asked = False
            yield Remember({"asked": None, "fault": None})
        yield from self.enter(Stage.ONLINE)

    def accepted(self) -> None:
        """The server has taken all that it had to say."""
        self.messages += 1
        self.failures, self.previous_delay_s = 0, None
        self.tokens_milli = self.settings.backoff.earn(self.tokens_milli)


def switched_on(
    settings: ThingsBoardSettings,
    key: ProvisionKey | None,
    own: Credentials | None,
    device: DeviceIdentity,
    remembered: Mapping[str, Json],
) -> Life:
    """All it knows is what it remembered."""
    credentials = from_memory(remembered.get("credentials"))
    stage = Stage(str(remembered.get("stage", Stage.BLANK)))
    return Life(
        settings,
        key,
        own,
        device,
        credentials,
        has_asked=bool(remembered.get("asked")),
        has_fault=remembered.get("fault") is not None,
        has_lost=credentials is None and stage is not Stage.BLANK,
        stage=stage,
        provisions_left=settings.provisions_anew,
        tokens_milli=settings.backoff.full_milli,
    )
