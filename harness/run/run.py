"""Running one scenario: opens the server and the bench it asks for, lets `phases` direct it, and reports.

The one orchestrator. What it does not know: protocols, words, formats, colours.
"""

from __future__ import annotations

import asyncio
import secrets as chance
import shlex
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.external.command import DeviceCommand, values_of
from fleetrig.harness.external.program_bench import ProgramBench
from fleetrig.harness.platform import platform_of
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.cleanup import clean_up
from fleetrig.harness.run.context import RunContext, as_built, seeded_tokens
from fleetrig.harness.run.interrupts import ctrl_c_at_once
from fleetrig.harness.run.known_deviations import Peer, known_in
from fleetrig.harness.run.open_files import allow_connections
from fleetrig.harness.run.phases import direct
from fleetrig.harness.run.redact import redact
from fleetrig.harness.run.remote_trace import follow_remote_trace
from fleetrig.harness.run.trace_file import TraceFile, about_run, trace_name
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.servers.reference import in_memory, serving
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.under_test import ServerUnderTest, server_under_test
from fleetrig.harness.verdict import PhaseResult, Report, Verdict, worst_verdict
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_s
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceListener
from fleetrig.simulator.drivers.director import Driver
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Behaviour

NEEDS_A_DEVICE: Final = "it is about a device of yours: say --device-command CMD, which starts one (or --own-device)"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, as the command says it; the scenario file never does."""

    real_time: bool = False
    against: RemoteServer | None = None
    profile: str = ""
    """The generation of our own server; empty for the newest of the scenario's platform."""
    seed: int = 1
    results: Path = Path("fleetrig-results")
    trace: Path | None = None
    """Keep the trace here, whatever the verdict; otherwise only that of a failure, among the results."""
    verify: ssl.SSLContext | bool = True
    listener: TraceListener | None = None
    """Sees the events as they happen."""
    behaviour: Callable[[Behaviour], Behaviour] = as_built
    """What becomes of the behaviour of each device; tests hand in devices that misbehave."""
    device: DeviceCommand | None = None
    """The device under test: a program for scenarios with external devices."""
    own_device: bool = False
    """Our own simulated device takes the place of an external one."""
    known: Peer | None = None
    """Where the device or server under test is known to deviate."""
    again: tuple[str, ...] = ()
    """The words of a command line, beyond the run's name and seed, that run it the same way again."""
    broken_off: Callable[[Report], object] = lambda _: None
    """Told how far a run had come that Ctrl-C, or a bug of ours, broke off."""

    @property
    def time(self) -> str:
        is_real = self.real_time or self.against is not None or self.device is not None
        return "real" if is_real else "virtual"


async def run(expanded: Expanded, options: RunOptions) -> Report:
    """One expanded scenario. Never raises for what a server, a device or a bench does: that becomes the verdict."""
    attempt = Attempt(expanded, options)
    try:
        if options.time == "real":
            await attempt.in_real_time()
        else:
            attempt.in_virtual_time()
    except SkipScenario as skip:
        return attempt.report(Verdict.SKIPPED, str(skip))
    except FleetrigError as broken:
        return attempt.report(Verdict.BROKEN, str(broken))
    except BaseException as gone:
        is_interrupt = isinstance(gone, KeyboardInterrupt | asyncio.CancelledError)
        why = "interrupted" if is_interrupt else f"this is a bug in fleetrig ({type(gone).__name__}: {gone})"
        options.broken_off(attempt.report(Verdict.BROKEN, why))
        raise
    return attempt.report()


class SkipScenario(Exception):
    """The server lacks what the scenario needs, or there is no device for it."""


class Attempt:
    """One run: its trace, its secrets, its server and its bench."""

    def __init__(self, expanded: Expanded, options: RunOptions, watch: PowerCutTrigger | None = None) -> None:
        self.scenario = expanded.scenario
        self.platform = platform_of(expanded.scenario.platform)
        self.profile = options.profile or self.platform.vocabulary.profiles[0]
        self.options = options
        self.name = expanded.name
        self.trace = Trace()
        self.secrets = Secrets()
        for secret in expanded.secrets:
            self.secrets.learn("secret", secret)
        goal = options.trace or options.results / trace_name(expanded.name, options.seed)
        self.trace_file = TraceFile(goal, about_run(expanded, options.seed, options.time), self.secrets)
        self.trace.listen(self.trace_file.write)
        if options.listener is not None:
            self.trace.listen(options.listener)
        self._watch = watch
        """Lists the points at which power can be cut, in a dry run."""
        self._began_s = time.monotonic()
        self._context: RunContext | None = None
        self._began_us = 0
        self._left_behind = ""

    def report(self, verdict: Verdict | None = None, reason: str = "") -> Report:
        """Ends the run. Without a verdict it is that of the phases; what was left behind breaks any."""
        phases = self._phases(reason)
        if self._left_behind:
            verdict, reason = Verdict.BROKEN, "; ".join(filter(None, [reason, self._left_behind]))
        verdict = verdict or worst_verdict(phase.verdict for phase in phases)
        self.trace.emit(self._now_us(), Lane.BENCH, "ended", name=verdict, reason=self.secrets.hide(reason))
        trace_file, complaint = self._keep_trace(verdict)
        reason = "; ".join(filter(None, [reason, complaint]))
        against = self.options.against
        return Report(
            name=self.name,
            title=redact(self.scenario.title, self.secrets.hide),
            verdict=verdict,
            reason=redact(reason, self.secrets.hide),
            phases=redact(phases, self.secrets.hide),
            took_s=time.monotonic() - self._began_s,
            simulated_s=to_s(self._now_us() - self._began_us) if self._context is not None else 0.0,
            devices=sum(1 for _ in self.scenario.devices.units()),
            target="reference server" if against is None else against.name,
            profile=self.profile if against is None else "",
            time=self.options.time,
            seed=self.options.seed,
            version=VERSION,
            trace_file=trace_file,
            rerun=shlex.join(["fleetrig", "run", self.name, "--seed", str(self.options.seed), *self.options.again]),
        )

    def _keep_trace(self, verdict: Verdict) -> tuple[str, str]:
        """Where the trace lies, and why it does not; a full disk takes nothing away from the verdict."""
        keep = self.options.trace is not None or verdict in (Verdict.FAILED, Verdict.BROKEN)
        try:
            return str(self.trace_file.close(keep=keep) or ""), ""
        except BrokenBench as broken:
            return "", str(broken)

    def in_virtual_time(self) -> tuple[PhaseResult, ...]:
        """Server and fleet in one process, no sockets, no waiting."""
        seed = self.options.seed
        server, handler = in_memory(
            self.platform, self._build(), self.profile, self.trace, self.secrets, seed, lambda: bench.now_us()
        )
        self._check_needs(server)
        bench = VirtualBench(handler, self.trace, seed=seed)
        with ctrl_c_at_once():
            return bench.run(direct(self._new_context(bench, server, seeded_tokens(seed))))

    async def in_real_time(self) -> tuple[PhaseResult, ...]:
        """Real sockets: against the given server, or a reference server of its own."""
        against = self.options.against
        if against is not None:
            if against.platform not in ("", self.platform.name):
                raise SkipScenario(f"{against.name} is {against.platform}, the scenario is for {self.platform.name}")
            return await self._meet(server_under_test(against, self.platform))
        async with serving(self.platform, self._build(), self.profile, self.trace, self.secrets) as server:
            return await self._meet(server)

    def _build(self) -> PlatformBuilder:
        """How our own server plays the platform. Raises UsageError for start-up properties that there are not."""
        properties = {name: str(value) for name, value in self.scenario.server.properties.items()}
        try:
            return self.platform.own_server.build(properties, self.profile)
        except ValueError as wrong:
            raise UsageError(f"{self.scenario.path}: server.properties: {wrong}") from None

    async def _meet(self, server: ServerUnderTest) -> tuple[PhaseResult, ...]:
        """Leaving the bench switches all devices off; then everything on a server of others is taken back."""
        self._check_needs(server)
        allow_connections(sum(1 for _ in self.scenario.devices.units()))
        try:
            async with (
                RealBench(self.trace, seed=self.options.seed, verify=self.options.verify) as bench,
                self._devices(bench) as devices,
            ):
                context = self._new_context(devices, server, lambda _: chance.token_hex(16))
                async with follow_remote_trace(None if server.is_own else server.control, bench, context.prefix):
                    return await bench.run(direct(context))
        finally:
            if not server.is_own and self._context is not None:
                await _to_its_end(self._take_back(self._context))

    async def _take_back(self, context: RunContext) -> None:
        async with RealBench(self.trace, verify=self.options.verify) as bench:
            self._left_behind = await bench.run(clean_up(context))

    def _devices(self, bench: RealBench) -> AbstractAsyncContextManager[Driver]:
        """Who has the devices' power switches: the bench itself, or one that starts programs."""
        if self.options.device is None or not self.scenario.devices.external:
            return nullcontext(bench)
        return ProgramBench(bench, self.options.device, self._describe, self._results(), self.secrets)

    def _describe(self, agent: Agent, folder: Path) -> Mapping[str, str]:
        assert self._context is not None
        device = self._context.devices[agent.identity.serial]
        credential = self.platform.credential_values(device.credential)
        return values_of(device.identity, credential, self._context.server.url, folder)

    def _results(self) -> Path:
        return self.options.results / trace_name(self.name, self.options.seed, "")

    def _new_context(self, bench: Driver, server: ServerUnderTest, new_token: Callable[[str], str]) -> RunContext:
        for kind, secret in server.admin.secrets():
            self.secrets.learn(kind, secret)
        prefix = "" if server.is_own else f"fleetrig-{chance.token_hex(3)}-"
        self._began_us = bench.now_us()
        context = RunContext(
            self.scenario, self.platform, bench, server, self.secrets, new_token, self._results(), prefix,
            self.options.behaviour, self._watch,
            known=known_in(self.options.known, self.name),
        )  # fmt: skip
        if isinstance(bench, ProgramBench):
            context.output_of, context.image = bench.output_of, bench.image
        self._context = context
        return context

    def _check_needs(self, server: ServerUnderTest) -> None:
        if self.scenario.devices.external:
            if self.options.device is None and not self.options.own_device:
                raise SkipScenario(NEEDS_A_DEVICE)
            if not server.is_own and server.control is None:
                raise SkipScenario(f"{server.name} does not tell what it saw of the device: only our own server does")
        if lacking := server.lacks((self.scenario.devices.over, *self.scenario.needs)):
            raise SkipScenario(f"{server.name} lacks {', '.join(lacking)}")

    def _phases(self, broken: str) -> tuple[PhaseResult, ...]:
        if self._context is None:
            return ()
        progress = self._context.progress
        return progress.broken(broken, self._now_us()) if broken else tuple(progress.done)

    def _now_us(self) -> int:
        return VIRTUAL_EPOCH_US if self._context is None else self._context.driver.now_us()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Ctrl-C that comes meanwhile is heard afterwards. Pressing it twice ends the wait."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
