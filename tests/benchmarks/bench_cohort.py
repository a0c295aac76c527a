"""Fleets as arrays beside one SimPy process for each device, and the same body as machine code.

Both engines do the same work: requests, answers, figures. Building them counts on neither side, and the window's width
is the one that the engine chooses.
"""

from __future__ import annotations

import gc
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.arrays import ArrayFleet, can_be_compiled
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.model import Budget, Cohort, Disruption, FleetModel, RetryRule, ServerModel, Starts
from fleetrig.simulator.cohort.processes import ProcessFleet
from tests.benchmarks.measure import median, resident_mib, show

S: Final = 1_000_000
HOUR_US: Final = 3_600 * S
DAY_US: Final = 24 * HOUR_US
MILLION: Final = 1_000_000
ROUNDS: Final = 3
THREE_POLLS_US: Final = 1_000 * S
"""No device has polled less than three times by then."""
PLAIN: Final = Cohort("gateways", MILLION, (270 * S, 330 * S), RetryRule(Policy.EQUAL_JITTER))
Engine = Callable[[FleetModel], FleetEngine]


def compiled_fleet(model: FleetModel) -> FleetEngine:
    return ArrayFleet(model, compiled=True)


ARRAY_ENGINES: Final[dict[str, Engine]] = {"arrays": ArrayFleet} | (
    {"arrays, compiled": compiled_fleet} if can_be_compiled() else {}
)


def fleet_of(count: int, capacity_share: float | None = None) -> FleetModel:
    """`capacity_share`: what the server can do, as a multiple of what the fleet usually asks for."""
    server = ServerModel() if capacity_share is None else ServerModel(round(300 * S / count / capacity_share), 2 * S)
    return FleetModel((replace(PLAIN, count=count),), server)


def spent(engine: Engine, model: FleetModel, until_us: int, disruption: Disruption | None = None) -> tuple[float, int]:
    """CPU seconds and requests. A first second is not counted: machine code is loaded then."""
    fleet = engine(model)
    fleet.start(range(model.count), Starts(in_equilibrium=True))
    if disruption is not None:
        fleet.disrupt(disruption)
    fleet.run_until(S)
    began_s = time.process_time()
    fleet.run_until(until_us)
    took_s = time.process_time() - began_s
    return took_s, sum(int(each.requests.sum()) for each in fleet.figures.cohorts)


@contextmanager
def no_collecting() -> Iterator[None]:
    """A million processes are no garbage, and to look at them again and again would be counted as their work."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def bench_a_million_devices_for_a_day() -> None:
    print(f"\n  {MILLION:,} devices, 24 hours, a poll every 5 minutes ± 10 %")
    took: dict[str, list[float]] = {name: [] for name in ARRAY_ENGINES}
    for _ in range(ROUNDS):
        for name, engine in ARRAY_ENGINES.items():
            took_s, requests = spent(engine, fleet_of(MILLION), DAY_US)
            took[name].append(took_s)
            assert requests > 287_000_000
    for name, each in took.items():
        show(f"CPU, {name}", f"{median(each):.1f} s, {median(each) / 0.288:.0f} ns/poll", "60 s")
    assert median(took["arrays"]) < 60


def bench_arrays_beside_processes() -> None:
    with no_collecting():
        beside(MILLION, THREE_POLLS_US, aim=100)
        beside(10_000, HOUR_US, aim=5)


def beside(count: int, until_us: int, aim: int) -> None:
    print(f"\n  {count:,} devices, {until_us / S:,.0f} s, CPU for a poll")
    engines: dict[str, Engine] = {"processes": ProcessFleet} | ARRAY_ENGINES
    each_ns: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            took_s, requests = spent(engine, fleet_of(count), until_us)
            each_ns[name].append(took_s / requests * 1e9)
    processes_ns = median(each_ns["processes"])
    for name, each in each_ns.items():
        show(
            name,
            f"{median(each):,.0f} ns, {processes_ns / median(each):.0f}x",
            "" if name == "processes" else f"{aim}x",
        )
    assert processes_ns / median(each_ns["arrays"]) >= aim


def bench_an_outage() -> None:
    print(f"\n  {MILLION:,} devices, an hour with an outage of 20 minutes, a server of 1.5 times the usual rate")
    outage = Disruption(10 * 60 * S, 30 * 60 * S)
    each_ns: dict[str, list[float]] = {name: [] for name in ARRAY_ENGINES}
    for _ in range(ROUNDS):
        for name, engine in ARRAY_ENGINES.items():
            took_s, requests = spent(engine, fleet_of(MILLION, 1.5), HOUR_US, outage)
            each_ns[name].append(took_s / requests * 1e9)
    for name, each in each_ns.items():
        show(name, f"{median(each):.0f} ns/request")


def bench_bytes_for_each_device() -> None:
    print(f"\n  {MILLION:,} devices: bytes for each at most, while they are built and for ten minutes")
    plain = fleet_of(MILLION)
    features: dict[str, FleetModel] = {
        "plain": plain,
        "a server of finite capacity": fleet_of(MILLION, 1.5),
        "decorrelated jitter": with_rule(plain, RetryRule(Policy.DECORRELATED_JITTER)),
        "a retry budget": with_rule(plain, RetryRule(Policy.EQUAL_JITTER, budget=Budget(3_000, 100))),
    }
    for name, model in features.items():
        show(name, f"{bytes_each(model):.1f}", "40" if name == "plain" else "")
    show("further work for all of them", f"{bytes_each(plain, requests=3):.1f}")
    assert bytes_each(plain) <= 40


def with_rule(model: FleetModel, rule: RetryRule) -> FleetModel:
    return replace(model, cohorts=(replace(model.cohorts[0], retry=rule),))


def bytes_each(model: FleetModel, requests: int = 0) -> float:
    gc.collect()
    tracemalloc.start()
    fleet = ArrayFleet(model)
    fleet.start(range(model.count), Starts(in_equilibrium=True))
    if requests:
        fleet.give_work(range(model.count), requests)
    fleet.run_until(600 * S)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / model.count


def bench_a_week() -> None:
    """The figures are kept second by second, and nothing else grows: rows that count nothing take no memory."""
    print("\n  100,000 devices, seven days: resident memory of this process")
    fleet = ArrayFleet(fleet_of(100_000, 1.5))
    fleet.start(range(100_000), Starts(in_equilibrium=True))
    fleet.run_until(7 * HOUR_US)
    before_mib = resident_mib(os.getpid())
    fleet.run_until(7 * DAY_US)
    after_mib = resident_mib(os.getpid())
    figures_mib = 3 * 8 * 7 * 86_400 / 2**20
    show("after seven hours, after seven days", f"{before_mib:.0f}, {after_mib:.0f} MiB")
    show("of the difference, three rows of figures", f"{figures_mib:.0f} MiB")
    assert after_mib - before_mib < 2 * figures_mib
