"""The failed tries of a stored trace, device by device: how long each paused before it tried again.

Simulated devices tell what they do. Of programs and boards the server lane tells what arrived: a pause then runs from
the answer to the next request, and the end of a session counts as a failure of the log-in that had begun it. Tries that
never reached the server are not in a trace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.harness.external.view import EventView, ServerView, device_view
from fleetrig.harness.fleets.retry_likelihood import Sample
from fleetrig.harness.platform import DeviceCall, platform_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.run.replay import read_lines
from fleetrig.simulator.backoff import parse_retry_after
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import from_line

BY_THE_DEVICE: Final = "by the peer"
ANNOUNCED: Final = re.compile(r" in ([\d.]+) s$")
"""The end of a session may be told when it is decided, with how much later it comes."""
ENDS: Final = frozenset({"power_on", "power_cut", "ended"})
"""Of the device lane: what was under way is over, and failures count anew."""


@dataclass(slots=True)
class RetryRow:
    """A row of failures. `asked_s`: what the server had named before each pause, None for nothing.

    A pause below 0 counts, but is none to learn from: somebody has set the clock back meanwhile.
    """

    pauses_s: list[float] = field(default_factory=list)
    asked_s: list[float | None] = field(default_factory=list)

    def samples(self, *, is_deaf: bool = False) -> Iterator[Sample]:
        """Of a device that is not deaf, without the pauses for which the server had named a time."""
        before_s: float | None = None
        for number, (pause_s, asked_s) in enumerate(zip(self.pauses_s, self.asked_s, strict=True), 1):
            if pause_s >= 0 and (is_deaf or asked_s is None):
                yield Sample(number, pause_s, before_s)
            before_s = pause_s if pause_s >= 0 else None


@dataclass(slots=True)
class TryLine:
    """One device's tries of one name: `poll` of HB-0007."""

    rows: list[RetryRow] = field(default_factory=list)
    intervals_s: list[float] = field(default_factory=list)
    """Pauses after an answer."""
    _row: RetryRow | None = None
    _failed_us: int | None = None
    _answered_us: int | None = None
    _asked_s: float | None = None

    def sent(self, at_us: int) -> None:
        if self._failed_us is not None and self._row is not None:
            self._row.pauses_s.append(to_s(at_us - self._failed_us))
            self._row.asked_s.append(self._asked_s)
        elif self._answered_us is not None:
            self.intervals_s.append(to_s(at_us - self._answered_us))
        self._failed_us = self._answered_us = None

    def failed(self, at_us: int, asked_s: float | None = None) -> None:
        if self._row is None:
            self._row = RetryRow()
            self.rows.append(self._row)
        self._failed_us, self._asked_s, self._answered_us = at_us, asked_s, None

    def answered(self, at_us: int) -> None:
        self.over()
        self._answered_us = at_us

    def over(self) -> None:
        self._row = self._failed_us = self._answered_us = None


@dataclass(slots=True)
class RetryTrace:
    """Listens to a trace. `lines`: device and name -> its tries."""

    lines: dict[tuple[str, str], TryLine] = field(default_factory=dict)
    _of_device: dict[str, list[TryLine]] = field(default_factory=dict)
    _logins: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Session that was let in -> whose, and as what."""

    def take(self, seen: TraceEvent) -> None:
        """An event as a device would emit it."""
        key = (seen.device, seen.name)
        match seen.kind:
            case "sent" if isinstance(seen.envelope, MqttDisconnect):
                self._logins.pop(seen.session, None)
            case "sent" if seen.envelope is not None:
                self._line(key).sent(seen.at_us)
            case "received" if isinstance(seen.envelope, MqttConnack) and seen.envelope.code == 0:
                self._logins[seen.session] = key
                self._line(key).answered(seen.at_us)
            case "received" if is_failure(seen.envelope):
                self._line(key).failed(seen.at_us, asked_s(seen))
            case "no_reply":
                self._line(key).failed(seen.at_us)
            case "received":
                self._line(key).answered(seen.at_us)
            case kind if kind in ENDS and seen.lane is Lane.DEVICE:
                self._power(seen.device)

    def closed(self, event: TraceEvent) -> None:
        """A session is over; it counts as a failure when its device has not ended it."""
        key = self._logins.pop(event.session, None)
        if key is not None and event.reason != BY_THE_DEVICE:
            later = ANNOUNCED.search(event.reason)
            self._line(key).failed(event.at_us + (to_us(float(later[1])) if later else 0))

    def _power(self, device: str) -> None:
        for line in self._of_device.get(device, ()):
            line.over()

    def _line(self, key: tuple[str, str]) -> TryLine:
        if key not in self.lines:
            self.lines[key] = TryLine()
            self._of_device.setdefault(key[0], []).append(self.lines[key])
        return self.lines[key]


def retries_in(path: Path) -> Mapping[tuple[str, str], TryLine]:
    """Raises UsageError for what is no trace."""
    view, found = view_of(path), RetryTrace()
    for event in events_in(path):
        for seen in view(event):
            if seen.device:
                found.take(seen)
        if event.lane is Lane.SERVER and event.kind == "closed":
            found.closed(event)
    return found.lines


def events_in(path: Path) -> Iterator[TraceEvent]:
    """All but the first line, which says which run it is."""
    lines = read_lines(path)
    first = next(lines, "")
    if not _run_name(first):
        raise UsageError(f"{path} is no trace of fleetrig: its first line does not say which run it is")
    for number, line in enumerate(lines, 2):
        try:
            yield from_line(line)
        except ValueError as wrong:
            raise UsageError(f"{path}:{number}: {wrong}") from None


def view_of(path: Path) -> EventView:
    """What devices say themselves, or where none does, what the server saw of them."""
    powered: set[str] = set()
    for event in events_in(path):
        if event.lane is Lane.DEVICE and event.kind == "sent":
            return device_view
        if event.lane is Lane.DEVICE and event.kind == "power_on":
            powered.add(event.device)
    return ServerView(_device_call(path), next(iter(powered)) if len(powered) == 1 else "")


def _device_call(path: Path) -> Callable[[TraceEvent], DeviceCall | None]:
    """Of the platform that the name of the run begins with, or of the first that knows the request."""
    named = [part for part in _run_name(next(read_lines(path), "")).split("/") if part in PLATFORMS]
    platforms = [platform_of(name) for name in named or PLATFORMS]
    return lambda event: next(filter(None, (platform.device_call(event) for platform in platforms)), None)


def _run_name(line: str) -> str:
    try:
        about = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    name = about.get("run") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


def asked_s(event: TraceEvent) -> float | None:
    """`Retry-After` of a refusal."""
    answer = event.envelope
    if not isinstance(answer, HttpResponse):
        return None
    return parse_retry_after(answer.header("Retry-After"), answer.header("Date"))
