"""`fleetrig simulate`: devices without a scenario, against any server. Options in, a table, an exit code out."""

from __future__ import annotations

import asyncio
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from fleetrig.harness.commands.exits import Exit
from fleetrig.harness.commands.serve_trace import ServeTrace
from fleetrig.harness.commands.simulation import Ending, Plan, Simulation
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.platform import admin_of
from fleetrig.harness.platforms.hawkbit.simulate import (
    DEFAULT_ATTRIBUTES,
    READINGS,
    attributes_from,
    build_agents,
    listed_units,
    numbered_units,
    with_fresh_tokens,
)
from fleetrig.harness.platforms.hawkbit.simulation_hints import Holding
from fleetrig.harness.platforms.hawkbit.temporary_targets import Registration
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.fleet_screen import screen_for
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.fleet_table import Heading, summary
from fleetrig.harness.run.open_files import allow_connections
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.servers.foreign import foreign_server, verify_with
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.contract.units import duration_s
from fleetrig.simulator.drivers.realtime import WallClock
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings

SERIAL: Final = "SIM-{n:04d}"
COUNT: Final = 20


def simulate_command(
    platform: Annotated[Literal["hawkbit"], typer.Argument(help="Whose devices.")],
    against: Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="A running server.")],
    count: Annotated[int | None, typer.Option(min=1, help=f"How many devices; {COUNT} by default.")] = None,
    serial: Annotated[str | None, typer.Option(help=f"Their controllerIds; {SERIAL!r} by default.")] = None,
    gateway_token: Annotated[str | None, typer.Option(metavar="env:NAME|FILE", help="One token for all.")] = None,
    tokens: Annotated[Path | None, typer.Option(metavar="F.csv", help="serial, token, attributes: one a line.")] = None,
    register: Annotated[bool, typer.Option("--register", help="Make the targets first, delete them after.")] = False,
    attribute: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Sent to it; repeatable.")] = None,
    interval: Annotated[str, typer.Option(metavar="TIME", help="Between polls, until the server names one.")] = "30s",
    install_time: Annotated[str, typer.Option(metavar="TIME", help="How long an installation takes.")] = "10s",
    spread: Annotated[str, typer.Option(metavar="TIME", help="They are switched on within this time.")] = "5s",
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this time, such as 10m.")] = None,
    tenant: Annotated[str | None, typer.Option(help="DEFAULT, if the server file names no other.")] = None,
    seed: Annotated[int, typer.Option(help="Decides when devices start and how long they back off.")] = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a server that does not answer yet.")] = False,
    ca: Annotated[Path | None, typer.Option(metavar="F", help="Trust this CA (PEM).")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any certificate.")] = False,
    change_tenant_settings: Annotated[
        bool, typer.Option("--change-tenant-settings", help="Let --register switch target tokens on beyond loopback.")
    ] = False,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event here, as JSON lines.")] = None,
) -> None:  # fmt: skip
    """Simulate devices without a scenario, until Ctrl-C or --for."""
    server = admin_of(foreign_server(against, may_change_settings=change_tenant_settings))
    units, holding = who(count, serial, gateway_token, tokens, register=register)
    token = None if gateway_token is None else secret_from(gateway_token, "--gateway-token")
    interval_s = seconds(interval, "--interval", least_s=1.0)
    settings = HawkbitSettings(
        server.url,
        attributes={**DEFAULT_ATTRIBUTES, **attributes_from(attribute or [])},
        default_interval_s=interval_s,
        install_s=seconds(install_time, "--install-time"),
    )
    tenant = tenant or server.tenant
    plan = Plan(
        url=server.url,
        tenant=tenant,
        agents=build_agents(units, tenant, settings, token),
        holding=holding,
        spread_s=seconds(spread, "--spread"),
        for_s=None if for_ is None else seconds(for_, "--for", least_s=0.001),
        seed=seed,
        verify=verify_with(ca, insecure=insecure),
        waits_for_server=wait,
        registration=registration_of(units, server) if register else None,
    )
    allow_connections(len(units))
    state = FleetState.of([unit.serial for unit in units], interval_s, READINGS)
    stream = Trace()
    stream.listen(state.take)
    with ExitStack() as stack:
        if trace is not None:
            stream.listen(stack.enter_context(ServeTrace(trace, known_secrets(units, token, server))).write)
        ending = show(plan, stream, state)
    raise typer.Exit(exit_code(ending, state))


def who(
    count: int | None, serial: str | None, gateway_token: str | None, tokens: Path | None, *, register: bool
) -> tuple[tuple[Unit, ...], Holding]:
    """The units, and what they hold. Raises UsageError for options that contradict each other."""
    ways = {"--gateway-token": gateway_token is not None, "--tokens": tokens is not None, "--register": register}
    given = [option for option, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} contradict each other: give one of them")
    if tokens is not None:
        if serial is not None:
            raise UsageError("--tokens names the devices: leave --serial away")
        warn_if_open(tokens)
        return listed_units(tokens, count), "listed tokens"
    units = numbered_units(serial or SERIAL, count or COUNT)
    if register:
        return with_fresh_tokens(units), "registered tokens"
    return units, "nothing" if gateway_token is None else "gateway token"


def warn_if_open(path: Path) -> None:
    """Production lists are handed around, so this is no error."""
    if path.is_file() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        typer.echo(f"{path} holds tokens and can be read by others: chmod 600 {path}", err=True)


def seconds(text: str, option: str, *, least_s: float = 0.0) -> float:
    """The value of an option that is a time."""
    try:
        value_s = duration_s(text)
    except ValueError as wrong:
        raise UsageError(f"{option}: {wrong}, got {text!r}") from None
    if value_s < least_s:
        raise UsageError(f"{option} must be at least {least_s:g} s, got {text!r}")
    return value_s


def registration_of(units: tuple[Unit, ...], admin: HawkbitAdmin) -> Registration:
    return Registration(admin, {unit.serial: unit.token or "" for unit in units})


def known_secrets(units: tuple[Unit, ...], gateway_token: str | None, admin: HawkbitAdmin) -> Secrets:
    """Everything that must stand in no trace."""
    secrets = Secrets()
    secrets.learn("gateway-token", gateway_token or "")
    for kind, secret in admin.secrets():
        secrets.learn(kind, secret)
    for unit in units:
        secrets.learn("target-token", unit.token or "")
    return secrets


def show(plan: Plan, trace: Trace, state: FleetState) -> Ending:
    """Runs the plan before the eyes of whoever started it."""
    now_us, console = WallClock().now_us, make_console()
    heading = Heading(plan.url, plan.seed, plan.for_s)

    async def run() -> Ending:
        with screen_for(console, state, heading, now_us) as screen:
            return await Simulation(plan, trace, state, screen).run()

    ending = asyncio.run(run())
    typer.echo(("interrupted after " if ending.was_interrupted else "") + summary(state, heading, now_us()))
    return ending


def exit_code(ending: Ending, state: FleetState) -> Exit:
    """Leaving something behind is told first, then Ctrl-C; a fleet of which nobody came through has failed."""
    if ending.left_behind:
        return Exit.BROKEN
    if ending.was_interrupted:
        return Exit.INTERRUPTED
    return Exit.PASSED if state.came_through else Exit.FAILED
