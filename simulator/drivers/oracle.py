"""The driver that performs nothing: it compares what a server saw of a device with what the device's flow permits.

    oracle.power_on(program, at_us)
    oracle.sent(event)          what the device said
    oracle.answered(answer)     what it was told
    oracle.until(now_us)        nothing more has come until now

The server cannot see everything: whether an answer came through, when, whether a request got lost on its way. So the
oracle keeps all readings of what it saw (`oracle_reading`), and a message must fit at least one of them. When it fits
none, that is the first divergence: the finding, after which this device is followed no more.

What a reading allows beyond its flow:
1. A lost answer, or a request that went nowhere, only where a fault or the end of a connection was seen.
2. A restart from what it remembered, at a power-on, or where its connection ended.
3. An answer that took the device all the time until its next message: the server cannot tell.
4. What the platform calls harmless (`Leniency`), unless `strict`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublishAck
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.drivers.oracle_outcomes import ToldDevice, answer_to, later, outcomes_of, said_elsewhere
from fleetrig.simulator.drivers.oracle_reading import FlowReading, Program
from fleetrig.simulator.drivers.oracle_rules import (
    SLACK,
    Leniency,
    NextMessage,
    Slack,
    Tolerance,
    all_fields,
    difference,
    envelope_of,
    fits_any,
)
from fleetrig.simulator.effects import Done, Downloaded, NoReply, Outcome, Reply, TimedEffect

EVENTS_BEFORE: Final = 5
MOST_READINGS: Final = 8
MOST_LOST: Final = 40
"""Requests in a row that went nowhere: far more than fit between two messages with any backoff."""
MOST_TRIED: Final = 100
"""Readings that are tried for one message."""
BLANK: Final[Mapping[str, Json]] = {}


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first message that the model does not permit. `at` is None when the device fell silent instead."""

    permitted: tuple[str, ...]
    """All that the model permits at this point, each with why what came was not it."""
    came: str
    at: TraceEvent | None
    before: tuple[TraceEvent, ...]
    """The latest events of this device, the oldest first."""
    clause: str = ""


class Oracle:
    """Follows one device."""

    def __init__(self, leniency: Leniency, tolerance: Tolerance = Tolerance.TOLERANT) -> None:
        self.divergence: Divergence | None = None
        self.followed = 0
        """Messages that the model permits, so far."""
        self._leniency = leniency.strict if tolerance is Tolerance.STRICT else leniency
        self._tolerance = tolerance
        self._slack: Slack | None = SLACK.get(tolerance)
        self._readings: list[FlowReading] = []
        self._program: Program | None = None
        self._is_on = False
        self._last_us = 0
        self._answers: list[ToldDevice] = []
        self._is_distorted = self._is_lossy = self._is_closed = self._is_doubtful = False
        self._repeated = 0
        self._before: deque[TraceEvent] = deque(maxlen=EVENTS_BEFORE)
        self._permitted: dict[str, str] = {}
        """What was permitted -> its clause, for the message that is being looked at."""
        self._tried = 0
        self._is_near = False
        """A message of that name was permitted, but not this one."""
        self._states: set[tuple[str, float]] = set()
        """From which requests were already taken to be lost, of the message that is being looked at."""

    # What is seen

    def note(self, event: TraceEvent) -> None:
        """Keeps an event as evidence."""
        self._before.append(event)

    def power_on(self, program: Program, now_us: int, rewritten: Mapping[str, Json] | None = BLANK) -> None:
        """The device starts, from what it remembered: all that it can have remembered is tried.

        `rewritten`: what somebody has written over that (None forgets a key); None when all of it is lost.
        """
        known = [BLANK] if rewritten is None or not self._readings else self._memories()
        memories = [merged(memory, rewritten or BLANK) for memory in known]
        self._program, self._is_on = program, True
        self._readings = [FlowReading(program, memory) for memory in memories]
        self._begin_wait(now_us)

    def power_off(self) -> None:
        """The device is off, or its program has ended; what it remembers stays."""
        self._is_on = False

    def answered(self, answer: ToldDevice) -> None:
        self._answers.append(answer)

    def distorted(self) -> None:
        """A fault had its hand in the present exchange."""
        self._is_distorted = self._is_lossy = True

    def lossy(self) -> None:
        """A request of some device has gone nowhere, and nobody knows of which."""
        self._is_doubtful = True

    def closed(self) -> None:
        """The server has ended a connection of this device."""
        self._is_closed = self._is_lossy = True

    def sent(self, event: TraceEvent, program: Program) -> None:
        """A message of the device has arrived; `event.name` says what it is. `program` is used when it was never
        seen to be switched on."""
        if self.divergence is not None or isinstance(event.envelope, MqttPublishAck):
            return  # of acknowledgements no model speaks
        if event.envelope is None and not self._is_on:
            return  # the connection of a device whose power was cut
        if not self._readings:
            self.power_on(program, event.at_us)
        self._is_on = True
        self._permitted, self._tried, self._states, self._is_near = {}, 0, set(), False
        found = self._found(event)
        if found is None:
            self._diverge(event)
        elif found:
            self.followed += 1
            self._readings = _distinct(found)
            self._begin_wait(event.at_us)
            self._repeated = 0

    def until(self, now_us: int) -> None:
        """Nothing more has come until now. A device that should have said something by then has diverged."""
        if self.divergence is not None or not self._is_on or self._slack is None:
            return
        if self._is_lossy or self._is_doubtful:
            return
        elapsed_s = to_s(now_us - self._last_us)
        self._permitted, overdue = {}, True
        for reading in self._readings:
            overdue = self._is_overdue(reading, elapsed_s) and overdue
        if overdue and self._readings:
            self.divergence = Divergence(
                tuple(self._permitted), f"nothing for {elapsed_s:.3f} s", None, tuple(self._before),
                next(filter(None, self._permitted.values()), ""),
            )  # fmt: skip

    # One message

    def _found(self, event: TraceEvent) -> list[FlowReading] | None:
        """The readings that the message fits; none at all when it changes nothing; None when it fits nowhere."""
        elapsed_s = to_s(event.at_us - self._last_us)
        marks = [(reading, len(reading.log), reading.matched) for reading in self._readings]
        found = [fit for reading in self._readings for fit in self._fits(reading, event, elapsed_s, 0.0)]
        if found:
            return found
        self._readings = [_again(*mark) for mark in marks]
        permitted, self._permitted = self._permitted, {}
        if found := self._looking_early(event, elapsed_s):
            return found
        if event.envelope is None or (not self._is_near and fits_any(event.name, self._leniency.beside)):
            return []  # the end of a connection by itself is no message
        if self._is_repeat(event):
            if event.name not in chain(*self._leniency.looks_again.values()):
                self._forget_answers()
            return []
        found = [fit for reading in map(FlowReading.copy, self._readings)
                 for fit in self._fits(reading, event, elapsed_s, elapsed_s)]  # fmt: skip
        if not found and (self._is_closed or self._is_distorted) and self._program is not None:
            starts = [FlowReading(self._program, memory) for memory in self._memories()]
            for start in starts:
                start.restart_clock(self._last_us)
            found = [fit for start in starts for fit in self._fits(start, event, elapsed_s, 0.0)]
        self._permitted = permitted
        return found or None

    def _looking_early(self, event: TraceEvent, elapsed_s: float) -> list[FlowReading]:
        """The readings that the message fits if the device has looked at its clock long before it said it."""
        self._states, self._tried = set(), 0
        found: list[FlowReading] = []
        for reading in map(FlowReading.copy, self._readings):
            reading.looks_early = True
            found += self._fits(reading, event, elapsed_s, 0.0)
        for reading in found:
            reading.looks_early = False
        return found

    def _is_repeat(self, event: TraceEvent) -> bool:
        """The same message once more, where that is harmless."""
        rules = self._leniency
        for reading in self._readings:
            same = reading.name == event.name and not self._unlike(reading, event)
            looks = event.name in rules.looks_again.get(reading.name, ())
            if reading.matched and (same or looks) and self._repeated < rules.repeats.get(reading.name, 0):
                self._repeated += 1
                return True
        return False

    def _fits(self, reading: FlowReading, event: TraceEvent, elapsed_s: float, after_s: float) -> Iterator[FlowReading]:
        """The readings that the message fits, after each outcome that the last exchange can have had."""
        if not reading.matched:
            yield from self._at(reading, event, elapsed_s, 0)
            return
        outcomes = outcomes_of(reading.timed, self._answers, is_distorted=self._is_distorted)
        within_s, length = reading.within_s(), len(reading.log)
        for number, outcome in enumerate(outcomes):
            # The last one may use up the reading; the others need one of their own.
            one = reading.rewound(length) if number < len(outcomes) - 1 else reading
            if self._is_distorted or isinstance(outcome, NoReply | Downloaded):
                one.most_s = math.inf if self._is_distorted or isinstance(outcome, Downloaded) else within_s
            took_s = after_s or self._took_s(reading.timed, outcome)
            one.take(later(outcome, took_s))
            one.used_s, one.least_s, one.most_s = took_s, took_s, one.most_s + took_s
            yield from self._at(one, event, elapsed_s, 0)

    def _took_s(self, effect: TimedEffect, outcome: Outcome) -> float:
        """How long the device has waited for its answer, at least: the server let it go then."""
        answer = answer_to(effect, self._answers) if isinstance(outcome, Reply) else None
        return 0.0 if answer is None else max(0.0, to_s(answer.at_us - self._last_us))

    def _at(self, reading: FlowReading, event: TraceEvent, elapsed_s: float, lost: int) -> Iterator[FlowReading]:
        """The reading if the message fits what comes next, and what it is when something before it got lost."""
        self._tried += 1
        then = NextMessage(event, self._leniency.token_in)
        reading.walk(elapsed_s, self._answers, is_closed=self._is_closed, then=then)
        if reading.effect is None:
            self._permit("nothing more", "")
            return
        if reading.waits and lost and not (self._is_lossy or self._is_doubtful):
            return  # it left out what it must not
        name = self._leniency.name_of(reading.effect)
        why = self._why_not(reading, name, event, elapsed_s)
        others = self._losses(reading, name, why, lost, elapsed_s)
        if not why:
            reading.match(event.name)
            yield reading
        else:
            self._is_near = self._is_near or name == event.name
            self._permit(f"{name} ({why})" if why != event.name else f"{name} {_line(reading)}", name)
        for other in others:
            yield from self._at(other, event, elapsed_s, lost + 1)

    def _losses(self, reading: FlowReading, name: str, why: str, lost: int, elapsed_s: float) -> list[FlowReading]:
        """The reading as if its present message had gone nowhere, or had been left out."""
        if lost >= MOST_LOST or self._tried > MOST_TRIED or self._too_early(reading, elapsed_s):
            return []
        if (state := (reading.key, round(reading.least_s, 3))) in self._states:
            return []  # what another way has led to already
        self._states.add(state)
        if self._is_lossy or (why and self._is_doubtful):
            whys = self._leniency.lost_as
        elif why and fits_any(name, self._leniency.unsaid):
            other = reading.copy()
            other.take(said_elsewhere(other.timed))
            return [other]
        elif why and fits_any(name, self._leniency.optional):
            whys = ("timeout",)
        else:
            return []
        found = []
        for one in whys:
            other = reading.copy()
            other.waits = False
            within_s = other.within_s()
            other.take(NoReply(one, 0.0) if hasattr(reading.effect, "within_s") else Done())
            other.most_s += within_s
            found.append(other)
        return found

    def _why_not(self, reading: FlowReading, name: str, event: TraceEvent, elapsed_s: float) -> str:
        """Why the message is not the one that comes next; its name, when it is another one."""
        if name != event.name:
            return event.name
        if self._slack is None:
            return ""
        if why := self._unlike(reading, event):
            return why
        if self._too_early(reading, elapsed_s):
            return f"not before {reading.least_s:.3f} s, it came after {elapsed_s:.3f} s"
        if elapsed_s > self._slack.latest_s(reading.most_s):
            return f"within {reading.most_s:.3f} s, it came after {elapsed_s:.3f} s"
        return ""

    def _too_early(self, reading: FlowReading, elapsed_s: float) -> bool:
        return self._slack is not None and elapsed_s < self._slack.earliest_s(reading.least_s)

    def _unlike(self, reading: FlowReading, event: TraceEvent) -> str:
        """The first field in which the message differs from that of the model, in words."""
        wanted, got = None if reading.effect is None else envelope_of(reading.effect), event.envelope
        if wanted is None or got is None or self._slack is None:
            return ""
        if type(wanted) is not type(got):
            return f"{wanted.line}, not {got.line}"
        strict = self._tolerance is Tolerance.STRICT
        return difference(wanted, got, all_fields(wanted) if strict else self._leniency.fields(event.name))

    # What else

    def _memories(self) -> list[Mapping[str, Json]]:
        """All that the device can remember now: what it had written down between its last message and its next."""
        found: dict[str, Mapping[str, Json]] = {}
        for reading in self._readings:
            for memory in self._memories_of(reading):
                found.setdefault(repr(sorted(memory.items())), memory)
        return list(found.values())

    def _memories_of(self, reading: FlowReading) -> Iterator[Mapping[str, Json]]:
        yield dict(reading.memory)
        if not reading.matched:
            outcomes: list[Outcome | None] = [None]
        else:
            outcomes = list(outcomes_of(reading.timed, self._answers, is_distorted=self._is_distorted))
        for outcome in outcomes:
            one = reading.copy()
            if outcome is not None:
                one.take(outcome)
            yield dict(one.memory)
            for _ in one.steps(0.0, self._answers, is_closed=self._is_closed):
                yield dict(one.memory)

    def _is_overdue(self, reading: FlowReading, elapsed_s: float) -> bool:
        one = reading.copy()
        if one.matched:
            outcomes = outcomes_of(one.timed, self._answers, is_distorted=False)
            if isinstance(outcomes[0], NoReply | Downloaded):
                return False  # it may be waiting for an answer still, or for the rest of a file
            one.take(outcomes[0])
        one.walk(elapsed_s, self._answers, is_closed=self._is_closed)
        if one.effect is None or self._slack is None:
            return False
        name = self._leniency.name_of(one.effect)
        self._permit(f"{name} within {one.most_s:.3f} s", name)
        return elapsed_s > self._slack.latest_s(one.most_s)

    def _begin_wait(self, now_us: int) -> None:
        self._last_us = now_us
        for reading in self._readings:
            reading.restart_clock(now_us)
        self._forget_answers()

    def _forget_answers(self) -> None:
        self._answers = []
        self._is_distorted = self._is_lossy = self._is_closed = self._is_doubtful = False

    def _permit(self, what: str, name: str) -> None:
        self._permitted.setdefault(what, self._leniency.clause(name))

    def _diverge(self, event: TraceEvent) -> None:
        clause = next(filter(None, self._permitted.values()), "") or self._leniency.clause(event.name)
        came = " ".join(filter(None, [event.name, event.envelope.line if event.envelope is not None else ""]))
        self.divergence = Divergence(tuple(self._permitted), came, event, tuple(self._before), clause)


def merged(memory: Mapping[str, Json], more: Mapping[str, Json]) -> Mapping[str, Json]:
    """As `Remember` writes it: None forgets a key."""
    return {key: value for key, value in {**memory, **more}.items() if value is not None}


def _again(reading: FlowReading, length: int, matched: bool) -> FlowReading:
    """A reading as it was when it had had so many outcomes."""
    other = reading.rewound(length)
    other.matched = matched
    return other


def _line(reading: FlowReading) -> str:
    envelope = None if reading.effect is None else envelope_of(reading.effect)
    return "" if envelope is None else envelope.line


def _distinct(readings: list[FlowReading]) -> list[FlowReading]:
    """One of each state: those that cannot be told apart lead to the same messages, as far as anybody knows."""
    return list({reading.key: reading for reading in reversed(readings)}.values())[::-1][:MOST_READINGS]
