"""What a hawkBit device is made of: how its make behaves, and what one power cycle knows of its server."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from fleetrig.simulator.backoff import RETRY_AFTER_LIMIT_S, Backoff, Delay, parse_retry_after
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import Headers, HttpRequest, find_header, split_url
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import (
    Apply,
    Download,
    Downloaded,
    Effect,
    Enter,
    HttpReply,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    ask,
    download,
    pause,
)
from fleetrig.simulator.flows.hawkbit.confirmation_policy import CONFIRMS_AT_ONCE, ConfirmationPolicy, Consent
from fleetrig.simulator.stages import Stage

DEFAULT_INTERVAL_S: Final = 300.0
NOT_MODIFIED: Final = 304
LEAST_INTERVAL_S: Final = 1.0
"""A device never spins, whatever the server names (V12)."""
LONGEST_INTERVAL_S: Final = 7 * 86_400.0
"""Far above the day that servers allow by default; longer, and it would be silent for good (V11)."""


@dataclass(frozen=True, slots=True)
class HawkbitSettings:
    """How a device of this make behaves; shared by a whole fleet. Raises UsageError for what no device could do."""

    server_url: str
    """`http://127.0.0.1:8080`, with a path where a proxy demands one."""
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    attributes_mode: str | None = "merge"
    backoff: Backoff = field(default_factory=Backoff)
    timeout_s: float = 10.0
    default_interval_s: float = DEFAULT_INTERVAL_S
    """Used until a server has named one; what is below a second counts as one."""
    poll_jitter: float = 0.0
    """Each pause is drawn from interval … interval·(1 + jitter): never faster than the server asks."""
    install_s: float = 5.0
    install_slice_s: float = 1.0
    install_fails: bool = False
    install_stops: bool = True
    """A cancel stops an installation that is under way; else it is rejected, and the installation goes on (V22)."""
    confirmation: ConfirmationPolicy = CONFIRMS_AT_ONCE
    """What it says when it is asked before an update."""

    def __post_init__(self) -> None:
        try:
            split_url(self.server_url)
        except ValueError as error:
            raise UsageError(f"server URL: {error}") from None
        for name in ("timeout_s", "install_slice_s"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be more than 0 s, got {getattr(self, name):g}")


class Progress(StrEnum):
    """How far an action has come, as the device remembers it. What is done is written down, so it is not done again."""

    BEGUN = "begun"  # the server has heard `proceeding`
    FETCHED = "fetched"  # every file is here and right
    ANNOUNCED = "announced"  # the server has heard `downloaded`
    SUCCESS = "success"  # installed; `closed` is repeated until the server has heard it
    FAILURE = "failure"  # not installed, and it will not be; likewise
    OVER = "over"  # the server wants to hear no more of it (410)


class Word(NamedTuple):
    """What the device has made up its mind to say of an action, and whether the server knows (§2.7)."""

    action_id: str
    consent: Consent
    heard: bool


@dataclass(slots=True)
class Contact:
    """One power cycle of a device: what it knows of its server, and the exchanges it can have with it."""

    settings: HawkbitSettings
    credential: Credential | None
    device: DeviceIdentity
    enrolled: bool
    stage: Stage
    interval_s: float
    action_id: str
    reached: Progress | None
    reason: str
    """Why the action failed."""
    word: Word | None = None
    auto_confirm_settled: bool = False
    """True when the server confirms by itself, or not, as the device wants it."""
    failed_rounds: int = 0
    """How often in a row the files of `rounds_of` could not be had, with all tries."""
    rounds_of: str = ""
    failures: int = 0
    previous_delay_s: float | None = None
    tokens_milli: int = 0
    """Of its retry budget."""
    since_poll_s: float = 0.0
    leave_alone_s: float = 0.0
    """How much longer a busy server wants to hear nothing, whatever it is about (`Retry-After`, V07)."""

    def one_more_round_failed(self, action_id: str) -> int:
        """Counts a round of downloads that came to nothing; gives how many in a row for this action."""
        self.failed_rounds = self.failed_rounds + 1 if self.rounds_of == action_id else 1
        self.rounds_of = action_id
        return self.failed_rounds

    def progress(self, action_id: str) -> Progress | None:
        """None for an action that this device has not worked on."""
        return self.reached if self.action_id == action_id else None

    def keep_interval(self, named_s: float | None) -> None:
        """Takes the interval that a poll document names; the last good one stays when that is nonsense (V11)."""
        if named_s is not None:
            self.interval_s = min(max(LEAST_INTERVAL_S, named_s), LONGEST_INTERVAL_S)

    def until_next_poll(self) -> Pause:
        """As long as the server asks, a little longer with jitter, and as long as a busy server asked for."""
        least_s, most_s = self.interval_s, self.interval_s * (1 + self.settings.poll_jitter)
        if self.leave_alone_s:
            asked = self._as_asked()
            least_s, most_s = max(least_s, asked.at_least_s), max(most_s, asked.at_most_s)
            self.leave_alone_s = 0.0
        return poll_interval(least_s, most_s)

    def poll_is_due(self) -> bool:
        """True when it would poll if it had nothing else to do."""
        return self.since_poll_s >= self.interval_s and not self.leave_alone_s

    def backoff(self, failures: int) -> Delay:
        """The wait before a retry, after so many failures in a row; it costs a token."""
        has_token, self.tokens_milli = self.settings.backoff.spend(self.tokens_milli, failures)
        return self.settings.backoff.delay(
            failures,
            interval_s=self.interval_s,
            interval_jitter=self.settings.poll_jitter,
            previous_s=self.previous_delay_s,
            retry_after_s=self.leave_alone_s or None,
            has_token=has_token,
        )

    def enter(self, stage: Stage, why: str = "") -> Generator[Effect, Outcome, None]:
        """Asks for a move only when it is one: a steady poller has nothing to tell."""
        if stage is not self.stage:
            self.stage = stage
            yield Enter(stage, why)

    def reach(self, action_id: str, progress: Progress, reason: str = "") -> Generator[Effect, Outcome, None]:
        """Writes down how far an action has come."""
        self.action_id, self.reached, self.reason = action_id, progress, reason
        yield Remember({"action": action_id, "progress": progress.value, "reason": reason or None})

    def keep_word(self, word: Word) -> Generator[Effect, Outcome, None]:
        """Writes down what the device says, or has said, of an action."""
        self.word = word
        yield Remember({"confirmation": [word.action_id, word.consent.value, word.heard]})

    def ask(self, name: str, request: HttpRequest) -> Generator[Effect, Outcome, HttpReply | NoReply]:
        if self.leave_alone_s:
            yield from self._leave_alone()
        answer = yield from ask(name, request, self.settings.timeout_s)
        self._passed(answer.after_s)
        if isinstance(answer, Reply):
            self._heed(answer.envelope.status, answer.envelope.headers)
        return answer

    def poll(self, request: HttpRequest) -> Generator[Effect, Outcome, HttpReply | NoReply]:
        answer = yield from self.ask("poll", request)
        self.since_poll_s = answer.after_s
        return answer

    def download(
        self, request: HttpRequest, file: str, from_byte: int, size_bytes: int | None
    ) -> Generator[Effect, Outcome, Downloaded | NoReply]:
        yield from self._leave_alone()
        got = yield from download(
            Download("download", request, file, from_byte, self.settings.timeout_s, at_most_bytes=size_bytes)
        )
        self._passed(got.after_s)
        if isinstance(got, Downloaded):
            self._heed(got.status, got.headers)
        return got

    def wait(self, delay: Delay, why: str) -> Generator[Effect, Outcome, float]:
        """Waits for a `backoff`, which counts in what a busy server asked for."""
        waited_s = yield from pause(Pause(delay.at_least_s, delay.at_most_s, why, delay.capped_at_s))
        self._passed(waited_s)
        self.leave_alone_s = 0.0
        return waited_s

    def think(self, seconds: float, why: str) -> Generator[Effect, Outcome, None]:
        """Lets time pass; what a busy server asked for still holds."""
        self._passed((yield from pause(Pause(seconds, seconds, why))))

    def work(self, image: str, slice_s: float) -> Generator[Effect, Outcome, None]:
        """A slice of an installation."""
        yield Apply(image, slice_s)
        self._passed(slice_s)

    def _leave_alone(self) -> Generator[Effect, Outcome, None]:
        if self.leave_alone_s:
            yield from self.wait(self._as_asked(), "asked to wait")

    def _as_asked(self) -> Delay:
        """As long as a busy server asked for."""
        asked = self.settings.backoff.asked(self.leave_alone_s)
        assert asked is not None, "a device that does not listen leaves nobody alone"
        return asked

    def _passed(self, seconds: float) -> None:
        self.since_poll_s += seconds
        self.leave_alone_s = max(0.0, self.leave_alone_s - seconds)

    def _heed(self, status: int, headers: Headers) -> None:
        if 200 <= status < 300 or status == NOT_MODIFIED:
            self.tokens_milli = self.settings.backoff.earn(self.tokens_milli)
        if status >= 300 and self.settings.backoff.honours_retry_after:
            asked_s = parse_retry_after(find_header(headers, "Retry-After"), find_header(headers, "Date"))
            self.leave_alone_s = min(asked_s or 0.0, RETRY_AFTER_LIMIT_S)


def switched_on(
    settings: HawkbitSettings, credential: Credential | None, device: DeviceIdentity, remembered: Mapping[str, Json]
) -> Contact:
    """A device that has just started: all it knows is what it remembered."""
    progress = remembered.get("progress")
    return Contact(
        settings,
        credential,
        device,
        enrolled=remembered.get("stage") is not None,
        stage=Stage(str(remembered.get("stage", Stage.BLANK))),
        interval_s=min(max(LEAST_INTERVAL_S, settings.default_interval_s), LONGEST_INTERVAL_S),
        action_id=str(remembered.get("action", "")),
        reached=None if progress is None else Progress(str(progress)),
        reason=str(remembered.get("reason", "")),
        word=_word(remembered.get("confirmation")),
        tokens_milli=settings.backoff.full_milli,
    )


def _word(remembered: Json) -> Word | None:
    match remembered:
        case [str(action_id), str(consent), bool(heard)]:
            return Word(action_id, Consent(consent), heard)
        case _:
            return None


@lru_cache(maxsize=1_024)
def poll_interval(least_s: float, most_s: float) -> Pause:
    """One for all devices that sleep as long."""
    return Pause(least_s, most_s, "poll interval")


def why_of(answer: HttpReply | NoReply) -> str:
    """A failed answer in a few words, for traces and feedback."""
    if isinstance(answer, NoReply):
        return answer.why
    status = answer.envelope.status
    return f"HTTP {status}, but no document" if 200 <= status < 300 else f"HTTP {status}"
