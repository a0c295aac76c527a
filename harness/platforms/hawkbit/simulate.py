"""`fleetrig simulate hawkbit`: hawkBit devices without a scenario, against any hawkBit server."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.fleet_certificates import certificates_of
from fleetrig.harness.commands.fleet_options import (
    key_values,
    listed_units,
    numbered_units,
    seconds,
    share_of,
    warn_if_others_can_read,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import Against, Ca, ChangeTenantSettings, Insecure, within
from fleetrig.harness.commands.policy_option import PolicyFrom, backoff_from
from fleetrig.harness.commands.simulate import simulate
from fleetrig.harness.commands.simulation_outputs import CurvesCsv, Quiet, SimulationOutputs, SummaryFile
from fleetrig.harness.platforms.hawkbit.platform import admin_of
from fleetrig.harness.platforms.hawkbit.simulated_fleet import (
    DEFAULT_ATTRIBUTES,
    READINGS,
    build_agents,
    check_listed,
    check_serials,
    consent_of,
    with_fresh_tokens,
)
from fleetrig.harness.platforms.hawkbit.simulation_hints import Holding, refused_hint
from fleetrig.harness.platforms.hawkbit.temporary_targets import TemporaryTargets
from fleetrig.harness.scenario_file.token_findings import is_short, short_token, token_findings
from fleetrig.harness.scenario_file.unit_list import Unit, with_children
from fleetrig.harness.servers.address import name_in_url
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import checked_token, secret_from
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.servers.under_test import url_over_tls
from fleetrig.harness.simulation.plan import SimulationPlan
from fleetrig.harness.simulation.reaching import http_probe
from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.contract.bounds import DEVICES, SEED
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.hawkbit.confirmation_policy import ConfirmationPolicy
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings

SERIAL: Final = "SIM-{n:04d}"
COUNT: Final = 20

Count = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, callback=within(DEVICES), help=f"The number of devices.  [default: {COUNT}]"),
]
Seed = Annotated[
    int,
    typer.Option(metavar="N", callback=within(SEED), help="Decides when devices start and how long they back off."),
]
Tenant = Annotated[
    str | None, typer.Option(metavar="NAME", help="The devices' tenant.  [default: from SERVER.yaml, else DEFAULT]")
]
SerialTemplate = Annotated[str | None, typer.Option(metavar="TEXT", help=f"Their controllerIds.  [default: {SERIAL}]")]
Children = Annotated[
    int, typer.Option(metavar="N", min=0, help="Each device is a gateway with N behind it, on its one connection.")
]
TokenForAll = Annotated[
    str | None, typer.Option(metavar="env:NAME|FILE", help="The gateway token of the tenant, for all.")
]
Tokens = Annotated[Path | None, typer.Option(metavar="F.csv", help="Columns serial, token or certificate, attributes.")]
Certificates = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|CA.pem",
        help="Client certificates: SERIAL.pem of each device, or who issues them (also a folder of `ca new`).",
    ),
]
Attributes = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Attribute sent by every device; repeatable.")
]
PollJitter = Annotated[
    str, typer.Option(metavar="SHARE", help="Devices wait up to so much longer than the interval, such as 10%.")
]
Confirmation = Annotated[
    str, typer.Option(metavar="WORD", help="Asked before an update, devices say confirmed, denied or none.")
]
ConfirmationAfter = Annotated[
    str, typer.Option(metavar="TIME", help="So long they think about it; they poll meanwhile.")
]


@examples(
    "fleetrig simulate hawkbit --against http://127.0.0.1:8080 --register",
    "fleetrig simulate hawkbit --against URL --gateway-token env:TOKEN --count 500",
    "fleetrig simulate hawkbit --against URL --tokens units.csv --for 10m",
)
def simulate_command(
    against: Against,
    count: Count = None,
    serial: SerialTemplate = None,
    gateway_token: TokenForAll = None,
    tokens: Tokens = None,
    certificates: Certificates = None,
    children: Children = 0,
    register: Annotated[bool, typer.Option("--register", help="Create the targets, delete them afterwards.")] = False,
    attribute: Attributes = None,
    interval: Annotated[str, typer.Option(metavar="TIME", help="Between polls, until the server names one.")] = "30s",
    poll_jitter: PollJitter = "0%",
    install_time: Annotated[str, typer.Option(metavar="TIME", help="How long an installation takes.")] = "10s",
    confirmation: Confirmation = "confirmed",
    confirmation_after: ConfirmationAfter = "0s",
    spread: Annotated[str, typer.Option(metavar="TIME", help="Spread device start-up over this time.")] = "5s",
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this time, such as 10m.")] = None,
    tenant: Tenant = None,
    seed: Seed = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a server that does not answer yet.")] = False,
    ca: Ca = None,
    insecure: Insecure = False,
    change_tenant_settings: ChangeTenantSettings = False,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event here, as JSON lines.")] = None,
    policy_from: PolicyFrom = None,
    csv: CurvesCsv = None,
    summary: SummaryFile = None,
    quiet: Quiet = False,
) -> None:
    """Simulate hawkBit devices without a scenario, until Ctrl-C or --for.

    They register themselves, poll, send attributes and install what is deployed. Without --gateway-token, --tokens,
    --certificates or --register they have no credentials. Certificates need an https address.
    """
    server = remote_server_from(against, "hawkbit", may_change_settings=change_tenant_settings)
    given, holding = units_of(count, serial, gateway_token, tokens, certificates, register=register)
    units = with_gateways(given, children, holding)
    held = certificates_of(units, certificates, time.time_ns() // 1000)
    url = server_url(server, needs_tls=bool(held))
    token = None if gateway_token is None else gateway_token_from(gateway_token)
    interval_s = seconds(interval, "--interval", least_s=1.0)
    policy = confirmation_policy(confirmation, confirmation_after)
    settings = settings_of(url, attribute or [], interval_s, install_time, policy, backoff_from(policy_from))
    settings = replace(settings, poll_jitter=share_of(poll_jitter, "--poll-jitter"))
    of_tenant = name_in_url(tenant or server.tenant, "--tenant")
    plan = SimulationPlan(
        url=url,
        agents=build_agents(units, of_tenant, settings, token, held),
        probe=http_probe(url),
        hint=lambda answer: refused_hint(answer, holding, url, of_tenant),
        spread_s=seconds(spread, "--spread"),
        for_s=None if for_ is None else seconds(for_, "--for", least_s=0.001),
        seed=seed,
        verify=verify_with(ca, insecure=insecure, file_ca=server.ca),
        waits_for_server=wait,
        temporary=temporary_targets(units, server) if register else None,
    )
    outputs = SimulationOutputs(trace, csv, summary, quiet)
    simulate(plan, READINGS, interval_s, outputs, known_secrets(units, token, server))


def settings_of(
    url: str,
    attributes: list[str],
    interval_s: float,
    install_time: str,
    confirmation: ConfirmationPolicy,
    backoff: Backoff,
) -> HawkbitSettings:
    """Raises UsageError for attributes and times that are none."""
    return HawkbitSettings(
        url,
        attributes={**DEFAULT_ATTRIBUTES, **key_values(attributes, "--attribute")},
        default_interval_s=interval_s,
        install_s=seconds(install_time, "--install-time"),
        confirmation=confirmation,
        backoff=backoff,
    )


def confirmation_policy(word: str, after: str) -> ConfirmationPolicy:
    """Raises UsageError for a word that no device can say, and for no time."""
    return ConfirmationPolicy(consent_of(word, "--confirmation"), seconds(after, "--confirmation-after"))


def units_of(
    count: int | None,
    serial: str | None,
    gateway_token: str | None,
    tokens: Path | None,
    certificates: Path | None = None,
    *,
    register: bool,
) -> tuple[tuple[Unit, ...], Holding]:
    """The units, and what they hold. Raises UsageError for options that contradict each other."""
    ways = {
        "--gateway-token": gateway_token is not None,
        "--tokens": tokens is not None,
        "--certificates": certificates is not None,
        "--register": register,
    }
    given = [option for option, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} contradict each other: give one of them")
    if tokens is not None:
        if serial is not None:
            raise UsageError("--tokens names the devices: leave --serial away")
        warn_if_others_can_read(tokens)
        listed = listed_units(tokens, count)
        if any(unit.certificate_pem is not None for unit in listed):
            return check_listed(listed, tokens, with_tokens=False), "certificates"
        units = check_listed(listed, tokens, with_tokens=True)
        for finding in token_findings(units, tokens.name):
            typer.echo(f"warning: {finding}", err=True)
        return units, "listed tokens"
    units = check_serials(numbered_units(serial or SERIAL, count or COUNT), serial or SERIAL)
    if register:
        return with_fresh_tokens(units), "registered tokens"
    if certificates is not None:
        return units, "certificates"
    return units, "nothing" if gateway_token is None else "gateway token"


def with_gateways(units: tuple[Unit, ...], children: int, holding: Holding) -> tuple[Unit, ...]:
    """Each unit as a gateway with children. Raises UsageError where they would have nothing to show, or too many."""
    if not children:
        return units
    if holding != "gateway token":
        raise UsageError("--children share their gateway's connection and token: give --gateway-token env:NAME")
    try:
        DEVICES.check(len(units) * (1 + children))
        return tuple(with_children(units, children))
    except ValueError as wrong:
        raise UsageError(f"--children: {wrong}") from None


def server_url(server: RemoteServer, *, needs_tls: bool) -> str:
    """Where the devices poll. Raises UsageError for devices with certificates and an address without TLS."""
    url = url_over_tls(server.listeners, server.url) if needs_tls else server.url
    if url is None:
        raise UsageError(f"certificates are shown over TLS, and {server.url} has none: give an https:// address, or a "
                         "SERVER.yaml with https")  # fmt: skip
    return url


def gateway_token_from(reference: str) -> str:
    """Raises UsageError for what is no reference, and for a token that cannot be sent; warns of a weak one."""
    token = checked_token(secret_from(reference, "--gateway-token"), f"--gateway-token {reference}")
    if is_short(token):
        typer.echo(f"warning: {short_token('the gateway token')}", err=True)
    return token


def temporary_targets(units: tuple[Unit, ...], server: RemoteServer) -> TemporaryTargets:
    return TemporaryTargets(admin_of(server), {unit.serial: unit.token or "" for unit in units})


def known_secrets(units: tuple[Unit, ...], gateway_token: str | None, server: RemoteServer) -> Secrets:
    """All secrets that must not appear in a trace."""
    secrets = Secrets()
    secrets.learn("gateway-token", gateway_token or "")
    for kind, secret in admin_of(server).secrets():
        secrets.learn(kind, secret)
    for unit in units:
        secrets.learn("target-token", unit.token or "")
    return secrets
