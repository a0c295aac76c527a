"""The options of `fleetrig load`: checked as a whole, then the processes of the run are started and waited for."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from fleetrig.harness.commands.output_places import check_file, check_own_folder
from fleetrig.harness.commands.policy_option import policy_for_order
from fleetrig.harness.commands.run_request import RESULTS
from fleetrig.harness.commands.scenario_lookup import given_folder, looked_up
from fleetrig.harness.load.allowed_target import check_target
from fleetrig.harness.load.needs import LoadNeeds, limits_here
from fleetrig.harness.load.order import LoadOrder, expanded_for, options_for
from fleetrig.harness.load.processes import GENERATOR, own_server_running, started, waited
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.servers.address import host_of, is_loopback, place_of, web_url
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.load.refusals import NO_COAP

EXTERNAL: Final = "its devices are programs of yours, and load drives fleetrig's own: fleetrig run --device-command"
BOARDS: Final = "it has boards, and load drives simulated devices: fleetrig run"
WRONG_PLATFORM: Final = "{0} is {1}, the scenario is for {2}: name a server of {2}"
MASTER_PORT: Final = 5557
"""Locust's usual one."""
DEFAULT_BIND: Final = "127.0.0.1:5557"


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The options of `fleetrig load`, under the names of its parameters."""

    run: str | None
    against: str | None
    users: int | None
    workers: int
    master: bool
    worker: str | None
    bind: str
    web: str | None
    metrics: str | None
    closed: bool
    source_address: list[str] | None
    yes_this_host: bool
    profile: str | None
    seed: int
    params: list[str] | None
    policy_from: Path | None
    ca: Path | None
    insecure: bool
    change_tenant_settings: bool
    junit: Path | None
    trace: Path | None
    results: Path
    allow_outside: bool
    scenarios: Path | None

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        for is_wrong, sentence in self._contradictions():
            if is_wrong:
                raise UsageError(sentence)

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        yield self.run is None, "load needs the ID of a scenario; `fleetrig list --tag load` shows those made for it"
        yield (
            not self.master and self.bind != DEFAULT_BIND,
            "--bind is where a master listens for its workers: give --master too",
        )
        yield self.master and not self.workers, "--master needs --workers N: how many workers will come"
        yield (
            self.master and self.against is None,
            "--master needs --against: workers on other machines cannot reach a server that only listens on this one",
        )

    def order(self) -> LoadOrder:
        """What the generator is asked to do. Raises UsageError."""
        for option, place in (("--web", self.web), ("--metrics", self.metrics)):
            if place is not None:
                _ = place_at(place, option)
        for source in self.source_address or ():
            check_source(source)
        host, port = place_at(self.bind, "--bind", MASTER_PORT) if self.master else ("127.0.0.1", 0)
        return LoadOrder(
            run=self.run or "",
            scenarios=given_folder(self.scenarios),
            results=str(self.results),
            users=self.users,
            against=self.against,
            profile=self.profile or "",
            seed=self.seed,
            params=tuple(self.params or ()),
            policy_from=None if self.policy_from is None else str(self.policy_from),
            backoff=policy_for_order(self.policy_from),
            is_open=not self.closed,
            allow_outside=self.allow_outside,
            change_tenant_settings=self.change_tenant_settings,
            ca=None if self.ca is None else str(self.ca),
            insecure=self.insecure,
            trace=None if self.trace is None else str(self.trace),
            junit=None if self.junit is None else str(self.junit),
            sources=tuple(self.source_address or ()),
            given_sources=tuple(self.source_address or ()),
            yes_this_host=self.yes_this_host,
            workers=self.workers,
            starts_workers=not self.master,
            bind=host,
            port=port,
            web=self.web or "",
            metrics=self.metrics or "",
        )


def check_source(text: str) -> None:
    """Raises UsageError for what is no address of this machine."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(text).version == 6 else socket.AF_INET
    except ValueError:
        raise UsageError(f"--source-address {text!r}: expected an IP address such as 127.0.0.2") from None
    try:
        with socket.socket(family) as probe:
            probe.bind((text, 0))
    except OSError:
        raise UsageError(f"--source-address {text}: this machine has no such address") from None


def place_at(text: str, option: str, port: int | None = None) -> tuple[str, int]:
    """`HOST:PORT`; with `port` the port may be left away. Raises UsageError."""
    try:
        return place_of(text if port is None or ":" in text else f"{text}:{port}")
    except UsageError as wrong:
        raise UsageError(f"{option}: {wrong}") from None


def execute(request: LoadRequest) -> int:
    """Checks everything, starts the processes, and returns the exit code of the generator. Raises UsageError."""
    if request.worker is not None:
        return be_worker(request, request.worker)
    request.check()
    looked_up(request.scenarios, [request.run or ""])
    order = request.order()
    expanded = expanded_for(order)
    check_scenario(expanded.scenario)
    check_places(request)
    against = options_for(order, expanded).against
    if against is not None and against.platform not in ("", expanded.scenario.platform):
        raise UsageError(WRONG_PLATFORM.format(against.name, against.platform, expanded.scenario.platform))
    check_target(places_of(against), is_allowed=request.yes_this_host)
    needs = LoadNeeds(expanded.scenario.devices.unit_count(), max(1, order.workers), limits_here())
    is_near = against is None or all(is_loopback(host_of(web_url(place))) for place in places_of(against))
    order = replace(order, sources=needs.sources(order.sources, is_loopback=is_near))
    typer.echo(f"needs    {needs.sentence()}", err=True)
    with ExitStack() as stack:
        if against is None:
            order = stack.enter_context(own_server_running(order))
        return waited(started(GENERATOR, order))


def be_worker(request: LoadRequest, master: str) -> int:
    """A worker of a master on another machine: it brings the scenario. Raises UsageError."""
    if request.run is not None:
        raise UsageError("--worker takes no ID: the master says what is run")
    host, port = place_at(master, "--worker", MASTER_PORT)
    order = LoadOrder(
        run="",
        scenarios="",
        results="",
        ca=None if request.ca is None else str(request.ca),
        insecure=request.insecure,
        sources=tuple(request.source_address or ()),
        master=f"{host}:{port}",
    )
    return waited(started(GENERATOR, order))


def check_scenario(scenario: Scenario) -> None:
    """Raises UsageError for what load cannot do."""
    if (count := scenario.devices.unit_count()) > DEVICES.most:
        raise UsageError(f"{scenario.id} has {count:,} devices, expected {DEVICES}: load uses real sockets")
    if scenario.devices.external:
        raise UsageError(f"{scenario.file}: {EXTERNAL}")
    if scenario.boards:
        raise UsageError(f"{scenario.file}: {BOARDS}")
    if scenario.devices.over.startswith("coap"):
        raise UsageError(f"{scenario.file}: {NO_COAP}")


def check_places(request: LoadRequest) -> None:
    """Raises UsageError, before anything is run, for output that could not be written."""
    for option, path in (("--junit", request.junit), ("--trace", request.trace)):
        if path is not None:
            check_file(option, path)
    if request.results != RESULTS or RESULTS.exists():
        check_own_folder("--results", request.results)


def places_of(server: RemoteServer | None) -> Sequence[str]:
    """Whom a run against this server connects to."""
    return () if server is None else (server.url, *server.listeners.values())
