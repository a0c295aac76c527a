"""One run of a scenario: opens the server and the bench that it needs, lets `phases` direct it, and makes the report.

The one orchestrator. What it does not know: protocols, words, formats, colours.
"""

from __future__ import annotations

import secrets as chance
import shlex
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetrig.harness.external.certificate_files import certificate_files
from fleetrig.harness.external.command import values_of
from fleetrig.harness.external.program_bench import ProgramBench
from fleetrig.harness.platform import platform_of
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.cleanup import RunCleanup
from fleetrig.harness.run.collector import spared_collector
from fleetrig.harness.run.context import RunContext, seeded_tokens
from fleetrig.harness.run.interrupts import finish_despite_stop, stopping_at_once, telling
from fleetrig.harness.run.known_deviations import known_in
from fleetrig.harness.run.open_files import raise_file_limit
from fleetrig.harness.run.phases import run_scenario
from fleetrig.harness.run.redact import redact
from fleetrig.harness.run.remote_trace import follow_remote_trace
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.sampled_trace import WRITTEN_WHOLE, evidence_kept, one_of_many
from fleetrig.harness.run.trace_file import TraceFile, about_run, trace_name
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES
from fleetrig.harness.servers.lacking import lacking_server
from fleetrig.harness.servers.own_server import Proxied, in_memory, proxied_server, serving
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.servers.under_test import ServerUnderTest, server_under_test
from fleetrig.harness.verdict import Lack, PhaseResult, Report, Verdict, verdict_of_phases
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_s
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.drivers.director import Driver, LoadDriver
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench

if TYPE_CHECKING:
    from fleetrig.harness.run.board_run import BoardRun

NEEDS_A_DEVICE: Final = "it is about a device of yours: say --device-command CMD, which starts one (or --own-device)"


TELLS_NOTHING: Final = (
    "does not tell what it saw of the device, only fleetrig's own server does: if this is one, give --against the "
    "address of its control interface; else leave --against away"
)
WRONG_PLATFORM: Final = "{0} is {1}, the scenario is for {2}: run it against a server of {2}"


LARGE_FLEET: Final = 1_000
"""From so many devices on a third of a run in virtual time would be spent on garbage that is not there."""


class SkipScenario(Exception):
    """The server lacks what the scenario needs, or there is no device for it."""


class ScenarioRun:
    """One run: its trace, its secrets, its server and its bench."""

    def __init__(
        self, expanded: Expanded, options: RunOptions, watch: PowerCutTrigger | None = None, *, engine: str = ""
    ) -> None:
        """`engine`: why it runs on this one, for the report."""
        self._engine = engine
        self.scenario = expanded.scenario
        self.platform = platform_of(expanded.scenario.platform)
        self.profile = options.profile or self.platform.vocabulary.profiles[0]
        self.options = options
        self.name = expanded.name
        self.command_word = expanded.command_word
        self.trace = Trace()
        self.secrets = Secrets()
        for secret in expanded.secrets:
            self.secrets.learn("secret", secret)
        goal = options.trace or options.results / trace_name(expanded.name, options.seed)
        chooses = options.traced_devices
        if chooses is None and options.trace is None and self.scenario.devices.unit_count() > WRITTEN_WHOLE:
            chooses = one_of_many()
        self._chooses = chooses
        about = about_run(expanded, options.seed, options.time, is_whole=chooses is None)
        self.trace_file = TraceFile(goal, about, self.secrets)
        self.trace.listen(self.trace_file.write, chooses=chooses)
        if options.listener is not None:
            self.trace.listen(options.listener)
        self._watch = watch
        """In a dry run: records the points at which power can be cut."""
        self._began_s = time.monotonic()
        self._context: RunContext | None = None
        self._began_us = 0
        self._left_behind = ""
        self.lacks: tuple[Lack, ...] = ()
        """Why it could not be judged, to be counted over many runs."""
        self._boards: BoardRun | None = None
        self._programs: ProgramBench | None = None

    def report(self, verdict: Verdict | None = None, reason: str = "") -> Report:
        """Ends the run. The default verdict is that of the phases; anything left behind makes it BROKEN."""
        phases = self._phases(reason)
        if self._left_behind:
            verdict, reason = Verdict.BROKEN, "; ".join(filter(None, [reason, self._left_behind]))
        if verdict is None:
            verdict, reason = verdict_of_phases(phases)
        if verdict is Verdict.BROKEN and self.boards_left and self.boards_left not in reason:
            reason = f"{reason}; {self.boards_left}"
        self.trace.emit(self._now_us(), Lane.BENCH, "ended", name=verdict, reason=self.secrets.hide(reason))
        trace_file, complaint = self._keep_trace(verdict)
        reason = "; ".join(filter(None, [reason, complaint]))
        if complaint and self.options.trace is not None:
            verdict = Verdict.BROKEN
        against, seed = self.options.against, str(self.options.seed)
        return Report(
            name=self.name,
            title=redact(self.scenario.title, self.secrets.hide),
            verdict=verdict,
            reason=redact(reason, self.secrets.hide),
            phases=redact(evidence_kept(phases, self._chooses), self.secrets.hide),
            took_s=time.monotonic() - self._began_s,
            simulated_s=to_s(self._now_us() - self._began_us) if self._context is not None else 0.0,
            devices=self.scenario.devices.unit_count(),
            target="reference server" if against is None else against.name,
            profile=self.profile if against is None else "",
            time=self.options.time,
            seed=self.options.seed,
            version=VERSION,
            trace_file=trace_file,
            rerun=shlex.join(["fleetrig", self.options.verb, self.command_word, "--seed", seed, *self.options.again]),
            file=self.scenario.file,
            line=self.scenario.line,
            cites=self.scenario.cites,
            output=self._output,
            boards=self._boards.told if self._boards is not None else (),
            engine=self._engine,
            lacks=self.lacks,
        )

    def _keep_trace(self, verdict: Verdict) -> tuple[str, str]:
        """Returns the path of the trace, and why there is none. Only a trace that was asked for is missed."""
        options = self.options
        keep = options.trace is not None or options.keeps_trace or verdict in (Verdict.FAILED, Verdict.BROKEN)
        if self._boards is not None:
            with closing(self._boards) as boards:
                boards.keep_evidence() if keep else None
        try:
            return str(self.trace_file.close(keep=keep) or ""), ""
        except BrokenBench as broken:
            return "", str(broken)

    def in_virtual_time(self) -> tuple[PhaseResult, ...]:
        """Server and fleet in one process, no sockets, no waiting."""
        seed = self.options.seed
        build, proxied = self.build_own_server()
        server, handler = in_memory(
            self.platform, build, self.profile, self.trace, self.secrets, seed, lambda: bench.now_us(), proxied
        )
        self._check_needs(server)
        admin_listener = next(iter(self.platform.own_server.listeners))
        bench = VirtualBench(
            handler, self.trace, seed=seed, is_open=self.options.is_open, admin_listener=admin_listener
        )
        is_large = self.scenario.devices.unit_count() >= LARGE_FLEET
        with stopping_at_once(), spared_collector() if is_large else nullcontext():
            return bench.run(run_scenario(self._new_context(bench, server, seeded_tokens(seed))))

    @property
    def boards_left(self) -> str:
        """In what the run leaves its boards, and what to do next; empty when it has none."""
        return "" if self._boards is None else self._boards.conditions

    async def in_real_time(self) -> tuple[PhaseResult, ...]:
        """Real sockets: against the given server, or against a reference server started for this run."""
        self._find_boards()
        against = self.options.against
        if against is not None:
            if against.platform not in ("", self.platform.name):
                raise SkipScenario(WRONG_PLATFORM.format(against.name, against.platform, self.platform.name))
            return await self._run_on_server(server_under_test(against, self.platform))
        build, proxied = self.build_own_server()
        async with serving(self.platform, build, self.profile, self.trace, self.secrets, proxied) as server:
            return await self._run_on_server(server)

    def as_load(self, bench: LoadDriver, server: ServerUnderTest) -> tuple[PhaseResult, ...]:
        """Real sockets under gevent; the server is another process. Leaves a shared one as it was."""
        self._check_needs(server)
        try:
            context = self._new_context(bench, server, lambda _: chance.token_hex(16))
            context.forget = bench.forget
            return bench.run(run_scenario(context))
        finally:
            bench.close()
            if not server.is_own and self._context is not None:
                cleanup = RunCleanup(self._context)
                try:
                    bench.run(cleanup.run())
                finally:
                    self._left_behind = cleanup.left_behind()

    def _find_boards(self) -> None:
        """Before anything starts. Raises SkipScenario when the bench lacks one."""
        if not self.scenario.boards:
            return
        # Serial ports and what hangs on them are imported for runs with boards.
        from fleetrig.harness.bench.role_matching import NoFittingBoard
        from fleetrig.harness.run.board_run import BoardRun, desk_for, roles_on

        desk = desk_for(self.options.bench)
        try:
            roles = roles_on(self.scenario.boards, desk)
        except NoFittingBoard as lacking:
            raise SkipScenario(str(lacking)) from None
        options = self.options
        self._boards = BoardRun(desk, roles, self._results(), self.secrets, self.name, options.seed, options.desk)

    def build_own_server(self) -> tuple[PlatformBuilder, Proxied | None]:
        """Returns the builder of our own server, and what stands in front of it for devices with certificates.

        Raises UsageError for unknown start-up properties.
        """
        properties = {name: str(value) for name, value in self.scenario.server.properties.items()}
        try:
            if self._needs_tls:
                return proxied_server(self.platform, properties, self.profile)
            return self.platform.own_server.build(properties, self.profile), None
        except ValueError as wrong:
            raise UsageError(f"{self.scenario.path}: server.properties: {wrong}") from None

    async def _run_on_server(self, server: ServerUnderTest) -> tuple[PhaseResult, ...]:
        """Leaving the bench switches all devices off; then a shared server is cleaned up."""
        self._check_needs(server)
        raise_file_limit(self.scenario.devices.unit_count())
        try:
            async with (
                RealBench(self.trace, seed=self.options.seed, verify=self._verify(server)) as bench,
                self._devices(bench) as devices,
            ):
                context = self._new_context(devices, server, lambda _: chance.token_hex(16))
                async with follow_remote_trace(None if server.is_own else server.control, bench, context.prefix):
                    return await bench.run(run_scenario(context))
        finally:
            if not server.is_own and self._context is not None:
                await self._clean_up(self._context)

    @property
    def _shows_certificates(self) -> bool:
        return self.scenario.devices.credential in self.platform.vocabulary.certificate_credentials

    @property
    def _needs_tls(self) -> bool:
        """Its devices show certificates, or call what our own server opens only where somebody does."""
        proxied = self.platform.own_server.proxied
        called = frozenset(self.platform.vocabulary.listeners_for(self.scenario.devices))
        return self._shows_certificates or (proxied is not None and bool(called & proxied.listeners.keys()))

    def _verify(self, server: ServerUnderTest) -> ssl.SSLContext | bool:
        """Whom devices and operator trust: the throw-away authority of our own server where it has one."""
        return self.options.verify if server.ca is None else verify_with(server.ca, insecure=False)

    async def _clean_up(self, context: RunContext) -> None:
        """Once the devices are off. A stop waits for it; when it is given up, what is left is known all the same."""
        cleanup = RunCleanup(context)

        async def work() -> None:
            async with RealBench(self.trace, verify=self.options.verify) as bench, telling(cleanup.progress):
                await bench.run(cleanup.run())

        try:
            await finish_despite_stop(work())
        finally:
            self._left_behind = cleanup.left_behind()

    def _devices(self, bench: RealBench) -> AbstractAsyncContextManager[Driver]:
        """Returns the driver of the devices: the bench itself, one that starts programs, or one with boards."""
        if self._boards is not None:
            return self._boards.open(bench)
        if self.options.device is None or not self.scenario.devices.external:
            return nullcontext(bench)
        self._programs = ProgramBench(bench, self.options.device, self._describe, self._results(), self.secrets)
        return self._programs

    @property
    def _output(self) -> tuple[tuple[str, str], ...]:
        """What programs have printed, once they are off."""
        return () if self._programs is None else tuple((str(path), said) for path, said in self._programs.kept)

    def _describe(self, agent: Agent, folder: Path) -> Mapping[str, str]:
        assert self._context is not None
        device = self._context.devices[agent.identity.serial]
        given = {
            **self.platform.credential_values(device.credential),
            **self.platform.behaviour_values(device.behaviour),
            **certificate_files(device.credential, self._context.server.ca, folder),
        }
        return values_of(device.identity, given, self._context.server.url, folder)

    def _results(self) -> Path:
        return self.options.results / trace_name(self.name, self.options.seed, "")

    def _new_context(self, bench: Driver, server: ServerUnderTest, new_token: Callable[[str], str]) -> RunContext:
        for account in filter(None, (server.admin, server.line)):
            for kind, secret in account.secrets():
                self.secrets.learn(kind, secret)
        prefix = "" if server.is_own else f"fleetrig-{chance.token_hex(3)}-"
        self._began_us = bench.now_us()
        context = RunContext(
            self.scenario, self.platform, bench, server, self.secrets, new_token, self._results(), prefix,
            self.options.behaviour, self._watch,
            known=known_in(self.options.known, self.name),
        )  # fmt: skip
        if self._boards is not None and self._boards.bench is not None:
            context.boards = self._boards.boards(self._boards.bench)
        if isinstance(bench, ProgramBench):
            context.output_of, context.image, context.forget = bench.output_of, bench.image, bench.forget
        self._context = context
        return context

    def _check_needs(self, server: ServerUnderTest) -> None:
        if self.scenario.devices.external:
            if self.options.device is None and not self.options.own_device:
                raise SkipScenario(NEEDS_A_DEVICE)
            if not server.is_own and server.control is None:
                raise SkipScenario(f"{server.name} {TELLS_NOTHING}")
        certificates = (CLIENT_CERTIFICATES,) if self._shows_certificates else ()
        listeners = self.platform.vocabulary.listeners_for(self.scenario.devices)
        wanted = (*listeners, *certificates, *self.scenario.needs)
        if lacking := server.lacks(wanted):
            of_profiles = [word for word in wanted if word not in server.listeners]
            whose = lacking_server(
                server.name, self.platform.vocabulary, of_profiles,
                is_own=server.is_own, is_reference=server.is_reference,
            )  # fmt: skip
            self.lacks = whose.lacks(lacking)
            raise SkipScenario(whose.why_skipped(lacking))

    @property
    def has_begun(self) -> bool:
        """Something was done to server, devices or boards; before that a run that is stopped has nothing to tell."""
        return bool(self.boards_left) or (self._context is not None and bool(self._phases("") or self.phase))

    @property
    def phase(self) -> str:
        """The name of the phase that is under way; empty when none is."""
        return "" if self._context is None else self._context.progress.phase

    def _phases(self, broken: str) -> tuple[PhaseResult, ...]:
        if self._context is None:
            return ()
        progress = self._context.progress
        return progress.broken(broken, self._now_us()) if broken else tuple(progress.done)

    def _now_us(self) -> int:
        return VIRTUAL_EPOCH_US if self._context is None else self._context.driver.now_us()
