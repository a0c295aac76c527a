"""What a process of a load run counts, second by second, until somebody fetches it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.simulator.drivers.load.histogram import Histogram


@dataclass(slots=True)
class SecondOfLoad:
    """One second of one process. Durations are in microseconds."""

    started: int = 0
    """Requests that were sent."""
    answered: int = 0
    errors: int = 0
    """Requests without an answer, and answers that say no."""
    dropped: int = 0
    """Starts that never happened, since the one before took longer than the interval."""
    took: Histogram = field(default_factory=Histogram)
    """From sending to the answer: what Locust shows."""
    corrected: Histogram = field(default_factory=Histogram)
    """From the intended start to the answer."""
    lateness: Histogram = field(default_factory=Histogram)
    """From the intended start to the real one."""
    waking: Histogram = field(default_factory=Histogram)
    """The part of the lateness that is the generator's own: from the end of a pause until its device runs again."""
    online: int | None = None
    """How many devices were online at its end; None when that did not change in it."""


class LoadFigures:
    """The seconds of one process, by their number since `start_s` of a monotonic clock."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.online = 0
        """Devices whose stage is online now."""
        self._seconds: dict[int, SecondOfLoad] = {}

    def at(self, now_s: float) -> SecondOfLoad:
        """The second that is now."""
        number = int(now_s - self.start_s)
        try:
            return self._seconds[number]
        except KeyError:
            second = self._seconds[number] = SecondOfLoad()
            return second

    def note_online(self, now_s: float, online: int) -> None:
        """So many devices are online now."""
        self.online = self.at(now_s).online = online

    def started(self, now_s: float, intended_s: float) -> None:
        """A request goes out."""
        second = self.at(now_s)
        second.started += 1
        second.lateness.add(int((now_s - intended_s) * 1e6))

    def ended(self, now_s: float, sent_s: float, intended_s: float, *, is_error: bool) -> None:
        """Its answer is there, or it is clear that none will come."""
        second = self.at(now_s)
        if is_error:
            second.errors += 1
        else:
            second.answered += 1
        second.took.add(int((now_s - sent_s) * 1e6))
        second.corrected.add(int((now_s - intended_s) * 1e6))

    def dropped(self, now_s: float, intended_s: float) -> None:
        """A start that never happened: it would have waited at least until now."""
        second = self.at(now_s)
        second.dropped += 1
        second.corrected.add(int((now_s - intended_s) * 1e6))

    def woke(self, now_s: float, due_s: float) -> None:
        """A device runs again after a pause that was to end at `due_s`."""
        self.at(now_s).waking.add(int((now_s - due_s) * 1e6))

    def take_until(self, now_s: float) -> dict[int, SecondOfLoad]:
        """The seconds that are over, which are forgotten here."""
        current = int(now_s - self.start_s)
        over = {number: second for number, second in self._seconds.items() if number < current}
        for number in over:
            del self._seconds[number]
        return over

    def take_all(self) -> dict[int, SecondOfLoad]:
        """The seconds that are left at the end."""
        left, self._seconds = self._seconds, {}
        return left
