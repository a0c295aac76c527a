"""What the process of a load run is asked to do: the command hands it over as a line of JSON on standard input."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fleetrig.harness.fleets.engine_choice import EngineName
from fleetrig.harness.platform import platform_of
from fleetrig.harness.run.command_words import words_of
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.sampled_trace import one_of_many
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.cohort_lines import cohort_counts
from fleetrig.harness.scenario_file.given_backoff import with_backoff
from fleetrig.harness.scenario_file.given_params import read_params
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.description import known_profile
from fleetrig.harness.servers.own_server import own_server
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.servers.under_test import ServerUnderTest, server_under_test
from fleetrig.simulator.contract.bounds import FLEET_DEVICES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.fleet import numbered


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Where the reference server of this run listens, in a process of its own."""

    listeners: Mapping[str, str]
    control: str
    ca: str = ""
    """The file with whom to trust; empty for a server that shows no certificate."""


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """One load run."""

    run: str
    """Its whole name."""
    scenarios: str
    """The folder in which it is looked up, where the command line names one."""
    results: str
    """The folder for what it leaves."""
    users: int | None = None
    """How many devices; None for as many as the scenario says."""
    against: str | None = None
    profile: str = ""
    seed: int = 1
    is_open: bool = True
    params: tuple[str, ...] = ()
    """`NAME=VALUE` in place of values of the scenario's params."""
    allow_outside: bool = False
    change_tenant_settings: bool = False
    ca: str | None = None
    insecure: bool = False
    trace: str | None = None
    junit: str | None = None
    sources: tuple[str, ...] = ()
    """The addresses from which devices connect."""
    given_sources: tuple[str, ...] = ()
    """Those of `sources` that the command line names."""
    yes_this_host: bool = False
    workers: int = 0
    """How many other processes have the devices; 0: this one has them."""
    starts_workers: bool = True
    """They are started on this machine; else they come from others."""
    master: str = ""
    """`HOST:PORT` of the master whose worker this process is."""
    bind: str = "127.0.0.1"
    """Where the master listens for its workers."""
    port: int = 0
    web: str = ""
    """`HOST:PORT` of Locust's web UI."""
    metrics: str = ""
    """`HOST:PORT` where a Prometheus can fetch the figures."""
    policy_from: str | None = None
    """The trace whose devices they are to be like, as the command line names it."""
    backoff: dict[str, Any] | None = None
    """What that trace shows, as a scenario file writes it."""
    engine: EngineName | None = None
    """Of a prediction; None: by size, and by what the scenario asks."""
    own: OwnAddresses | None = field(default=None)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> LoadOrder:
        """What `to_json` made."""
        given: dict[str, Any] = json.loads(text)
        own = given.pop("own")
        for name in ("sources", "given_sources", "params"):
            given[name] = tuple(given[name])
        return LoadOrder(**given, own=None if own is None else OwnAddresses(**own))

    def again(self) -> tuple[str, ...]:
        """The command-line words, besides name and seed, that repeat the run."""
        return words_of(
            {
                "--against": self.against,
                "--users": self.users,
                "--workers": self.workers or None,
                "--master": not self.starts_workers,
                "--profile": self.profile or None,
                "--closed": not self.is_open,
                "--engine": self.engine,
                "--ca": self.ca,
                "--insecure": self.insecure,
                "--change-tenant-settings": self.change_tenant_settings,
                "--allow-outside": self.allow_outside,
                "--scenarios": self.scenarios or None,
                "--set": self.params,
                "--policy-from": self.policy_from,
                "--source-address": self.given_sources,
                "--yes-this-host": self.yes_this_host,
                "--bind": None if self.starts_workers else f"{self.bind}:{self.port}",
            }
        )


def expanded_for(order: LoadOrder) -> Expanded:
    """The one run that is meant. Raises UsageError, FileMistakes."""
    params, folders = read_params(order.params), scenario_folders(Path(order.scenarios) if order.scenarios else None)
    runs = plan([order.run], folders, allows_outside=order.allow_outside, params=params)
    if len(runs) != 1:
        names = ", ".join(run.name for run in runs[:3])
        raise UsageError(
            f"load takes one run, and {order.run} stands for {len(runs)}: name one of them, such as {names}"
        )
    known_profile(runs[0].scenario.platform, order.profile or None)
    backs_off = runs[0] if order.backoff is None else with_backoff(runs[0], BackoffLine.model_validate(order.backoff))
    return backs_off if order.users is None else with_users(backs_off, order.users)


def with_users(expanded: Expanded, users: int) -> Expanded:
    """The run with so many devices. Raises UsageError where their number is not the scenario's to choose."""
    devices = expanded.scenario.devices
    if devices.csv is not None:
        raise UsageError(f"--users: {expanded.scenario.file} takes its devices from a list of units (csv)")
    try:
        FLEET_DEVICES.check(users * (1 + devices.children))
        numbered(devices.serial, users, "")
        if devices.cohorts:
            cohort_counts(devices.cohorts, users)
    except ValueError as wrong:
        raise UsageError(f"--users {users}: {wrong}") from None
    counted = devices.model_copy(update={"count": users})
    return replace(expanded, scenario=expanded.scenario.model_copy(update={"devices": counted}))


def options_for(order: LoadOrder, expanded: Expanded) -> RunOptions:
    """How the run goes. Raises UsageError."""
    platform = expanded.scenario.platform
    server = None
    if order.against is not None:
        server = remote_server_from(order.against, platform, may_change_settings=order.change_tenant_settings)
    return RunOptions(
        as_load=True,
        traced_devices=one_of_many(),
        against=server,
        profile=order.profile,
        seed=order.seed,
        results=Path(order.results),
        trace=None if order.trace is None else Path(order.trace),
        verify=trusted_by(order, None if server is None else server.ca),
        again=order.again(),
    )


def trusted_by(order: LoadOrder, file_ca: Path | None = None) -> ssl.SSLContext | bool:
    """Whom devices and operator trust: who signed our own server's certificate, where there is one. `file_ca` is of a
    SERVER.yaml. Raises UsageError.
    """
    own = order.own
    return verify_with(
        None if order.ca is None else Path(order.ca),
        insecure=order.insecure,
        file_ca=Path(own.ca) if own is not None and own.ca else file_ca,
    )


def server_for(order: LoadOrder, expanded: Expanded, options: RunOptions) -> ServerUnderTest:
    """The server under test: a remote one, or our own in its process."""
    platform = platform_of(expanded.scenario.platform)
    if options.against is not None:
        return server_under_test(options.against, platform)
    assert order.own is not None, "the command starts a server when none is named"
    control = ControlInterface(order.own.control)
    profile = options.profile or platform.vocabulary.profiles[0]
    return own_server(platform, order.own.listeners, profile, control.add_fault, control)
