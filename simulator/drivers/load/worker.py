"""A worker of a load run: does with its devices what the master says, and tells it how they fare."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import gevent

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.load import messages
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.load.event_wire import WireEvent, to_wire
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger

TELLS_EVERY_S: Final = 0.25
"""Soon enough for a director that waits for something."""

TellMaster = Callable[[str, Any], None]
"""(message, data)."""
MakeBench = Callable[[int, bool], LoadBench]
"""(seed, whether the model is open)."""


class LoadWorker:
    """One worker, from the master's `BEGIN` on."""

    def __init__(self, make_bench: MakeBench, tell: TellMaster, cpu_share: Callable[[], float]) -> None:
        self._make_bench = make_bench
        self._tell = tell
        self._cpu_share = cpu_share
        self._bench: LoadBench | None = None
        self._agents: dict[str, Agent] = {}
        self._triggers: dict[str, PowerCutTrigger] = {}
        """Those that the master has not heard to have fired."""
        self._events: list[WireEvent] = []
        self._has_failed = False
        self._second = 0

    def heard(self, message: str, data: Any) -> None:
        """A message of the master."""
        match message:
            case messages.BEGIN:
                self._begin(data)
            case messages.POWER_ON:
                self._power_on(data)
            case messages.POWER_CUT:
                self._each(data, self._begun.power_cut)
            case messages.FORGET:
                self._each(data, Agent.forget)
            case messages.ALL_OFF:
                self._begun.close()
                self._tell_all(is_over=True)
                self._tell(messages.ARE_OFF, None)

    @property
    def _begun(self) -> LoadBench:
        assert self._bench is not None, "a master begins with BEGIN"
        return self._bench

    def _begin(self, data: Mapping[str, Any]) -> None:
        self._bench = self._make_bench(int(data["seed"]), bool(data["is_open"]))
        since_s = (self._bench.now_us() - int(data["began_us"])) / 1e6
        self._bench.figures.start_s = time.monotonic() - since_s
        self._bench.trace.listen(self._note)
        gevent.spawn(self._keep_telling)

    def _power_on(self, data: bytes) -> None:
        bench = self._begun
        for sent in messages.devices_from_bytes(data):
            serial = sent.identity.serial
            agent = self._agents.get(serial)
            if agent is None:
                agent = self._agents[serial] = Agent(sent.identity, sent.behaviour, sent.tls_credential)
            else:
                agent.reprogram(sent.behaviour, sent.tls_credential)
            if sent.trigger is not None:
                self._triggers[serial] = sent.trigger
            after_s = max(0.0, (sent.at_us - bench.now_us()) / 1e6)
            bench.power_on(agent, after_s=after_s, trigger=sent.trigger)

    def _fired(self) -> list[str]:
        """The devices whose trigger has cut their power since the master was told."""
        fired = [serial for serial, trigger in self._triggers.items() if trigger.fired]
        for serial in fired:
            del self._triggers[serial]
        return fired

    def _each(self, serials: Sequence[str], do: Callable[[Agent], None]) -> None:
        for serial in serials:
            if serial in self._agents:
                do(self._agents[serial])

    def _note(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE:
            self._events.append(to_wire(event))

    def _keep_telling(self) -> None:
        while True:
            gevent.sleep(TELLS_EVERY_S)
            self._tell_all()

    def _tell_all(self, *, is_over: bool = False) -> None:
        bench = self._begun
        now_s, until_us = time.monotonic(), bench.now_us()
        figures = bench.figures
        seconds = figures.take_all() if is_over else figures.take_until(now_s)
        events, self._events = self._events, []
        current = int(now_s - figures.start_s)
        cpu_shares = [self._cpu_share()] if current > self._second else []
        self._second = max(self._second, current)
        self._tell(
            messages.TOLD,
            {
                "until_us": until_us,
                "until": current,
                "online": figures.online,
                "cpu_shares": cpu_shares,
                "seconds": {number: messages.second_to_values(second) for number, second in seconds.items()},
                "events": events,
                "fired": self._fired(),
            },
        )
        if bench.failure is not None and not self._has_failed:
            self._has_failed = True
            self._tell(messages.FAILED, f"{type(bench.failure).__name__}: {bench.failure}")
