"""What went wrong in a fleet, by cause: which devices it hit, how often and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, NamedTuple

OWN_TIMEOUT: Final = "timeout while this machine was late"
"""No answer within the time, but this machine was late itself meanwhile: that says nothing about the server."""
NO_ANSWERS: Final = {
    "refused": "connection refused",
    "reset": "connection reset",
    "closed": "connection closed",
    "unreachable": "unreachable",
    "timeout": "timeout",
    OWN_TIMEOUT: OWN_TIMEOUT,
}
"""Why nothing was answered, for people: a device that is `refused` has an answer, a connection has none."""


class Cause(NamedTuple):
    """Why an exchange failed."""

    exchange: str
    """The name of the exchange, such as `poll`."""
    answer: str
    """The answer in a word, such as `401`, or why there was none."""


@dataclass(slots=True)
class DeviceFailures:
    """How often one device failed for one cause."""

    times: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class CauseFailures:
    """All that failed for one cause."""

    cause: Cause
    times: int
    devices: Mapping[str, DeviceFailures]

    def worst(self, most: int) -> list[tuple[str, DeviceFailures]]:
        """The devices that failed most often; of equals, those that have failed for longest."""
        return nsmallest(most, self.devices.items(), key=lambda item: (-item[1].times, item[1].first_us, item[0]))


class FleetFailures:
    """Collects them: a small record for each device and cause, however often it fails."""

    def __init__(self) -> None:
        self.times: Counter[Cause] = Counter()
        """How often each cause came."""
        self._devices: dict[Cause, dict[str, DeviceFailures]] = {}

    def note(self, cause: Cause, serial: str, at_us: int) -> None:
        """A device failed."""
        self.times[cause] += 1
        devices = self._devices.setdefault(cause, {})
        if (known := devices.get(serial)) is None:
            devices[serial] = DeviceFailures(1, at_us, at_us)
        else:
            known.times += 1
            known.last_us = at_us

    def causes(self) -> list[CauseFailures]:
        """The most frequent first."""
        found = [CauseFailures(cause, self.times[cause], devices) for cause, devices in self._devices.items()]
        return sorted(found, key=lambda one: (-one.times, one.cause))

    def in_short(self, most: int = 2) -> str:
        """`poll 401 ×900, poll timeout ×12, …`; empty where nothing failed."""
        said = [
            f"{cause.exchange} {NO_ANSWERS.get(cause.answer, cause.answer)} ×{times:,}"
            for cause, times in self.times.most_common(most)
        ]
        return ", ".join([*said, "…"] if len(self.times) > most else said)


def answer_text(answer: str) -> str:
    """A status code with its protocol, and what kind of silence there was."""
    return f"HTTP {answer}" if answer.isdigit() else NO_ANSWERS.get(answer, answer)


def last_heard(answer: str) -> str:
    """`the last answer was HTTP 401`, `the last try had no answer: timeout`."""
    said = answer_text(answer)
    return f"the last try had no answer: {said}" if answer in NO_ANSWERS else f"the last answer was {said}"
