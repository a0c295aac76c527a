"""10,000 devices poll for an hour of virtual time: the exact engine with the real platform code."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import cast

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.serve import builder_of
from fleetrig.harness.servers.own_server import in_memory
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import GatewayToken
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.fleet import numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from tests.benchmarks.measure import show

DEVICES = 10_000
HOUR_S = 3_600.0
GATEWAY = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": "bench-gateway-key"}


def bench(devices: int) -> tuple[VirtualBench, list[Agent]]:
    """A fleet that is switched on over one poll interval."""
    secrets, trace = Secrets(), Trace()
    platform, build = platform_of("hawkbit"), builder_of(Settings())
    server, handler = in_memory(platform, build, "1.1", trace, secrets, 1, lambda: virtual.now_us())
    virtual = VirtualBench(handler, trace, seed=1)
    virtual.run(cast(HawkbitAdmin, server.admin).configure(GATEWAY))
    settings = HawkbitSettings(server.url, poll_jitter=0.1)
    agents = fleet("HB-{n:06d}", devices, settings)
    for position, agent in enumerate(agents):
        virtual.power_on(agent, after_s=300.0 * position / devices)
    return virtual, agents


def fleet(template: str, count: int, settings: HawkbitSettings) -> list[Agent]:
    device = HawkbitDevice(settings, GatewayToken("bench-gateway-key"))
    return [Agent(identity, device) for identity in numbered(template, count, "DEFAULT")]


def bench_an_hour_of_polls() -> None:
    virtual, agents = bench(DEVICES)
    began_s = time.process_time()
    virtual.run_for(HOUR_S)
    took_s = time.process_time() - began_s
    print(f"\n  {DEVICES:,} devices, one hour, polls every 5 min, real platform code")
    show("CPU", f"{took_s:.1f} s", "60 s")
    show("events per second", f"{virtual.events / took_s:,.0f}")
    assert all(agent.is_on for agent in agents)


def bench_memory_of_a_fleet() -> None:
    count = 2_000
    virtual, agents = bench(1)
    virtual.run_for(400.0)
    gc.collect()
    tracemalloc.start()
    settings = HawkbitSettings("http://hawkbit.test:8080", poll_jitter=0.1)
    agents += fleet("MEM-{n:06d}", count, settings)
    server_before = registry_bytes()
    for position, agent in enumerate(agents[1:]):
        virtual.power_on(agent, after_s=300.0 * position / count)
    virtual.run_for(900.0)
    gc.collect()
    platform_bytes = registry_bytes() - server_before
    total_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"\n  memory of {count:,} idle polling devices")
    show("device side, bytes per device", f"{(total_bytes - platform_bytes) / count:,.0f}", "2,048")
    show("server side (its record of the target), bytes per device", f"{platform_bytes / count:,.0f}")


def registry_bytes() -> int:
    """What the reference server's code holds at the moment."""
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(True, "*/reference_server/*", all_frames=False)]
    )
    return sum(entry.size for entry in snapshot.statistics("filename"))
