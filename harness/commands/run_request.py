"""The options of `fleetrig run`: checked as a whole, then turned into runs and executed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from rich.console import Console

from fleetrig.harness.commands.export_option import exports_of_runs
from fleetrig.harness.commands.fleet_options import warn_of_tokens
from fleetrig.harness.commands.output_places import RESULTS as RESULTS
from fleetrig.harness.commands.output_places import check_file, check_file_or_folder, check_own_folder
from fleetrig.harness.commands.policy_option import with_policy_from
from fleetrig.harness.commands.scenario_lookup import looked_up
from fleetrig.harness.exports.writing import Export
from fleetrig.harness.external.command import device_command
from fleetrig.harness.fleets.engine_choice import EngineName, engine_for
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import Exit, ExitRules, exit_of_all
from fleetrig.harness.report.progress import RunProgress
from fleetrig.harness.run.batch import BatchOutput, Pair, run_and_show
from fleetrig.harness.run.command_words import words_of
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.harness.run.known_deviations import peer_of
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.start_properties import why_not
from fleetrig.harness.run.trace_file import trace_name
from fleetrig.harness.scenario_file.given_params import read_params
from fleetrig.harness.scenario_file.phase_spans import longest_spans_s
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.harness.servers.description import known_profile
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import described_server
from fleetrig.harness.servers.trust import verify_with
from fleetrig.simulator.contract.bounds import DEVICES, RUNS
from fleetrig.simulator.contract.errors import UsageError

MAX_PARALLEL_RUNS: Final = 32
PER_CPU: Final = 8
"""Real-time runs mostly wait."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of `fleetrig run`, under the names of its parameters."""

    ids: list[str] | None
    against: str | None
    time_mode: Literal["virtual", "real"] | None
    engine: EngineName | None
    profile: str | None
    seed: int
    jobs: int | None
    tag: list[str] | None
    params: list[str] | None
    policy_from: Path | None
    fail_fast: bool
    repeat: int
    device_command: str | None
    device_image: Path | None
    bench: Path | None
    desk: Path | None
    own_device: bool
    known: str | None
    ca: Path | None
    insecure: bool
    change_tenant_settings: bool
    junit: Path | None
    html: Path | None
    to: list[str] | None
    trace: Path | None
    results: Path
    strict: bool
    fail_on_skip: bool
    allow_skipped: bool
    verbose: bool
    shrink: bool
    tries: int | None
    allow_outside: bool
    scenarios: Path | None

    @property
    def rules(self) -> ExitRules:
        """Raises UsageError for options that contradict each other."""
        return ExitRules(self.strict, self.fail_on_skip, self.allow_skipped)

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        _ = self.rules
        for is_wrong, sentence in self._contradictions():
            if is_wrong:
                raise UsageError(sentence)

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        is_virtual, has_device = self.time_mode == "virtual", self.device_command is not None
        yield is_virtual and self.against is not None, "--against needs real time: leave --time virtual away"
        yield (
            self.against is not None and (self.jobs or 1) > 1,
            "--jobs does not go with --against: runs would change each other's tenant settings",
        )
        is_real = self.time_mode == "real" or self.against is not None or has_device
        yield is_real and self.engine is not None, "--engine is for virtual time: leave it away"
        yield (
            self.engine == "cohort" and self.trace is not None,
            "--engine cohort leaves no trace: leave --trace away, or say --engine exact",
        )
        yield has_device and self.own_device, "--own-device takes the place of a program: give it or --device-command"
        yield has_device and is_virtual, "--device-command needs real time: leave --time virtual away"
        yield (
            self.device_image is not None and not has_device,
            "--device-image is for a device of yours: give --device-command too",
        )
        yield self.tries is not None and not self.shrink, "--tries is for --shrink: give that too"

    def options(self, platforms: Collection[str]) -> RunOptions:
        """How each of the runs goes; `platforms` are those of the scenarios. Raises UsageError."""
        servers = {} if self.against is None else self.servers(self.against, platforms)
        server = servers.get(min(platforms, default=""))
        return RunOptions(
            real_time=self.time_mode == "real",
            engine=self.engine,
            against=server,
            servers=servers,
            seed=self.seed,
            results=self.results,
            verify=verify_with(self.ca, insecure=self.insecure, file_ca=None if server is None else server.ca),
            device=None if self.device_command is None else device_command(self.device_command, self.device_image),
            own_device=self.own_device,
            bench=self.bench,
            desk=self.desk,
            known=None if self.known is None else peer_of(self.known, scenario_folders(self.scenarios)),
            again=self.again(),
        )

    def servers(self, against: str, platforms: Collection[str]) -> dict[str, RemoteServer]:
        """The server of `--against` as one of each platform; it is what it says, else what all scenarios are for."""
        described = described_server(against)
        served = described.platforms or tuple(platforms)
        if not described.platforms and len(platforms) > 1:
            raise UsageError(
                f"--against is one server, but these scenarios are for {' and '.join(sorted(platforms))}: "
                "choose among them, or say in a SERVER.yaml what the server is, such as `platform: "
                f"{min(platforms)}`"
            )
        may = self.change_tenant_settings
        if not set(served) & set(platforms):
            described.server(min(platforms), may_change_settings=may)  # says that it is another
        return {
            platform: described.server(platform if platform in served else served[0], may_change_settings=may)
            for platform in platforms
        }

    def profile_for(self, platform: str) -> str:
        """The generation of the reference server; the newest if none was given. Raises UsageError."""
        return known_profile(platform, self.profile)

    def again(self) -> tuple[str, ...]:
        """The command-line words, besides the run's name and seed, that repeat the run."""
        return words_of(
            {
                "--time": self.time_mode,
                "--engine": self.engine,
                "--against": self.against,
                "--profile": self.profile,
                "--ca": self.ca,
                "--insecure": self.insecure,
                "--change-tenant-settings": self.change_tenant_settings,
                "--allow-outside": self.allow_outside,
                "--scenarios": self.scenarios,
                "--device-command": self.device_command,
                "--device-image": self.device_image,
                "--bench": self.bench,
                "--desk": self.desk,
                "--own-device": self.own_device,
                "--known": self.known,
                "--set": self.params,
                "--policy-from": self.policy_from,
            }
        )


def execute(request: RunRequest) -> Exit:
    """Plans, runs, shows and writes. Raises UsageError before anything is run, never afterwards."""
    console = make_console()
    runs = planned(request)
    if request.policy_from is not None:
        sentence, runs = with_policy_from(request.policy_from, runs)
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    check_boards(request, runs)
    for scenario_id in dict.fromkeys(expanded.scenario.id for expanded in runs):
        warn_of_tokens(scenario_id, [one.scenario for one in runs if one.scenario.id == scenario_id])
    options = request.options({expanded.scenario.platform for expanded in runs})
    is_single = len(runs) == 1
    check_places(request.junit, request.trace, request.results, is_many=not is_single)
    if request.html is not None:
        check_file("--html", request.html)
    exports = exports_of_runs(request.to, len(runs))
    if request.insecure:
        console.print("--insecure: the server's certificate is not checked, anybody could be answering")
    looked_up(request.scenarios, request.ids or [])
    progress = RunProgress(
        console, longest_spans_s(runs[0].scenario), is_virtual=options.for_scenario(runs[0].scenario).time == "virtual"
    )
    if is_single:
        options = replace(options, listener=progress, progress=progress.simulated)
    pairs = pairs_of(runs, options, request)
    for expanded, of_run in pairs[: len(pairs) // request.repeat]:
        check_size(expanded.scenario, of_run)
    with progress.on_screen() if is_single else nullcontext():
        width = width_of([options for _, options in pairs], request.jobs, has_boards=has_boards(runs))
        reports = run_until_stopped(
            run_and_show(pairs, output_of(request, console, exports, is_single=is_single), width)
        )
    return exit_of_all([report.verdict for report in reports], request.rules)


def planned(request: RunRequest) -> tuple[Expanded, ...]:
    """All runs in their order, repetitions included. Raises UsageError for more than there may be."""
    folders, tags = scenario_folders(request.scenarios), request.tag or []
    runs = plan(
        request.ids or [], folders, tags, power_cut_points,
        allows_outside=request.allow_outside, params=read_params(request.params),
    )  # fmt: skip
    if request.against is None:
        for scenario in (one.scenario for one in runs):
            if why := why_not(scenario):
                raise UsageError(f"{scenario.file}: server.properties: {why}")
    try:
        RUNS.check(len(runs) * request.repeat)
    except ValueError as wrong:
        raise UsageError(f"{len(runs)} runs with --repeat {request.repeat}: {wrong}") from None
    return runs * request.repeat


def check_boards(request: RunRequest, runs: Sequence[Expanded]) -> None:
    """Raises UsageError for boards in virtual time, FileMistakes for those of the bench file."""
    if (with_boards := has_boards(runs)) and request.time_mode == "virtual":
        raise UsageError(f"{with_boards} works on boards, which know real time only: leave --time virtual away")
    if request.bench is not None:
        from fleetrig.harness.bench.bench_file import read_bench  # serial ports are for runs with boards

        read_bench(request.bench)


def check_size(scenario: Scenario, options: RunOptions) -> None:
    """Raises UsageError for a fleet that nobody can run like this."""
    if options.time == "virtual":
        engine_for(scenario, options.engine, needs_exact=options.needs_exact)
    elif (count := scenario.devices.unit_count()) > DEVICES.most:
        raise UsageError(f"{scenario.id} has {count:,} devices, expected {DEVICES} in real time")


def has_boards(runs: Sequence[Expanded]) -> str:
    """The id of a scenario with boards; empty when there is none."""
    return next((one.scenario.id for one in runs if one.scenario.boards), "")


def output_of(request: RunRequest, console: Console, exports: Sequence[Export], *, is_single: bool) -> BatchOutput:
    writer = ConsoleReport(console, verbose=request.verbose, single=is_single)
    places = request.junit, request.trace, request.results
    return BatchOutput(writer, *places, request.fail_fast, request.rules, request.html, exports)


def check_places(junit: Path | None, trace: Path | None, results: Path, *, is_many: bool) -> None:
    """Raises UsageError, before anything is run, for output that could not be written."""
    if junit is not None:
        check_file("--junit", junit)
    if trace is not None:
        check_file_or_folder("--trace", trace, is_many=is_many)
    if results != RESULTS or RESULTS.exists():  # the usual one is made when there is something to keep
        check_own_folder("--results", results)


def pairs_of(runs: Sequence[Expanded], options: RunOptions, request: RunRequest) -> list[Pair]:
    """What to run and how: each repetition has the next seed, each run its own trace file."""
    per_round = len(runs) // request.repeat
    return [
        (
            expanded,
            replace(
                options.for_scenario(expanded.scenario),
                seed=options.seed + index // per_round,
                trace=trace_path(request.trace, runs, index),
                keeps_trace=request.html is not None or bool(request.to),
                profile=request.profile_for(expanded.scenario.platform),
            ),
        )
        for index, expanded in enumerate(runs)
    ]


def trace_path(trace: Path | None, runs: Sequence[Expanded], index: int) -> Path | None:
    """The file itself for a single run, else one file per run in that folder."""
    if trace is None or (len(runs) == 1 and not trace.is_dir()):
        return trace
    return trace / f"{index + 1:03d}-{trace_name(runs[index].name).replace('/', '-')}"


def width_of(options: Sequence[RunOptions], jobs: int | None, has_boards: str = "") -> int:
    """How many runs are parallel: only those with their own server, in real time, since they mostly wait.

    Those with boards want the same boards, or emulate them.
    """
    if all(one.time == "virtual" for one in options) or any(one.against is not None for one in options):
        return 1
    if has_boards:
        return jobs or 1
    return jobs or min(MAX_PARALLEL_RUNS, PER_CPU * (os.cpu_count() or 1))
