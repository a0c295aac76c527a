"""10,000 devices poll for an hour of virtual time: the exact engine with the real platform code.

Beside it, what plain SimPy processes take.
"""

from __future__ import annotations

import gc
import random
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.serve import builder_of
from fleetrig.harness.servers.own_server import in_memory
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import GatewayToken
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.fleet import numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from tests.benchmarks.measure import ROUNDS, median, show
from tests.benchmarks.plain_processes import PlainFleet, WaitingAlarms, WaitingProcesses
from tests.harness.command import environment

DEVICES = 10_000
FEW = 3_000
MANY = 100_000
SLICE_US = 150 * US_PER_S
HOUR_S = 3_600.0
TRACED_FRAMES = 8
SCENARIO = f"""
scenario: Ten thousand devices poll for an hour
devices:
  {{count: {DEVICES}, flow: hawkbit, serial: "HB-{{n:06d}}", credential: gateway_token, poll_jitter: 0.1}}
phases:
  - name: an hour of polls
    do: {{power_on: {{spread: 5m}}}}
    for: 1h
    expect: [{{answered_within: {{of: poll, p99: 1s}}}}]
"""
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


def bench_an_hour_of_polls_as_a_user_runs_it() -> None:
    """The same in a scenario, with a check and the trace in a file; by turns with the engine alone."""
    alone_s, run_s, cohort_s = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hour.yaml").write_text(SCENARIO, encoding="utf-8")
        for _ in range(ROUNDS):
            virtual, _agents = bench(DEVICES)
            alone_s.append(cpu_s_of(partial(virtual.run_for, HOUR_S)))
            run_s.append(cpu_s_of_command(folder, "--engine", "exact", "--trace", "hour.trace.jsonl"))
            cohort_s.append(cpu_s_of_command(folder, "--engine", "cohort"))
    print(f"\n  fleetrig run of {DEVICES:,} devices that poll every 5 min for an hour, with a check")
    show("CPU, exact engine, trace in a file", f"{median(run_s):.1f} s")
    show("against the engine alone", f"{median(run_s) / median(alone_s):.2f}x", "1.5x")
    show("CPU, array engine", f"{median(cohort_s):.2f} s")


def cpu_s_of_command(folder: Path, *options: str) -> float:
    """Of a process of its own, its start included."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "fleetrig.harness.entry", "run", "hour.yaml", *options]
    subprocess.run(words, cwd=folder, env=environment(), check=True, capture_output=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def bench_waits_of_a_large_fleet() -> None:
    """What time itself costs: nobody does anything, but waits for its next poll and for its answer."""
    draws = random.Random(1)
    pauses_us = [draws.randrange(270 * US_PER_S, 330 * US_PER_S) for _ in range(10_007)]
    plain, ours = WaitingProcesses(pauses_us, MANY), WaitingAlarms(pauses_us, MANY)
    plain_s, ours_s = [], []
    for at_us in range(400 * US_PER_S, 400 * US_PER_S + ROUNDS * SLICE_US, SLICE_US):
        plain_s.append(cpu_s_of(partial(plain.run_until, at_us)))
        ours_s.append(cpu_s_of(partial(ours.run_until, at_us)))
    polls = MANY * SLICE_US / (300 * US_PER_S)
    print(f"\n  {MANY:,} devices that only wait, twice for each poll; the first 400 s are not counted")
    show("SimPy processes, CPU per poll", f"{median(plain_s[1:]) / polls * 1e6:.2f} us")
    show("exact engine's events, CPU per poll", f"{median(ours_s[1:]) / polls * 1e6:.2f} us")
    show("events per second, against SimPy's processes", f"{median(plain_s[1:]) / median(ours_s[1:]):.1f}x", "2x")


def bench_against_plain_processes() -> None:
    """The same polls of the same server: by SimPy processes that are nothing but a loop, and by whole devices."""
    virtual, _ = bench(FEW)
    plain = plain_fleet(FEW)
    virtual.run_for(600.0)
    plain.run_for(600.0)
    gc.collect()
    plain_us, ours_us = [], []
    for _ in range(ROUNDS):
        events, polls = virtual.events, plain.polls
        ours_s, plain_s = cpu_s_of(lambda: virtual.run_for(600.0)), cpu_s_of(lambda: plain.run_for(600.0))
        ours_us.append(ours_s / (virtual.events - events) * 2e6)
        plain_us.append(plain_s / (plain.polls - polls) * 1e6)
    print(f"\n  {FEW:,} devices poll the same server in memory")
    show("bare SimPy processes, CPU per poll", f"{median(plain_us):.1f} us")
    show("exact engine: flow, stages, draws, any fault, any platform", f"{median(ours_us):.1f} us")


def plain_fleet(devices: int) -> PlainFleet:
    secrets, trace = Secrets(), Trace()
    server, handler = in_memory(
        platform_of("hawkbit"), builder_of(Settings()), "1.1", trace, secrets, 1, lambda: int(plain.env.now)
    )
    VirtualBench(handler, trace, seed=1).run(cast(HawkbitAdmin, server.admin).configure(GATEWAY))
    plain = PlainFleet(handler.exchange, server.url, GatewayToken("bench-gateway-key"), jitter=0.1)
    for position, device in enumerate(numbered("HB-{n:06d}", devices, "DEFAULT")):
        plain.power_on(device, 300 * US_PER_S * position // devices)
    return plain


def cpu_s_of(work: Callable[[], None]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def bench_memory_of_a_fleet() -> None:
    virtual, agents = bench(1)
    virtual.run_for(400.0)
    gc.collect()
    tracemalloc.start(TRACED_FRAMES)
    settings = HawkbitSettings("http://hawkbit.test:8080", poll_jitter=0.1)
    agents += fleet("MEM-{n:06d}", DEVICES, settings)
    for position, agent in enumerate(agents[1:]):
        virtual.power_on(agent, after_s=300.0 * position / DEVICES)
    virtual.run_for(900.0)
    gc.collect()
    platform_bytes = registry_bytes()
    total_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"\n  memory of {DEVICES:,} idle polling devices")
    show("device side, bytes per device", f"{(total_bytes - platform_bytes) / DEVICES:,.0f}", "1,024")
    show("server side (its record of the target), bytes per device", f"{platform_bytes / DEVICES:,.0f}")


def registry_bytes() -> int:
    """What the reference server holds at the moment: what was made in its code, or on its behalf."""
    snapshot = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(True, "*/reference_server/*", all_frames=True)]
    )
    return sum(entry.size for entry in snapshot.statistics("filename"))
