"""Follows the devices of a run with their models, from the run's first event on: what `follows_model` asks.

It reads the server lane as it is, whoever the devices are: our own, programs or boards. Not every message says whose it
is: what a session says later counts for what it said before, and where there is only one device, all is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.platform import DeviceCall
from fleetrig.reference_server.server_lane import BY_THE_PEER
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttDisconnect
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.oracle import Oracle
from fleetrig.simulator.drivers.oracle_outcomes import ToldDevice
from fleetrig.simulator.drivers.oracle_reading import Program
from fleetrig.simulator.drivers.oracle_rules import Leniency, Tolerance

UNCHANGED: Final[Mapping[str, Json]] = {}
HELD_EVENTS: Final = 64
"""Of a session whose device is not known yet."""

ProgramOf = Callable[[str], Program | None]
"""Serial -> what such a device runs, as it is now; None for none of the run's."""


@dataclass(slots=True)
class SessionSeen:
    """A session: whose it is, and what is held back until that is known."""

    device: str = ""
    held: list[TraceEvent] = field(default_factory=list)
    is_distorting: bool = False
    """A fault has hit the next thing that goes out."""
    is_leaving: bool = False
    """Its device has said goodbye."""


class ModelWatch:
    """A listener of the whole trace."""

    def __init__(
        self,
        call_in: Callable[[TraceEvent], DeviceCall | None],
        leniency: Leniency,
        program_of: ProgramOf,
        tolerances: frozenset[Tolerance],
        alone: Callable[[], str] = lambda: "",
    ) -> None:
        """`alone`: the serial of the only device, empty where there are several."""
        self._call_in, self._leniency, self._program_of, self._alone = call_in, leniency, program_of, alone
        self._tolerances = sorted(tolerances)
        self._oracles: dict[str, dict[Tolerance, Oracle]] = {}
        self._sessions: dict[int, SessionSeen] = {}
        self._lines: dict[str, str] = {}
        """What was said -> who has said it; empty for what several have."""
        self._rewritten: dict[str, Mapping[str, Json] | None] = {}
        """What somebody has written into a device since it was last on; None: it has lost all."""

    def of(self, serial: str, tolerance: Tolerance) -> Oracle | None:
        """How far a device was followed; None for one that was never on and never heard."""
        return self._oracles.get(serial, {}).get(tolerance)

    def rewrote(self, serial: str, memory: Mapping[str, Json] | None) -> None:
        """Somebody has changed what the device, which is off, remembers; None: it has lost all."""
        self._rewritten[serial] = memory

    def until(self, now_us: int) -> None:
        """Nothing more has come until now."""
        for oracle in self._all():
            oracle.until(now_us)

    def take(self, event: TraceEvent) -> None:
        match event.lane:
            case Lane.BENCH if event.kind == "over":
                self.until(event.at_us)
            case Lane.DEVICE if event.kind in ("power_on", "power_cut", "ended"):
                self._power(event)
            case Lane.NETWORK if event.kind in ("fault", "refused", "malformed"):
                self._lossy()
            case Lane.SERVER:
                self._server(event)

    def _all(self, device: str | None = None) -> Iterator[Oracle]:
        known = self._oracles.values() if device is None else (self._followed(device),)
        for oracles in known:
            yield from oracles.values()

    def _followed(self, device: str) -> Mapping[Tolerance, Oracle]:
        """The oracles of a device, made when it is first heard of; none for what is no device of the run."""
        if device not in self._oracles:
            if self._program_of(device) is None:
                return {}
            self._oracles[device] = {one: Oracle(self._leniency, one) for one in self._tolerances}
        return self._oracles[device]

    def _power(self, event: TraceEvent) -> None:
        program = self._program_of(event.device)
        for oracle in self._all(event.device):
            oracle.note(event)
            if event.kind != "power_on":
                oracle.power_off()
            elif program is not None:
                oracle.power_on(program, event.at_us, self._rewritten.get(event.device, UNCHANGED))
        if event.kind == "power_on":
            self._rewritten.pop(event.device, None)

    def _lossy(self) -> None:
        """Something went wrong with a message of which nobody knows whose it was."""
        for oracle in self._all():
            oracle.lossy()

    # The server lane

    def _server(self, event: TraceEvent) -> None:
        session = self._sessions.setdefault(event.session, SessionSeen())
        if event.kind == "received":
            self._received(event, session)
        elif device := self._whose(event, session):
            self._about(event, session, device)
        elif event.kind == "fault":
            session.is_distorting = True
            session.held.append(event)
        elif session.held and len(session.held) < HELD_EVENTS:
            session.held.append(event)
        if event.kind == "closed":
            self._ended(event, session)

    def _received(self, event: TraceEvent, session: SessionSeen) -> None:
        call = self._call_in(event)
        if isinstance(event.envelope, HttpRequest | CoapRequest):
            session.device = ""  # each request says for itself whose it is
            session.held = []
        if call is None:
            return
        session.device = self._named(event, call, session)
        if not session.device:
            session.held.append(event)
            return
        self._release(session)
        self._about(event, session, session.device)

    def _named(self, event: TraceEvent, call: DeviceCall, session: SessionSeen) -> str:
        """Whose a message is: it says so, the server does, its session has, another like it has, or there is but one.

        A device that the server has refused is named by nobody, but it says what it has said before.
        """
        line = event.envelope.line if event.envelope is not None else ""
        names = (call.device, event.device, session.device, self._lines.get(line, ""))
        device = next((name for name in names if name and self._program_of(name) is not None), self._alone())
        if device and self._lines.setdefault(line, device) != device:
            self._lines[line] = ""  # said by several
        return device

    def _whose(self, event: TraceEvent, session: SessionSeen) -> str:
        if event.session and event.device and not session.device and self._followed(event.device):
            session.device = event.device
            self._release(session)
        return session.device

    def _release(self, session: SessionSeen) -> None:
        """What was held back happens now, in its order."""
        held, session.held, session.is_distorting = session.held, [], False
        for event in held:
            self._about(event, session, session.device)

    def _about(self, event: TraceEvent, session: SessionSeen, device: str) -> None:
        match event.kind:
            case "received":
                session.is_leaving = isinstance(event.envelope, MqttDisconnect)
                self._sent(event, device)
            case "fault":
                session.is_distorting = True
                for oracle in self._all(device):
                    oracle.distorted()
            case "answered" | "refused" | "pushed" if not session.is_distorting:
                self._told(event, device, "")
            case "delivered":
                session.is_distorting = False
                self._told(event, device, event.reason)
            case "closed" if event.reason == BY_THE_PEER:
                self._sent(event, device)
            case "closed" if not session.is_leaving:
                for oracle in self._all(device):
                    oracle.until(event.at_us)
                    oracle.closed()

    def _sent(self, event: TraceEvent, device: str) -> None:
        call, program = self._call_in(event), self._program_of(device)
        if call is None or program is None:
            return
        named = event._replace(kind="sent", device=device, name=call.name)
        for oracle in self._all(device):
            oracle.sent(named, program)
            if oracle.divergence is None:
                oracle.note(named)

    def _told(self, event: TraceEvent, device: str, why: str) -> None:
        if event.envelope is None and not why:
            return
        why = "" if why == "twice" else why
        for oracle in self._all(device):
            oracle.answered(ToldDevice(event.envelope, why, event.at_us + event.took_us))
            if oracle.divergence is None:
                oracle.note(event._replace(device=device))

    def _ended(self, event: TraceEvent, session: SessionSeen) -> None:
        if session.held:
            self._lossy()
        self._sessions.pop(event.session, None)
