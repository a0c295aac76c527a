"""Running one scenario: opens the server and the bench it asks for, lets `phases` direct it, and reports.

The one orchestrator. What it does not know: protocols, words, formats, colours.
"""

from __future__ import annotations

import asyncio
import secrets as chance
import shlex
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.phases import clear_away, direct
from harness.plan import Expanded
from harness.rig import Rig, seeded_tokens
from harness.servers.reference import bench_settings, in_memory, serving
from harness.servers.under_test import ServerUnderTest
from harness.trace_file import TraceFile, trace_name
from harness.verdict import PhaseResult, Report, Verdict, worst
from harness.version import VERSION
from simulator.contract.clock import to_s
from simulator.contract.errors import FleetrigError
from simulator.contract.masking import Secrets
from simulator.contract.trace import Listener, Trace
from simulator.contract.wire import Json
from simulator.drivers.power import PowerWatch
from simulator.drivers.realtime import RealBench
from simulator.drivers.virtual import VirtualBench
from simulator.fleet import HawkbitProgram
from simulator.flows.hawkbit import hawkbit

Outcome = tuple[tuple[PhaseResult, ...], float]
"""What a run gives: its phases, and how many seconds passed on the bench's clock."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, as the command says it; the scenario file never does."""

    real_time: bool = False
    against: ServerUnderTest | None = None
    profile: str = "1.1"
    seed: int = 1
    results: Path = Path("fleetrig-results")
    trace: Path | None = None
    """Keep the trace here, whatever the verdict; otherwise only that of a failure, among the results."""
    verify: ssl.SSLContext | bool = True
    listener: Listener | None = None
    """Whoever wants to see the events as they happen."""
    programs: Mapping[str, HawkbitProgram] = field(default_factory=lambda: {"standard": hawkbit})
    """`behaviour` -> the program that devices run; tests hand in broken ones."""

    @property
    def time(self) -> str:
        return "real" if self.real_time or self.against is not None else "virtual"


async def run(expanded: Expanded, options: RunOptions) -> Report:
    """One expanded scenario. Never raises for what a server, a device or a bench does: that becomes the verdict."""
    began_s = time.monotonic()
    attempt = Attempt(expanded, options)
    blank = attempt.blank_report()
    try:
        if options.time == "real":
            phases, simulated_s = await attempt.in_real_time()
        else:
            phases, simulated_s = attempt.in_virtual_time()
        verdict, reason = worst(phase.verdict for phase in phases), ""
    except SkipScenario as skip:
        phases, simulated_s, verdict, reason = (), 0.0, Verdict.SKIPPED, str(skip)
    except FleetrigError as broken:
        phases, simulated_s, verdict, reason = (), 0.0, Verdict.BROKEN, str(broken)
    kept = attempt.trace_file.close(keep=options.trace is not None or verdict in (Verdict.FAILED, Verdict.BROKEN))
    return replace(
        blank,
        verdict=verdict,
        reason=attempt.secrets.hide(reason),
        phases=phases,
        took_s=time.monotonic() - began_s,
        simulated_s=simulated_s,
        trace_file="" if kept is None else str(kept),
    )


class SkipScenario(Exception):
    """The server lacks what the scenario needs."""


class Attempt:
    """One run: its trace, its secrets, its server and its bench."""

    def __init__(self, expanded: Expanded, options: RunOptions, watch: PowerWatch | None = None) -> None:
        self.scenario = expanded.scenario
        self.options = options
        self.name = expanded.name
        self.watch = watch
        """Lists the points at which power can be cut, in a dry run."""
        self.trace = Trace()
        self.secrets = Secrets()
        for secret in expanded.secrets:
            self.secrets.learn("secret", secret)
        goal = options.trace or options.results / trace_name(expanded.name)
        about: dict[str, Json] = {"fleetrig": VERSION, "run": self.name, "seed": options.seed, "time": options.time}
        self.trace_file = TraceFile(goal, about, self.secrets)
        self.trace.listen(self.trace_file.write)
        if options.listener is not None:
            self.trace.listen(options.listener)

    def blank_report(self) -> Report:
        against = self.options.against
        return Report(
            name=self.name,
            title=self.scenario.title,
            verdict=Verdict.BROKEN,
            devices=sum(1 for _ in self.scenario.devices.units()),
            target="reference server" if against is None else against.name,
            profile=self.options.profile,
            time=self.options.time,
            seed=self.options.seed,
            version=VERSION,
            rerun=self.rerun(),
        )

    def rerun(self) -> str:
        """The command that does the same again."""
        parts = ["fleetrig", "run", self.name, "--seed", str(self.options.seed)]
        if self.options.against is not None:
            parts += ["--against", self.options.against.url]
        elif self.options.real_time:
            parts += ["--time", "real"]
        return shlex.join(parts)

    def in_virtual_time(self) -> Outcome:
        """Server and fleet in one process, no sockets, no waiting."""
        seed = self.options.seed
        settings = bench_settings(self.scenario, self.options.profile)
        server, handler = in_memory(settings, self.trace, self.secrets, seed, lambda: bench.now_us())
        self.check_needs(server)
        bench = VirtualBench(handler, self.trace, seed=seed)
        began_us = bench.now_us()
        phases = bench.conduct(direct(self.rig(bench, server, seeded_tokens(seed))))
        return phases, to_s(bench.now_us() - began_us)

    async def in_real_time(self) -> Outcome:
        """Real sockets: against the given server, or a reference server of its own."""
        if self.options.against is not None:
            return await self.meet(self.options.against)
        settings = bench_settings(self.scenario, self.options.profile)
        async with serving(settings, self.trace, self.secrets) as server:
            return await self.meet(server)

    async def meet(self, server: ServerUnderTest) -> Outcome:
        self.check_needs(server)
        async with RealBench(self.trace, seed=self.options.seed, verify=self.options.verify) as bench:
            began_us = bench.now_us()
            rig = self.rig(bench, server, lambda _: chance.token_hex(16))
            try:
                phases = await bench.conduct(direct(rig))
            finally:
                for device in rig.devices.values():
                    bench.power_cut(device.agent)
                await asyncio.shield(bench.conduct(clear_away(rig)))
            return phases, to_s(bench.now_us() - began_us)

    def rig(self, bench: RealBench | VirtualBench, server: ServerUnderTest, new_token: Callable[[str], str]) -> Rig:
        self.secrets.learn("password", server.admin.basic.removeprefix("Basic "))
        prefix = "" if server.is_own else f"fleetrig-{chance.token_hex(3)}-"
        program = self.options.programs[self.scenario.devices.behaviour]
        results = self.options.results / self.name
        return Rig(self.scenario, bench, server, self.secrets, new_token, results, prefix, program, self.watch)

    def check_needs(self, server: ServerUnderTest) -> None:
        if lacking := server.lacks(self.scenario.needs):
            raise SkipScenario(f"{server.name} lacks {', '.join(lacking)}")
