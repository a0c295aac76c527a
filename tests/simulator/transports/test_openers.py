"""Real time has its openers without anybody handing them in, and their libraries cost nothing until they are needed."""

from __future__ import annotations

import subprocess
import sys

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Connect, Flow, Pause
from fleetrig.simulator.transports import openers
from tests.simulator.transports.test_mqtt import CONNACK, says
from tests.simulator.transports.test_stream_socket import run, serving


def test_no_library_is_imported_before_its_time() -> None:
    code = f"import sys, {openers.__name__}; print([name for name in ('paho', 'aiocoap') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_a_bench_in_real_time_speaks_mqtt() -> None:
    async def test() -> None:
        trace.listen(events.append)
        async with serving(says(CONNACK)) as port, RealBench(trace) as bench:
            bench.power_on(Agent(DeviceIdentity("dev"), lambda _, __: connecting(f"mqtt://127.0.0.1:{port}")))
            assert await bench.run(until("connected"))

    def until(kind: str) -> Director[bool]:
        met = yield Until(lambda: kind in [event.kind for event in events], 20.0)
        return bool(met)

    trace, events = Trace(), list[TraceEvent]()
    run(test())


def connecting(where: str) -> Flow:
    yield Connect("connect", where, MqttConnect("dev"), 20.0)
    yield Pause(60.0, 60.0, "on")
