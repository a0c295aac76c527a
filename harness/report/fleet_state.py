"""What a fleet is doing right now: a fold over the device lane, one row per device and the sums of all.

Cheap enough for a thousand devices: a few attribute writes per event. The screen draws it when it likes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.trace import Lane, TraceEvent

OFF: Final = "off"
WAITING: Final = "waiting"
IN_TROUBLE: Final = "in trouble"
UPDATING: Final = "updating"
RATE_WINDOW_S: Final = 10
POWER_ON: Final = "power on"
"""Name of the phase with which a fleet begins, on the bench lane."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answered exchange says of a device."""

    interval_s: float | None = None
    """The poll interval that the server named."""
    version: str | None = None
    """The version that the device is to install."""
    has_sent_attributes: bool = False
    update: str = ""
    """Names the update whose end was reported; a repeated report has the same name."""
    update_passed: bool = False


NOTHING: Final = Reading()


@dataclass(frozen=True, slots=True)
class Readings:
    """What a platform's messages mean: handed in, since reports know no dialect."""

    poll: str
    """The name of the exchange in which a device asks for news: it is counted, and the first one is judged."""
    activities: Mapping[str, str]
    """What a device does while an exchange of this name is under way; `{version}` is that of its update."""
    otherwise: str
    """What it does during all other exchanges."""
    is_good: Callable[[Envelope], bool]
    """Whether an answer is no refusal and no failure."""
    read: Callable[[str, Envelope | None, Envelope], Reading]
    """Name of the exchange, what was sent, a good answer to it -> what that says."""


@dataclass(slots=True)
class DeviceRow:
    """One device, as its last events left it."""

    serial: str
    interval_s: float
    stage: str = OFF
    doing: str = OFF
    due_us: int = 0
    """WAITING: until when."""
    answer: str = ""
    """The last answer in a word, such as its status code, or why there was none."""
    answered_us: int = 0
    polls: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    version: str = ""
    sent: Envelope | None = None
    """What it sent last."""
    reported: str = ""
    """The update whose end was counted last: a repeated report is no second update."""

    def doing_text(self, now_us: int) -> str:
        """What it does, in words."""
        if self.doing == WAITING:
            # Whole seconds of the clock, so that all rows change at once and the table is drawn once a second.
            return f"waiting {max(0, self.due_us // US_PER_S - now_us // US_PER_S)} s"
        if self.doing == IN_TROUBLE:
            return f"{stage_text(self.stage)}: {f'HTTP {self.answer}' if self.answer.isdigit() else self.answer}"
        return self.doing


class EventRate:
    """Events per second over the last few seconds."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque(maxlen=RATE_WINDOW_S + 1)

    def count(self, at_us: int) -> None:
        second = at_us // US_PER_S
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([second, 1])

    def per_s(self, now_us: int, began_us: int) -> float:
        """The mean since `began_us`, at most over the window; the second that has only begun does not count."""
        this_second = now_us // US_PER_S
        first = max(this_second - RATE_WINDOW_S, began_us // US_PER_S)
        counted = sum(count for second, count in self._seconds if first <= second < this_second)
        return counted / max(1, this_second - first)


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
    """What the first poll of each device was answered by."""
    no_first_answer: str = ""
    """Why the very first poll of the fleet got no answer."""
    events: int = 0
    """How many events changed something here."""
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
                self._heard(row, event, event.reason, is_good=False)
                self._after_failure(row, event)
            case "entered":
                self._entered(row, event)
            case "power_on":
                row.stage, row.doing = event.stage, "starting"
            case "power_cut" | "ended":
                row.stage = row.doing = OFF
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
        if event.name == self.readings.poll and event.stage == UPDATING:
            return  # it looks for a cancel between two slices, and goes on installing
        doing = self.readings.activities.get(event.name, self.readings.otherwise)
        row.doing = doing.format(version=row.version).rstrip()

    def _received(self, row: DeviceRow, event: TraceEvent, answer: Envelope) -> None:
        is_good = self.readings.is_good(answer)
        row.answered_us = event.at_us
        self._heard(row, event, answer.line, is_good=is_good)
        if is_good:
            self._read(row, self.readings.read(event.name, row.sent, answer))
            self._go_on(row, event)
        else:
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
            row.polls += 1
            self.polls += 1
            self.poll_rate.count(event.at_us)
            if row.polls == 1:
                if not self.first_answers and event.kind == "no_reply":
                    self.no_first_answer = answer
                self.first_answers[answer] += 1
        if is_good:
            row.failures_in_a_row = 0
        else:
            row.failures += 1
            row.failures_in_a_row += 1
            self.failures += 1
            self.failure_rate.count(event.at_us)

    def _entered(self, row: DeviceRow, event: TraceEvent) -> None:
        row.stage = event.stage
        if event.stage == "enrolled":
            self.came_through += 1
        elif event.stage == "online":
            _wait(row, event.at_us)

    def _go_on(self, row: DeviceRow, event: TraceEvent) -> None:
        if event.stage == UPDATING:
            row.doing = f"installing {row.version}".rstrip()
        else:
            _wait(row, event.at_us)

    def _after_failure(self, row: DeviceRow, event: TraceEvent) -> None:
        """A failed poll is shown with its stage; other requests are tried again, or not before the next poll."""
        if event.stage == UPDATING:
            row.doing = row.doing if event.name == self.readings.poll else "trying again"
        elif event.name == self.readings.poll:
            row.doing = IN_TROUBLE
        else:
            _wait(row, event.at_us)


def _wait(row: DeviceRow, at_us: int) -> None:
    row.doing, row.due_us = WAITING, at_us + to_us(row.interval_s)


def stage_text(stage: str) -> str:
    """A stage as people write it: `backing off`."""
    return stage.replace("_", " ")
