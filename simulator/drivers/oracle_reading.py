"""One reading of what a device is doing: its flow, replayed with the outcomes that it must have had.

A flow is a pure function of identity, memory and outcomes, so a reading is (memory at power-on, outcomes so far): where
two outcomes are possible it is read again from these, once for each. Nothing is performed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttPublishAck
from fleetrig.simulator.drivers.oracle_outcomes import ToldDevice, without_answer
from fleetrig.simulator.drivers.oracle_rules import NextMessage, envelope_of
from fleetrig.simulator.effects import (
    Apply,
    Await,
    ClockReading,
    Done,
    DrawnToken,
    DrawToken,
    Effect,
    Enter,
    Flow,
    NoReply,
    Outcome,
    Pause,
    ReadClock,
    Remember,
    Reply,
    TimedEffect,
)
from fleetrig.simulator.stages import Stage
from fleetrig.simulator.transports.inbox import INBOX_LIMIT

KEPT: Final = (MqttPublish, MqttPublishAck)
"""What a device may leave unread; other answers are of no use once they were not waited for."""

Program = Callable[[Mapping[str, Json]], Flow]
"""What a device runs at power-on, from what it remembers."""

DONE: Final = Done()
LATEST: Final = 12
"""Outcomes by which two readings are told apart: flows count failures in a row."""
BACKOFF: Final = "backoff"
"""What all flows call the pause after a failure."""
ABOUT_S: Final = 1.0
"""How much longer than its model a device may wait for a message, so that it still hears it."""
WAITS: Final = frozenset({Stage.BACKING_OFF, Stage.REFUSED})


class FlowReading:
    """Where the device stands. `effect` is what the model does now; `matched` says that the server has seen it."""

    __slots__ = ("_began_us", "_clock_us", "_flow", "_left", "_program", "_start", "_then", "_unread", "asked",
                 "effect", "least_s", "log", "looks_early", "matched", "memory", "most_s", "name", "used_s",
                 "waits")  # fmt: skip

    def __init__(self, program: Program, start: Mapping[str, Json]) -> None:
        self._program, self._start = program, start
        self._flow = program(start)
        self.memory = dict(start)
        self.log: list[Outcome] = []
        self.matched = False
        self._clock_us = self._began_us = 0
        self._then: NextMessage | None = None
        self._unread: tuple[ToldDevice, ...] = ()
        """What came before its last message, and what no wait of it has taken: it lies in its inbox."""
        self._left: tuple[ToldDevice, ...] = ()
        self.asked: Effect | None = None
        """The request that was matched last: its answer is none of what lies in the inbox."""
        self.name = ""
        """Of the exchange that was matched."""
        self.looks_early = False
        """It looks at its clock when it has waited as long as it knows of, not just before it says what it says."""
        self.waits = False
        """It has been told of a failure and waits before it tries again, since something was left out."""
        self.restart_clock()
        self.effect: Effect | None = next(self._flow, None)

    def restart_clock(self, now_us: int | None = None) -> None:
        """From now on: the range in which the next message is permitted, and the time that pauses have used up."""
        self.least_s, self.most_s, self.used_s = 0.0, 0.0, 0.0
        if now_us is not None:
            self._began_us = now_us

    @property
    def key(self) -> str:
        """What two readings of the same state have in common, as far as it can be told."""
        latest = [(type(outcome).__name__, getattr(outcome, "why", "")) for outcome in self.log[-LATEST:]]
        return json.dumps([self.memory, self.name, repr(self.effect), latest], sort_keys=True, default=str)

    def rewound(self, length: int) -> FlowReading:
        """The same reading after its first `length` outcomes, its clock at zero."""
        other = FlowReading(self._program, self._start)
        for outcome in self.log[:length]:
            other.take(outcome)
        other.restart_clock()
        other.name, other._clock_us, other._began_us = self.name, self._clock_us, self._began_us
        other._unread, other.asked = self._unread, self.asked
        other.looks_early = self.looks_early
        return other

    def copy(self) -> FlowReading:
        """One that goes on apart from this."""
        other = self.rewound(len(self.log))
        other.least_s, other.most_s, other.used_s = self.least_s, self.most_s, self.used_s
        other.matched, other.waits = self.matched, self.waits
        return other

    def take(self, outcome: Outcome) -> None:
        """Goes on with the outcome of the present effect."""
        if isinstance(self.effect, Remember):
            merged = {**self.memory, **self.effect.what}
            self.memory = {key: value for key, value in merged.items() if value is not None}
        self.log.append(outcome)
        self.matched = False
        try:
            self.effect = self._flow.send(outcome)
        except StopIteration:
            self.effect = None

    def walk(
        self, elapsed_s: float, inbox: Sequence[ToldDevice], *, is_closed: bool, then: NextMessage | None = None
    ) -> None:
        """Goes on to the next effect that the server can see, or to the end of the flow."""
        for _ in self.steps(elapsed_s, inbox, is_closed=is_closed, then=then):
            pass

    def steps(
        self, elapsed_s: float, inbox: Sequence[ToldDevice], *, is_closed: bool, then: NextMessage | None = None
    ) -> Iterator[Effect]:
        """The same, and what was passed. `elapsed_s`: how long the device has been silent, so that pauses fit in.

        `then`: what it said after that, if it said anything.
        """
        left = [*self._unread, *without_answer(self.asked, inbox)]
        self._then = then
        while self.effect is not None and envelope_of(self.effect) is None:
            passed = self.effect
            self.take(self._silent(passed, elapsed_s, left, is_closed=is_closed))
            yield passed
        self._left = tuple(one for one in left if isinstance(one.envelope, KEPT) and not one.why)

    def match(self, event_name: str) -> None:
        """The message that comes next is the one that came; what it has not read, it may read later."""
        self.matched, self.name, self.waits = True, event_name, False
        self.asked, self._unread = self.effect, self._left[-INBOX_LIMIT:]

    def _silent(self, effect: Effect, elapsed_s: float, inbox: list[ToldDevice], *, is_closed: bool) -> Outcome:
        match effect:
            case Pause(least_s, most_s, why, capped_at_s):
                self.waits = self.waits or why == BACKOFF
                return Done(self._pause(least_s, min(most_s, capped_at_s), elapsed_s))
            case Apply(_, slice_s):
                self.most_s = math.inf  # an installation takes as long as it takes
                return Done(slice_s)
            case Await():
                return self._awaited(effect, elapsed_s, inbox, is_closed=is_closed)
            case ReadClock():
                if self.looks_early:
                    self._clock_us = self._began_us + to_us(self.used_s)
                elif self._then is not None:
                    self._clock_us = self._then.event.at_us
                return ClockReading(self._clock_us)
            case DrawToken():
                return DrawnToken("" if self._then is None else self._then.token(effect))
            case Enter(stage) if stage in WAITS:
                self.waits = True
                return DONE
            case _:
                return DONE

    def _pause(self, least_s: float, most_s: float, elapsed_s: float) -> float:
        """As much of the silence as fits into the range."""
        least_s = min(least_s, most_s)
        self.least_s += least_s
        self.most_s += most_s
        seconds = min(max(elapsed_s - self.used_s, least_s), most_s)
        self.used_s += seconds
        return seconds

    def _awaited(self, effect: Await, elapsed_s: float, inbox: list[ToldDevice], *, is_closed: bool) -> Outcome:
        most_s = min(effect.at_most_s, effect.capped_at_s)
        for answer in sorted(inbox, key=lambda one: one.at_us):
            envelope = answer.envelope
            took_s = max(0.0, to_s(answer.at_us - self._began_us) - self.used_s)
            if envelope is None or answer.why or took_s > most_s + ABOUT_S:
                continue
            if any(fnmatchcase(envelope.line, pattern) for pattern in effect.patterns):
                inbox.remove(answer)
                took_s = min(took_s, most_s)
                self.used_s += took_s
                self.least_s += took_s
                self.most_s += took_s
                return Reply(envelope, took_s)
        if is_closed:
            self.most_s += min(effect.at_most_s, effect.capped_at_s)
            return NoReply("closed", 0.0)
        return NoReply("timeout", self._pause(effect.at_least_s, min(effect.at_most_s, effect.capped_at_s), elapsed_s))

    def within_s(self) -> float:
        """How long the device would wait for an answer to the present effect."""
        return float(getattr(self.effect, "within_s", 0.0))

    @property
    def timed(self) -> TimedEffect:
        assert self.effect is not None
        assert not isinstance(self.effect, Remember | Enter | ReadClock | DrawToken)
        return self.effect
