"""`fleetrig simulate hono`: Hono devices without a scenario, against any Hono."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.fleet_options import seconds
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import Ca, Insecure, within
from fleetrig.harness.commands.simulate import simulate
from fleetrig.harness.commands.simulation_outputs import CurvesCsv, Quiet, SimulationOutputs, SummaryFile
from fleetrig.harness.platforms.hono.device_places import DevicePlace, device_place
from fleetrig.harness.platforms.hono.platform import admin_of
from fleetrig.harness.platforms.hono.simulated_fleet import FleetMake, build_agents, readings_of
from fleetrig.harness.platforms.hono.simulation_hints import SigningIn, advice, hint
from fleetrig.harness.platforms.hono.simulation_options import (
    CERTIFICATE,
    PSK_KIND,
    Given,
    Held,
    Units,
    check_options,
    held_by,
    known_kind,
    measured,
    temporary_tenant,
    units_of,
)
from fleetrig.harness.platforms.hono.temporary_tenant import TemporaryTenant
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.simulation.plan import SimulationPlan
from fleetrig.harness.simulation.reaching import http_probe
from fleetrig.simulator.contract.bounds import DEVICES, SEED
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings

SERIAL: Final = "SIM-{n:04d}"
COUNT: Final = 20

Against = Annotated[
    str,
    typer.Option(
        metavar="URL|SERVER.yaml",
        help="An adapter's address (https://…, mqtts://…, coaps://…), or a file that names the registry too.",
    ),
]
Transport = Annotated[
    str | None,
    typer.Option(
        metavar="WORD", help="How devices talk: http, https, mqtt, mqtts or coaps.  [default: as the address]"
    ),
]
Credentials = Annotated[str, typer.Option(metavar="WORD", help="What devices show: certificate, password or psk.")]
Register = Annotated[
    bool, typer.Option("--register", help="Make a tenant for them; delete it and all its devices afterwards.")
]
Tenant = Annotated[str | None, typer.Option(metavar="NAME", help="Of devices that are there, with password or psk.")]
Secret = Annotated[
    str | None, typer.Option(metavar="env:NAME|FILE", help="Their password or key, the same for all of them.")
]
Certificates = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|CA.pem",
        help="Client certificates: SERIAL.pem of each device, or who issues them (also a folder of `ca new`).  "
        "[default: an authority made for the occasion, with --register]",
    ),
]
Edge = Annotated[int, typer.Option(metavar="N", min=0, help="Each device is a gateway that sends for N others too.")]
Telemetry = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Sent in each message; repeatable.  [default: temperature=21.5]"),
]


Count = Annotated[int, typer.Option(metavar="N", min=1, callback=within(DEVICES), help="The number of devices.")]
Serial = Annotated[str, typer.Option(metavar="TEXT", help="Their names: common name, or auth-id.")]
Seed = Annotated[
    int, typer.Option(metavar="N", callback=within(SEED), help="Decides when devices start and how they back off.")
]
Event = Annotated[bool, typer.Option("--event", help="Send events instead of telemetry.")]
AtMostOnce = Annotated[bool, typer.Option("--at-most-once", help="QoS 0: nobody says that it came.")]
Commands = Annotated[
    str | None, typer.Option(metavar="TIME", help="Wait so long for a command in each request (hono-ttd).")
]
Messages = Annotated[int | None, typer.Option(metavar="N", min=1, help="Each device leaves after so many messages.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for a registry that does not answer yet.")]


@examples(
    "fleetrig simulate hono --against SERVER.yaml --register --count 5",
    "fleetrig simulate hono --against mqtts://127.0.0.1:8883 --certificates devices",
)
def simulate_command(
    against: Against,
    transport: Transport = None,
    count: Count = COUNT,
    serial: Serial = SERIAL,
    credentials: Credentials = CERTIFICATE,
    register: Register = False,
    tenant: Tenant = None,
    secret: Secret = None,
    certificates: Certificates = None,
    edge: Edge = 0,
    event: Event = False,
    at_most_once: AtMostOnce = False,
    telemetry: Telemetry = None,
    commands: Commands = None,
    interval: Annotated[str, typer.Option(metavar="TIME", help="Between two messages.")] = "30s",
    messages: Messages = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long devices wait for an answer.")] = "30s",
    spread: Annotated[str, typer.Option(metavar="TIME", help="Spread device start-up over this time.")] = "5s",
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this time, such as 10m.")] = None,
    seed: Seed = 1,
    wait: Wait = False,
    ca: Ca = None,
    insecure: Insecure = False,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event here, as JSON lines.")] = None,
    csv: CurvesCsv = None,
    summary: SummaryFile = None,
    quiet: Quiet = False,
) -> None:
    """Simulate Hono devices without a scenario, until Ctrl-C or --for.

    They show certificate, password or key, and send. With --register (and a SERVER.yaml that names the registry) they
    get a tenant of their own: certificates are provisioned at the first contact, others are registered beforehand. It
    ends sooner when all devices have nothing more to do.
    """
    kind = known_kind(credentials)
    place = device_place(against, transport, kind)
    given = Given(kind, register, tenant, secret, certificates, edge)
    check_options(given, place)
    settings = HonoSettings(
        place.url,
        endpoint=Endpoint.EVENT if event else Endpoint.TELEMETRY,
        at_least_once=not at_most_once,
        telemetry=measured(telemetry or []),
        telemetry_interval_s=seconds(interval, "--interval", least_s=0.1),
        telemetry_messages=messages,
        ttd_s=None if commands is None else int(seconds(commands, "--commands", least_s=1)),
        timeout_s=seconds(timeout, "--timeout", least_s=0.1),
    )
    secrets = Secrets()
    fleet = replace(
        plan_of(settings, place, units_of(serial, count, edge), given, secrets),
        spread_s=seconds(spread, "--spread"),
        for_s=None if for_ is None else seconds(for_, "--for", least_s=0.001),
        seed=seed,
        verify=verify_with(ca, insecure=insecure, file_ca=place.ca),
        waits_for_server=wait,
    )
    outputs = SimulationOutputs(trace, csv, summary, quiet)
    simulate(fleet, readings_of(settings), settings.telemetry_interval_s, outputs, secrets)


def plan_of(settings: HonoSettings, place: DevicePlace, units: Units, given: Given, secrets: Secrets) -> SimulationPlan:
    """Who the devices are, and what becomes of them; when they start and end is said otherwise."""
    held = held_by(units, given, secrets)
    temporary = registered_tenant(place, units, given, held, secrets) if given.register else None
    name = temporary.admin.tenant if temporary is not None else given.tenant or ""
    way = SigningIn(place.url, given.credentials, name)
    make = FleetMake(settings, name, held.certificates, held.secrets, units.edge)
    return SimulationPlan(
        url=place.url,
        agents=build_agents(units.listed, make, is_psk=given.credentials == PSK_KIND),
        probe=None if place.server is None else http_probe(place.server.url),
        hint=partial(hint, way=way),
        spread_s=0.0,
        for_s=None,
        seed=1,
        verify=True,
        waits_for_server=False,
        temporary=temporary,
        advice=partial(advice, way=way),
        stays=lambda _: "" if given.register else what_stays(given, place.url),
    )


def registered_tenant(place: DevicePlace, units: Units, given: Given, held: Held, secrets: Secrets) -> TemporaryTenant:
    assert place.server is not None
    admin = admin_of(place.server)
    for kind, secret in admin.secrets():
        secrets.learn(kind, secret)
    return temporary_tenant(admin, units, given, held)


def what_stays(given: Given, url: str) -> str:
    if given.credentials != CERTIFICATE and not given.edge:
        return ""
    return (
        f"left behind on {url}: the devices that were provisioned; without a registry (--register) nothing is deleted"
    )
