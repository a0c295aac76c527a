"""What a phase sees of a fleet on the array engine: requests and what became of them, in the order in which they ended.

The engine tells a request when it is sent, and knows at once what will become of it; a watch keeps that until its time
has come, so that a phase sees what an observer would have seen by then. Whoever watches gets arrays, not single events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fleetrig.harness.fleets.first_contacts import FirstContacts
from fleetrig.simulator.arrivals_shape import Points
from fleetrig.simulator.cohort.outcomes import ANSWERED, LATE, TURNED_AWAY
from fleetrig.simulator.cohort.start_times import starts_us

Moments = NDArray[np.int64]
Numbers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SentRequests:
    """Requests, in their order."""

    at_us: Moments
    devices: Numbers
    steps: Numbers
    """How far each was with its first contact (`CohortTraits.first_contact`)."""

    def of(self, chosen: Booleans | Numbers) -> SentRequests:
        return SentRequests(self.at_us[chosen], self.devices[chosen], self.steps[chosen])


@dataclass(frozen=True, slots=True)
class EndedRequests:
    """Requests that are over. What a watcher gets has each device once at most."""

    seen_us: Moments
    at_us: Moments
    devices: Numbers
    steps: Numbers
    codes: NDArray[np.uint8]

    def of(self, chosen: Booleans | Numbers) -> EndedRequests:
        return EndedRequests(
            self.seen_us[chosen], self.at_us[chosen], self.devices[chosen], self.steps[chosen], self.codes[chosen]
        )

    @property
    def answered(self) -> Booleans:
        """As they wanted."""
        return np.equal(self.codes, ANSWERED)

    @property
    def heard(self) -> Booleans:
        """With an answer of any kind: a refusal with a status is one, too."""
        return np.isin(self.codes, (ANSWERED, TURNED_AWAY))

    @property
    def served(self) -> Booleans:
        """Whether the device hears of it or not."""
        return np.isin(self.codes, (ANSWERED, LATE))

    @property
    def size(self) -> int:
        return int(self.seen_us.size)


@dataclass(frozen=True, slots=True)
class FleetChange:
    """What such ends, or a lost connection, have made of devices."""

    came_online: Booleans
    """Of the ends: who was not online, and is."""
    ended: EndedRequests


class RequestWatcher(Protocol):
    """A check: it looks at requests as they are sent, and as they end."""

    def sent(self, requests: SentRequests) -> None: ...

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None: ...

    def lost(self, connections: int) -> None:
        """So many devices have lost their connections, and whatever they waited for there."""

    def cut(self, devices: range) -> None:
        """Their power is gone, if they had any."""


@dataclass(slots=True)
class WatchedFleet:
    """Of each device, as of the moment up to which a watch has looked."""

    power_on_us: Moments
    """Of the last time; below 0 while it is off."""
    online: Booleans
    failures: NDArray[np.int32]
    """In a row."""
    contacts: FirstContacts

    @classmethod
    def of_size(cls, count: int, contacts: FirstContacts) -> WatchedFleet:
        return cls(np.full(count, -1, np.int64), np.zeros(count, np.bool_), np.zeros(count, np.int32), contacts)

    def switch_on(self, devices: range, points: Points, now_us: int) -> None:
        """Those of them that are off, by a curve from now on."""
        part = slice(devices.start, devices.stop)
        at_us = now_us + starts_us(points, np.arange(len(devices), dtype=np.int64), len(devices))
        self.power_on_us[part] = np.where(self.power_on_us[part] < 0, at_us, self.power_on_us[part])

    def take(self, ended: EndedRequests) -> FleetChange:
        devices, answered = ended.devices, ended.answered
        self.contacts.strand(ended.of(ended.codes == LATE))
        online = answered & self.contacts.make_online(ended)
        came = online & ~self.online[devices]
        self.online[devices] = online
        self.failures[devices] = np.where(answered, 0, self.failures[devices] + 1)
        return FleetChange(came, ended)


@dataclass(slots=True)
class FleetWatch:
    """`saw` is called by the engine; `settle` lets time pass for whoever watches."""

    fleet: WatchedFleet
    watchers: Sequence[RequestWatcher] = ()
    _sent: list[SentRequests] = field(default_factory=list)
    _ended: list[EndedRequests] = field(default_factory=list)
    _places: NDArray[np.int32] = field(init=False)
    """Where each device stood last: to find those that stand twice."""

    def __post_init__(self) -> None:
        self._places = np.zeros(self.fleet.online.size, np.int32)

    def saw(self, at_us: Moments, devices: Numbers, seen_us: Moments, codes: NDArray[np.uint8] | None) -> None:
        """A batch of requests, in their order. `codes`: 0 for those that are answered; None when all are."""
        kept = np.full(at_us.size, ANSWERED, np.uint8) if codes is None else codes.copy()
        steps = self.fleet.contacts.go_on(devices, kept == ANSWERED)
        self._sent.append(SentRequests(at_us.copy(), devices.astype(np.int64), steps))
        self._ended.append(EndedRequests(seen_us.copy(), self._sent[-1].at_us, self._sent[-1].devices, steps, kept))

    def cut_power(self, devices: range) -> None:
        """What they were waiting for they never see."""
        part = slice(devices.start, devices.stop)
        is_cut = np.zeros_like(self.fleet.online)
        is_cut[part] = True
        self._forget_ends(is_cut)
        self.fleet.power_on_us[part] = -1
        self.fleet.online[part] = False
        self.fleet.failures[part] = 0
        self.fleet.contacts.begin_again(part)
        for watcher in self.watchers:
            watcher.cut(devices)

    def lose_connections(self, devices: range) -> None:
        """Who is online, or about to hear that it is, has failed once, and never sees what it was waiting for."""
        ended = _joined_ended(self._ended)
        is_lost = self.fleet.online.copy()
        is_lost[ended.devices[ended.answered]] = True
        is_lost[: devices.start] = is_lost[devices.stop :] = False
        self._forget_ends(is_lost)
        self.fleet.failures[is_lost] = 1
        self.fleet.online[is_lost] = False
        self.fleet.contacts.begin_again(np.flatnonzero(is_lost))
        for watcher in self.watchers:
            watcher.lost(int(np.count_nonzero(is_lost)))

    def _forget_ends(self, of_device: Booleans) -> None:
        """Of what these devices were waiting for."""
        ended = _joined_ended(self._ended)
        is_forgotten = of_device[ended.devices]
        self._ended = [ended.of(~is_forgotten)]
        self.fleet.contacts.strand(ended.of(is_forgotten & ended.served))

    def rewind(self, to_us: int) -> None:
        """What was sent from then on has not happened yet."""
        sent, ended = _joined_sent(self._sent), _joined_ended(self._ended)
        self.fleet.contacts.take_back(sent.of(sent.at_us >= to_us))
        self._sent = [sent.of(sent.at_us < to_us)]
        self._ended = [ended.of(ended.at_us < to_us)]

    def ends_until(self, until_us: int) -> list[int]:
        """The moments up to then at which something ends, or has just been sent."""
        sent, ended = _joined_sent(self._sent), _joined_ended(self._ended)
        self._sent, self._ended = [sent], [ended]
        moments = np.concatenate((sent.at_us[sent.at_us < until_us] + 1, ended.seen_us[ended.seen_us <= until_us]))
        return [int(moment) for moment in np.unique(moments)]

    def settle(self, until_us: int) -> None:
        """Shows what was sent before that moment, and what has ended by then."""
        self._settle_sent(until_us)
        ended = _joined_ended(self._ended)
        is_over = ended.seen_us <= until_us
        self._ended = [ended.of(~is_over)]
        over = ended.of(is_over)
        for part in self._once_each(over):
            change = self.fleet.take(part)
            for watcher in self.watchers:
                watcher.ended(change, self.fleet)

    def _once_each(self, ended: EndedRequests) -> Iterator[EndedRequests]:
        """Parts in which each device stands once, so that the second end of one finds what the first has made of it."""
        if not ended.size:
            return
        self._places[ended.devices] = np.arange(ended.size, dtype=np.int32)
        if np.array_equal(self._places[ended.devices], np.arange(ended.size, dtype=np.int32)):
            yield ended
            return
        ended = ended.of(np.lexsort((ended.devices, ended.seen_us)))
        order = np.argsort(ended.devices, kind="stable")
        devices = ended.devices[order]
        begins = np.flatnonzero(np.concatenate(([True], devices[1:] != devices[:-1])))
        sizes = np.diff(np.append(begins, ended.size))
        turn = np.empty(ended.size, np.int64)
        turn[order] = np.arange(ended.size) - np.repeat(begins, sizes)
        for number in range(int(sizes.max())):
            yield ended.of(turn == number)

    def _settle_sent(self, until_us: int) -> None:
        sent = _joined_sent(self._sent)
        is_out = sent.at_us < until_us
        self._sent = [sent.of(~is_out)]
        if is_out.any():
            out = sent.of(is_out)
            if (np.diff(out.at_us) < 0).any():  # of several cohorts
                out = out.of(np.argsort(out.at_us, kind="stable"))
            for watcher in self.watchers:
                watcher.sent(out)


def _joined_sent(parts: Sequence[SentRequests]) -> SentRequests:
    if len(parts) == 1:
        return parts[0]
    return SentRequests(*(_joined([getattr(part, name) for part in parts]) for name in SentRequests.__slots__))


def _joined_ended(parts: Sequence[EndedRequests]) -> EndedRequests:
    if len(parts) == 1:
        return parts[0]
    return EndedRequests(*(_joined([getattr(part, name) for part in parts]) for name in EndedRequests.__slots__))


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
