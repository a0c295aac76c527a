"""A week of polls, and ten thousand connections one after another: what a run holds must not grow."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from itertools import count

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.benchmarks import bench_virtual_time
from tests.benchmarks.measure import show
from tests.conversation.echo_platform import EchoPlatform
from tests.conversation.gateway import Gateway

DAY_S = 86_400.0
MAY_GROW_BYTES = 256 * 1024
"""Caches fill, and a week has longer numbers than a day."""


def soak_a_week_of_polls() -> None:
    virtual, agents = bench_virtual_time.bench(100)

    growth = grown_bytes(lambda: virtual.run_for(DAY_S), times=7)

    show("growth from the first day to the seventh, 100 polling devices", f"{growth:,} bytes", f"{MAY_GROW_BYTES:,}")
    assert all(agent.is_on for agent in agents)
    assert growth < MAY_GROW_BYTES


def soak_ten_thousand_connections() -> None:
    store = MemoryStore()
    platform = EchoPlatform(store)
    server = Server(platform, store, FaultPlan(lambda: 0.5), Trace(), Secrets())
    virtual, numbers = VirtualBench(server, Trace(), seed=1), count(1)

    def connect_all() -> None:
        for _ in range(1_000):
            agent = Agent(DeviceIdentity(f"gw-{next(numbers) % 50}", "T"), Gateway("mqtt://echo.test:1883"))
            virtual.power_on(agent)
            virtual.run_for(60.0)
            virtual.power_cut(agent)

    growth = grown_bytes(connect_all, times=10)

    show("growth from 1,000 connections to 10,000", f"{growth:,} bytes", f"{MAY_GROW_BYTES:,}")
    assert platform.published("gw-1") >= 10_000 // 50
    assert growth < MAY_GROW_BYTES


def grown_bytes(work: Callable[[], None], times: int) -> int:
    """Does the work so many times. Returns the memory after the last beyond that after the first."""
    tracemalloc.start()
    held = []
    for _ in range(times):
        work()
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held[-1] - held[0]
