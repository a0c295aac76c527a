"""The devices of a load run in other processes: this one directs them, and hears what they do. A `LoadDriver`.

Locust carries the messages (`send`); which worker has which device is decided here, once, at its first power-on.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import gevent

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.errors import BrokenBench, ModelError
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall, Direction, Director, RealWork, Until
from fleetrig.simulator.drivers.load import messages
from fleetrig.simulator.drivers.load.bench import LOOKS_EVERY_S, OFF_WITHIN_S, STAGE_KINDS
from fleetrig.simulator.drivers.load.directing import carry_out
from fleetrig.simulator.drivers.load.event_merge import EventMerge
from fleetrig.simulator.drivers.load.event_wire import emit_from_wire
from fleetrig.simulator.drivers.load.figures import SecondOfLoad
from fleetrig.simulator.drivers.load.http_client import LoadHttp
from fleetrig.simulator.drivers.load.messages import SentDevice
from fleetrig.simulator.drivers.load.stream import Dialler
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.effects import Ask, Done, Outcome, Pause
from fleetrig.simulator.stages import Stage
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.storage import Storage

T = TypeVar("T")
SendToWorker = Callable[[str, str, Any], None]
"""(worker, message, data)."""

LATE_AFTER_S: Final = 2.0
"""Workers tell four times a second; nobody waits longer for one than this."""
LOST_AFTER_S: Final = 6.0


@dataclass(slots=True)
class WorkerSeen:
    """What the master knows of a worker."""

    name: str
    """`worker 1`, in the order in which they came."""
    heard_s: float
    devices: int = 0
    online: int = 0
    is_late: bool = False
    is_lost: bool = False
    are_off: bool = False
    cpu_shares: list[float] = field(default_factory=list)
    seconds: dict[int, SecondOfLoad] = field(default_factory=dict)
    """What it has measured and nobody has fetched yet."""
    until: int = 0
    """The number of the second before which all of that has come."""


class WorkersBench:
    """Directs devices that live with workers."""

    def __init__(self, trace: Trace, *, verify: ssl.SSLContext | bool = True) -> None:
        self.trace = trace
        self.clock = WallClock()
        self.failure: BaseException | None = None
        self.has_begun = False
        self.workers: dict[str, WorkerSeen] = {}
        self.remark: Callable[[str], None] = lambda sentence: None
        """Hears what a reader of the curves must know."""
        self._send: SendToWorker = lambda worker, message, data: None
        self._merge = EventMerge()
        self._homes: dict[str, str] = {}
        """Serial of a device, or of the gateway that it hangs on -> its worker."""
        self._agents: dict[str, Agent] = {}
        self._triggers: dict[str, PowerCutTrigger] = {}
        """Their twins with the workers cut the power."""
        self._waiting: dict[str, list[SentDevice]] = {}
        """Worker -> devices that it has not been told of."""
        self._admin = LoadHttp(Dialler(), ClientTls(verify).plain, Storage())

    def send_with(self, send: SendToWorker) -> None:
        """How messages are sent: Locust's master needs the bench before it can send."""
        self._send = send

    def now_us(self) -> int:
        return self.clock.now_us()

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """See `Driver`. It is sent with the others, when the director waits."""
        worker = self._home_of(agent)
        self._agents[agent.identity.serial] = agent
        if trigger is not None:
            self._triggers[agent.identity.serial] = trigger
        at_us = self.now_us() + to_us(after_s)
        sent = SentDevice(agent.identity, agent.behaviour, agent.tls_credential, at_us, trigger)
        self._waiting.setdefault(worker, []).append(sent)

    def power_cut(self, agent: Agent) -> None:
        """See `Driver`."""
        self._flush()
        self._send(self._home_of(agent), messages.POWER_CUT, [agent.identity.serial])
        agent.follow(agent.stage, is_on=False)

    def forget(self, agent: Agent) -> None:
        """A factory reset, here and where it lives."""
        agent.forget()
        self._send(self._home_of(agent), messages.FORGET, [agent.identity.serial])

    def run(self, director: Director[T] | AdminCall[T]) -> T:
        """See `LoadDriver`."""
        return carry_out(director, self._do, lambda: self.failure)

    def close(self) -> None:
        """See `LoadDriver`."""
        self._waiting.clear()
        self.failure = None
        for worker, seen in self.workers.items():
            if not seen.is_lost:
                self._send(worker, messages.ALL_OFF, None)
        end_s = time.monotonic() + OFF_WITHIN_S
        while time.monotonic() < end_s and not all(seen.are_off or seen.is_lost for seen in self.workers.values()):
            self._pump()
            gevent.sleep(LOOKS_EVERY_S)
        self.failure = None

    def close_admin(self) -> None:
        """Once nothing more is to be asked of the server."""
        self._admin.close()

    def begin(self, seed: int, *, is_open: bool) -> None:
        """The run begins, with the workers that are there."""
        self.has_begun = True
        for worker in self.workers:
            self._send(worker, messages.BEGIN, {"seed": seed, "is_open": is_open, "began_us": self.now_us()})

    def joins(self, worker: str) -> None:
        """A worker has come. One that comes when the run has begun is too late, and is sent away."""
        if self.has_begun:
            self.remark("a worker came too late and was sent away")
            return
        self.workers[worker] = WorkerSeen(f"worker {len(self.workers) + 1}", time.monotonic())
        self._merge.joins(worker, self.now_us())

    def told(self, worker: str, data: Mapping[str, Any]) -> None:
        """What a worker has done and measured. Raises ValueError, TypeError, LookupError for what is not that."""
        seen = self.workers[worker]
        seen.heard_s = time.monotonic()
        if seen.is_late:
            seen.is_late = False
            self._merge.joins(worker, int(data["until_us"]))
        seen.online = int(data["online"])
        seen.cpu_shares += map(float, data["cpu_shares"])
        seen.seconds |= messages.seconds_from(data["seconds"])
        seen.until = int(data["until"])
        for serial in data["fired"]:
            self._triggers[serial].fired = True
        self._merge.add(worker, data["events"], int(data["until_us"]))

    def are_off(self, worker: str) -> None:
        """A worker has switched off all its devices."""
        self.workers[worker].are_off = True

    def failed(self, worker: str, why: str) -> None:
        """A device of a worker cannot go on."""
        self.failure = self.failure or BrokenBench(f"{self.workers[worker].name}: {why}")

    def lost(self, worker: str) -> None:
        """A worker has gone, and its devices with it."""
        seen = self.workers[worker]
        if seen.is_lost:
            return
        seen.is_lost = True
        self._merge.leaves(worker)
        self.remark(f"{seen.name} was lost with {seen.devices:,} devices")
        if all(one.is_lost for one in self.workers.values()):
            self.failure = BrokenBench("all workers are lost")

    def lost_sentence(self) -> str:
        """For the report; empty when all workers are there."""
        lost = [f"{seen.name} with {seen.devices:,} devices" for seen in self.workers.values() if seen.is_lost]
        return f"lost in the middle of the run: {', '.join(lost)}; curves.csv says when" if lost else ""

    def _do(self, direction: Direction) -> Outcome | bool:
        self._flush()
        match direction:
            case Ask():
                return self._admin.ask(direction)
            case Pause(at_least_s):
                self._wait_until(lambda: False, at_least_s)
                return Done(at_least_s)
            case Until(met, within_s):
                return self._wait_until(met, within_s)
            case RealWork():
                raise ModelError("real work was asked for under load: a scenario with boards is refused before")

    def _wait_until(self, met: Callable[[], bool], within_s: float) -> bool:
        """What happened until the end of the time counts, also when it is heard a little later."""
        end_us = self.now_us() + to_us(within_s)
        while not met():
            now_us = self.now_us()
            if self.failure is not None or self._merge.settled_us(now_us) >= end_us:
                return False
            gevent.sleep(LOOKS_EVERY_S)
            self._pump(end_us)
        return True

    def _pump(self, until_us: int | None = None) -> None:
        """Emits what all workers have told until now."""
        self.look_for_missing(time.monotonic())
        settled_us = self._merge.settled_us(self.now_us())
        for event in self._merge.take(settled_us if until_us is None else min(until_us, settled_us)):
            agent = self._agents.get(event[1])
            if agent is not None and event[2] in STAGE_KINDS:
                agent.follow(Stage(event[3]), is_on=event[2] in ("entered", "power_on"))
            emit_from_wire(self.trace, event)

    def look_for_missing(self, now_s: float) -> None:
        """Nobody waits for a worker that says nothing: it is late, and later it counts as lost."""
        for worker, seen in self.workers.items():
            silent_s = now_s - seen.heard_s
            if silent_s > LOST_AFTER_S:
                self.lost(worker)
            elif silent_s > LATE_AFTER_S and not seen.is_late:
                seen.is_late = True
                self._merge.leaves(worker)
                self.remark(f"{seen.name} is late")

    def _home_of(self, agent: Agent) -> str:
        key = agent.identity.gateway or agent.identity.serial
        home = self._homes.get(key)
        if home is None:
            there = [worker for worker, seen in self.workers.items() if not seen.is_lost]
            if not there:
                raise BrokenBench("all workers are lost")
            home = self._homes[key] = min(there, key=lambda worker: self.workers[worker].devices)
        if agent.identity.serial not in self._agents:
            self.workers[home].devices += 1
        return home

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for worker, devices in waiting.items():
            self._send(worker, messages.POWER_ON, messages.devices_to_bytes(devices))
