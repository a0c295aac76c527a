"""`fleetrig simulate thingsboard`: ThingsBoard devices without a scenario, against any ThingsBoard."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.fleet_options import seconds
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import Ca, Insecure, within
from fleetrig.harness.commands.simulate import simulate
from fleetrig.harness.commands.simulation_outputs import CurvesCsv, Quiet, SimulationOutputs, SummaryFile
from fleetrig.harness.platforms.thingsboard.device_places import device_place
from fleetrig.harness.platforms.thingsboard.simulated_fleet import READINGS, FleetMake, TokenWatch, build_agents
from fleetrig.harness.platforms.thingsboard.simulation_hints import Asking, advice, hint
from fleetrig.harness.platforms.thingsboard.simulation_options import (
    Given,
    certificates_of_fleet,
    measured,
    temporary_profile,
    units_of,
    way_of,
)
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.simulation.plan import SimulationPlan
from fleetrig.harness.simulation.reaching import http_probe
from fleetrig.simulator.contract.bounds import DEVICES, SEED
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings

SERIAL: Final = "SIM-{n:04d}"
COUNT: Final = 20

Against = Annotated[
    str, typer.Option(metavar="URL|SERVER.yaml", help="A running server: http(s)://…, or mqtt(s)://… or coap(s)://….")
]
Transport = Annotated[
    str | None,
    typer.Option(
        metavar="WORD", help="How devices talk: mqtt, mqtts, http, https, coap or coaps.  [default: as the address]"
    ),
]
Count = Annotated[int, typer.Option(metavar="N", min=1, callback=within(DEVICES), help="The number of devices.")]
Seed = Annotated[
    int,
    typer.Option(metavar="N", callback=within(SEED), help="Decides when devices start and how long they back off."),
]
Serial = Annotated[str, typer.Option(metavar="TEXT", help="Their names.")]
Register = Annotated[
    bool,
    typer.Option("--register", help="Make a device profile for them; delete it and all its devices afterwards."),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="Of that profile: allow (whoever has its key) or check (names imported before).  [default: allow]",
    ),
]
Key = Annotated[
    str | None, typer.Option(metavar="env:NAME|FILE", help="provisionDeviceKey of a profile that is there.")
]
Secret = Annotated[str | None, typer.Option(metavar="env:NAME|FILE", help="Its provisionDeviceSecret.")]
CredentialsWord = Annotated[
    str,
    typer.Option(
        metavar="WORD",
        help="What devices ask for: server_token, own_token, mqtt_basic, certificate; or what they show: "
        "certificate_chain.",
    ),
]
Certificates = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|CA.pem",
        help="Client certificates: SERIAL.pem of each device, or who issues them (also a folder of `ca new`).  "
        "[default: an authority made for the occasion]",
    ),
]
Children = Annotated[
    int, typer.Option(metavar="N", min=0, help="Each device is a gateway with N behind it, on its one connection.")
]
Telemetry = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Sent in each message; repeatable.  [default: temperature=21.5]"),
]
Messages = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Each device leaves after so many messages of telemetry.")
]


@examples(
    "fleetrig simulate thingsboard --against http://127.0.0.1:8080 --register",
    "fleetrig simulate thingsboard --against mqtt://127.0.0.1:1883 \\",
    "    --provision-key env:KEY --provision-secret env:SECRET --count 500",
)
def simulate_command(
    against: Against,
    transport: Transport = None,
    count: Count = COUNT,
    serial: Serial = SERIAL,
    register: Register = False,
    strategy: Strategy = None,
    provision_key: Key = None,
    provision_secret: Secret = None,
    credentials: CredentialsWord = "server_token",
    certificates: Certificates = None,
    children: Children = 0,
    telemetry: Telemetry = None,
    interval: Annotated[str, typer.Option(metavar="TIME", help="Between two messages of telemetry.")] = "30s",
    messages: Messages = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long devices wait for an answer.")] = "30s",
    spread: Annotated[str, typer.Option(metavar="TIME", help="Spread device start-up over this time.")] = "5s",
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="End after this time, such as 10m.")] = None,
    seed: Seed = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a server that does not answer yet.")] = False,
    ca: Ca = None,
    insecure: Insecure = False,
    trace: Annotated[Path | None, typer.Option(metavar="F", help="Write every event here, as JSON lines.")] = None,
    csv: CurvesCsv = None,
    summary: SummaryFile = None,
    quiet: Quiet = False,
) -> None:
    """Simulate ThingsBoard devices without a scenario, until Ctrl-C or --for.

    They provision themselves, log in with what they were given, and send telemetry. Give --provision-key and
    --provision-secret of a profile that is there, or --register with an account. It ends sooner when all devices have
    nothing more to do.
    """
    place = device_place(against, transport)
    given = Given(credentials, register, strategy, provision_key, provision_secret, certificates, children)
    secrets = Secrets()
    way = way_of(given, place, secrets)
    units = units_of(serial, count, children)
    held, authority_pem = certificates_of_fleet(units, given, way)
    settings = settings_of(place.url, telemetry or [], interval, messages, timeout)
    make = FleetMake(settings, way.kind, way.key, held, units.children)
    asking = Asking(place.url, way.kind, "own" if register else "given", way.strategy)
    plan = SimulationPlan(
        url=place.url,
        agents=build_agents(units.listed, make, secrets),
        probe=None if place.server is None else http_probe(place.server.url),
        hint=partial(hint, asking=asking),
        spread_s=seconds(spread, "--spread"),
        for_s=None if for_ is None else seconds(for_, "--for", least_s=0.001),
        seed=seed,
        verify=verify_with(ca, insecure=insecure, file_ca=place.ca),
        waits_for_server=wait,
        temporary=temporary_profile(units, way, place, authority_pem, secrets) if register else None,
        advice=partial(advice, asking=asking),
        stays=lambda _: "" if register else what_stays(place.url, units.listed[0].serial),
    )
    outputs = SimulationOutputs(trace, csv, summary, quiet)
    simulate(plan, READINGS, settings.telemetry_interval_s, outputs, secrets, [TokenWatch(secrets)])


def settings_of(
    url: str, telemetry: list[str], interval: str, messages: int | None, timeout: str
) -> ThingsBoardSettings:
    """What devices send, and how often. Raises UsageError."""
    return ThingsBoardSettings(
        url,
        telemetry=measured(telemetry),
        telemetry_interval_s=seconds(interval, "--interval", least_s=0.1),
        telemetry_messages=messages,
        timeout_s=seconds(timeout, "--timeout", least_s=0.1),
    )


def what_stays(url: str, first: str) -> str:
    return (
        f"left behind on {url}: the devices that were let in, such as {first}; without an account nothing is deleted, "
        "and they are not provisioned a second time until their operator deletes them"
    )
