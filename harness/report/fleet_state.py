"""What the live table shows: a fold over the device lane, one row per device and the sums of all.

Cheap enough for a thousand devices: a few attribute writes per event. The screen draws it when it likes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.report.device_row import DONE, GAVE_UP, IN_TROUBLE, OFF, DeviceRow
from fleetrig.harness.report.event_rate import EventRate
from fleetrig.harness.report.fleet_failures import OWN_TIMEOUT, Cause, FleetFailures
from fleetrig.harness.report.fleet_readings import Reading, Readings
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.trace import Lane, TraceEvent

UPDATING: Final = "updating"
TIMEOUT: Final = "timeout"
POWER_ON: Final = "power on"
"""Name of the phase with which a fleet begins, on the bench lane."""


@dataclass(slots=True)
class FleetState:
    """Rows by serial, and totals. `take` is the listener."""

    rows: dict[str, DeviceRow]
    readings: Readings
    began_us: int = 0
    """When the bench said that the fleet is switched on; 0 before."""
    polls: int = 0
    failures: int = 0
    attributes_sent: int = 0
    updates_finished: int = 0
    updates_failed: int = 0
    came_through: int = 0
    """Devices that were accepted at least once."""
    first_answers: Counter[str] = field(default_factory=Counter)
    """What each device was answered first."""
    no_first_answer: str = ""
    """Why the very first device of the fleet found nobody."""
    ended: int = 0
    """Devices whose program is over."""
    last_let_in_us: int = 0
    """When a device was accepted for the first time last."""
    events: int = 0
    """How many events changed something here."""
    own_timeouts: int = 0
    """Failures that fell into a time in which this machine was late itself."""
    by_cause: FleetFailures = field(default_factory=FleetFailures)
    was_late: Callable[[int, int], bool] = lambda *_: False
    """Whether this machine itself was late between two moments: a time-out then says nothing about the server."""
    exchange_ended: Callable[[TraceEvent, bool], object] = lambda *_: None
    """Told of the end of each exchange, and whether it was good."""
    poll_rate: EventRate = field(default_factory=EventRate)
    failure_rate: EventRate = field(default_factory=EventRate)

    @classmethod
    def of(cls, serials: Iterable[str], interval_s: float, readings: Readings) -> FleetState:
        """A fleet before power-on; `interval_s` counts until the server names one."""
        return cls({serial: DeviceRow(serial, interval_s) for serial in serials}, readings)

    def take(self, event: TraceEvent) -> None:
        if event.lane is Lane.BENCH and event.name == POWER_ON:
            self.began_us = event.at_us
        row = self.rows.get(event.device)
        if event.lane is not Lane.DEVICE or row is None:
            return
        self.events += 1
        match event.kind:
            case "sent":
                self._sent(row, event)
            case "received" if event.envelope is not None:
                self._received(row, event, event.envelope)
            case "downloaded":
                self._downloaded(row, event)
            case "no_reply":
                self._failed(row, event, event.reason)
            case "waited" if event.name in self.readings.waits:
                self._failed(row, event, TIMEOUT)
            case "entered":
                self._entered(row, event)
            case "power_on" | "power_cut" | "ended":
                self._switched(row, event)
            case _:
                pass

    def all_first_answers(self) -> str:
        """What every single device was answered first; empty when they differ or some have not asked yet."""
        if self.first_answers.total() < len(self.rows) or len(self.first_answers) != 1:
            return ""
        return next(iter(self.first_answers))

    def stages(self) -> Counter[str]:
        """Devices per stage."""
        return Counter(row.stage for row in self.rows.values())

    def _switched(self, row: DeviceRow, event: TraceEvent) -> None:
        """A program that ended after a failure has given up; its stage says so further on."""
        if event.kind == "power_on":
            row.stage, row.doing, row.on_us = event.stage, "starting", row.on_us or event.at_us
        elif event.kind == "power_cut":
            row.stage = row.doing = OFF
        else:
            self.ended += 1
            row.doing = GAVE_UP if row.failures_in_a_row else DONE
            row.stage = event.stage if row.failures_in_a_row else OFF

    @property
    def given_up(self) -> int:
        """Devices that stopped asking."""
        return sum(row.doing == GAVE_UP for row in self.rows.values())

    @property
    def is_over(self) -> bool:
        """Nothing more will happen."""
        return self.ended == len(self.rows)

    def never_let_in(self) -> dict[str, list[str]]:
        """Devices that asked and were never accepted, by how they failed last."""
        return _by_failure(row for row in self.rows.values() if row.let_in_after_us is None)

    def never_online(self) -> dict[str, list[str]]:
        """Devices that were accepted, and could do nothing with it, by how they failed last."""
        waiting = (row for row in self.rows.values() if row.let_in_after_us is not None and not row.was_online)
        return _by_failure(row for row in waiting if row.failures_in_a_row)

    def not_let_in_yet(self) -> list[str]:
        """Devices that are on, and have not been refused: they are under way."""
        rows = self.rows.values()
        return [row.serial for row in rows if row.on_us and row.let_in_after_us is None and row.failure is None]

    def let_in_after_s(self) -> list[float]:
        """How long after they were switched on devices were accepted, the quickest first."""
        return sorted(to_s(row.let_in_after_us) for row in self.rows.values() if row.let_in_after_us is not None)

    def in_trouble(self) -> list[DeviceRow]:
        """Devices whose last request failed, the worst first."""
        failing = (row for row in self.rows.values() if row.failures_in_a_row)
        return sorted(failing, key=lambda row: (-row.failures_in_a_row, row.serial))

    def longest_silent(self) -> DeviceRow | None:
        """The device whose last answer is oldest; those that never had one do not count."""
        answered = (row for row in self.rows.values() if row.answered_us)
        return min(answered, key=lambda row: row.answered_us, default=None)

    def _sent(self, row: DeviceRow, event: TraceEvent) -> None:
        row.sent = event.envelope
        if self.readings.is_told and event.name == self.readings.poll:
            self._count(row, event)
            row.wait(event.at_us)
            return
        if event.name == self.readings.poll and event.stage == UPDATING:
            return  # it looks for a cancel between two slices, and goes on installing
        if event.name in self.readings.asides:
            return
        doing = self.readings.activities.get(event.name, self.readings.otherwise)
        row.doing = doing.format(version=row.version).rstrip()

    def _received(self, row: DeviceRow, event: TraceEvent, answer: Envelope) -> None:
        row.answered_us = event.at_us
        word = self.readings.word(event.name, answer)
        if not self.readings.is_good(event.name, answer):
            self._failed(row, event, word)
            return
        self._heard(row, event, word, is_good=True)
        self._read(row, self.readings.read(event.name, row.sent, answer))
        if event.name not in self.readings.asides:
            self._go_on(row, event)

    def _failed(self, row: DeviceRow, event: TraceEvent, why: str) -> None:
        if why == TIMEOUT and self.was_late(event.at_us - event.took_us, event.at_us):
            why = OWN_TIMEOUT
            self.own_timeouts += 1
        self._heard(row, event, why, is_good=False)
        self._after_failure(row, event)

    def _read(self, row: DeviceRow, reading: Reading) -> None:
        if reading.interval_s is not None:
            row.interval_s = reading.interval_s
        if reading.version is not None:
            row.version = reading.version
        self.attributes_sent += reading.has_sent_attributes
        if reading.update and reading.update != row.reported:
            row.reported = reading.update
            self.updates_finished += reading.update_passed
            self.updates_failed += not reading.update_passed

    def _downloaded(self, row: DeviceRow, event: TraceEvent) -> None:
        status = event.reason.partition(":")[0]
        is_good = status in ("200", "206") and not event.reason.endswith("cut")
        row.answered_us = event.at_us
        self._heard(row, event, status if is_good or status not in ("200", "206") else "cut", is_good=is_good)
        if is_good:
            self._go_on(row, event)
        else:
            self._after_failure(row, event)

    def _heard(self, row: DeviceRow, event: TraceEvent, answer: str, *, is_good: bool) -> None:
        row.answer = answer
        if event.name == self.readings.poll:
            self._count(row, event)
        if not row.is_judged and self._judges(event.name, is_good=is_good):
            row.is_judged = True
            if not self.first_answers and event.kind == "no_reply" and not row.answered_us:
                self.no_first_answer = event.reason
            self.first_answers[answer] += 1
        if is_good:
            row.failures_in_a_row = 0
        else:
            row.failures += 1
            row.failures_in_a_row += 1
            row.failure = Cause(event.name, answer)
            self.failures += 1
            self.by_cause.note(row.failure, row.serial, event.at_us)
            self.failure_rate.count(event.at_us)
        self.exchange_ended(event, is_good)

    def _count(self, row: DeviceRow, event: TraceEvent) -> None:
        row.polls += 1
        self.polls += 1
        self.poll_rate.count(event.at_us)

    def _judges(self, name: str, *, is_good: bool) -> bool:
        """Whether an answer to this exchange says what the server thinks of the device."""
        if name in self.readings.openings:
            return not is_good
        return name == self.readings.poll or name in self.readings.judged

    def _entered(self, row: DeviceRow, event: TraceEvent) -> None:
        row.stage = event.stage
        if event.stage == "enrolled":
            if row.let_in_after_us is None:
                self.came_through += 1
                row.let_in_after_us, self.last_let_in_us = event.at_us - row.on_us, event.at_us
        elif event.stage == "online":
            row.was_online = True
            row.wait(event.at_us)

    def _go_on(self, row: DeviceRow, event: TraceEvent) -> None:
        if event.stage == UPDATING:
            row.doing = f"installing {row.version}".rstrip()
        else:
            row.wait(event.at_us)

    def _after_failure(self, row: DeviceRow, event: TraceEvent) -> None:
        """A failed poll is shown with its stage; other requests are tried again, or not before the next poll."""
        if event.stage == UPDATING:
            row.doing = row.doing if event.name == self.readings.poll else "trying again"
        elif event.name == self.readings.poll or event.name in self.readings.judged:
            row.doing = IN_TROUBLE
        else:
            row.wait(event.at_us)


def _by_failure(rows: Iterable[DeviceRow]) -> dict[str, list[str]]:
    """The serials of those that failed, the most frequent reason first."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.failure is not None:
            found.setdefault(row.failure.answer, []).append(row.serial)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))
