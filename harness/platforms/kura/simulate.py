"""`fleetrig simulate kura`: gateways of the Kura namespace without a scenario, against any server."""

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
from fleetrig.harness.platforms.kura.device_places import device_place
from fleetrig.harness.platforms.kura.issued_credentials import learning
from fleetrig.harness.platforms.kura.simulated_fleet import build_agents, readings_of
from fleetrig.harness.platforms.kura.simulation_hints import SigningIn, advice, hint
from fleetrig.harness.platforms.kura.simulation_options import (
    BOOTSTRAP,
    Given,
    check_options,
    measured,
    temporary_account,
    units_of,
    with_credentials,
)
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.simulation.plan import SimulationPlan
from fleetrig.harness.simulation.reaching import http_probe
from fleetrig.simulator.contract.bounds import DEVICES, SEED
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.flows.kura.components import DataService, ProvisioningService
from fleetrig.simulator.flows.kura.settings import KuraSettings

SERIAL: Final = "SIM-{n:04d}"
COUNT: Final = 20

Against = Annotated[
    str,
    typer.Option(
        metavar="URL|SERVER.yaml", help="The REST API (http://…), the broker (mqtt(s)://…), or a file with both."
    ),
]
Transport = Annotated[
    str | None, typer.Option(metavar="WORD", help="mqtt or mqtts.  [default: as the address, or mqtt]")
]
Count = Annotated[int, typer.Option(metavar="N", min=1, callback=within(DEVICES), help="The number of gateways.")]
Serial = Annotated[str, typer.Option(metavar="TEXT", help="Their serial numbers, which are their client ids too.")]
Seed = Annotated[
    int, typer.Option(metavar="N", callback=within(SEED), help="Decides when they start and when they come back.")
]
Credentials = Annotated[
    str,
    typer.Option(metavar="WORD", help="bootstrap: they provision themselves; password: they are configured already."),
]
Register = Annotated[
    bool,
    typer.Option("--register", help="Make an account and provision requests for them; delete all of it afterwards."),
]
AccountName = Annotated[str | None, typer.Option("--account", metavar="NAME", help="With --credentials password.")]
User = Annotated[str | None, typer.Option(metavar="NAME", help="A user of it, the same for all of them.")]
Secret = Annotated[str | None, typer.Option(metavar="env:NAME|FILE", help="The user's password.")]
Reconnect = Annotated[
    str, typer.Option(metavar="WORD", help="How they come back: kura (Kura's own way) or full-jitter.")
]
Telemetry = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Sent in each message; repeatable.  [default: temperature=21.5]"),
]
Messages = Annotated[int | None, typer.Option(metavar="N", min=1, help="Each leaves after so many messages.")]


@examples(
    "fleetrig simulate kura --against SERVER.yaml --register --count 3",
    "fleetrig simulate kura --against SERVER.yaml --credentials password \\",
    "    --account plant --user gateway --secret env:PASSWORD",
)
def simulate_command(
    against: Against,
    transport: Transport = None,
    count: Count = COUNT,
    serial: Serial = SERIAL,
    credentials: Credentials = BOOTSTRAP,
    register: Register = False,
    account: AccountName = None,
    user: User = None,
    secret: Secret = None,
    reconnect: Reconnect = "kura",
    retry_interval: Annotated[str, typer.Option(metavar="TIME", help="Between two tries to connect.")] = "60s",
    telemetry: Telemetry = None,
    interval: Annotated[str, typer.Option(metavar="TIME", help="Between two messages of telemetry.")] = "30s",
    messages: Messages = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="Of one attempt to provision.")] = "60s",
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
    """Simulate gateways of the Kura namespace without a scenario, until Ctrl-C or --for.

    With --register they provision themselves (open profile PROV-SIM1), come to an account made for them, announce
    themselves and send telemetry. Against a Kapua, which has no provision requests, give --credentials password. It
    ends sooner when all of them have nothing more to do.
    """
    place = device_place(against, transport)
    given = Given(credentials, register, account, user, secret, reconnect)
    check_options(given, place)
    secrets = Secrets()
    usual = timed(retry_interval, timeout, reconnect)
    sending = with_telemetry(usual, telemetry or [], interval, messages)
    settings = with_credentials(sending, given, place, secrets)
    agents = build_agents(units_of(serial, count), settings)
    way = SigningIn(place.url, given.is_bootstrap, account or "")
    plan = SimulationPlan(
        url=place.url,
        agents=agents,
        probe=None if place.server is None else http_probe(place.server.url),
        hint=partial(hint, way=way),
        spread_s=seconds(spread, "--spread"),
        for_s=None if for_ is None else seconds(for_, "--for", least_s=0.001),
        seed=seed,
        verify=verify_with(ca, insecure=insecure, file_ca=place.ca),
        waits_for_server=wait,
        temporary=temporary_account(place, settings, agents, given, secrets) if register else None,
        advice=partial(advice, way=way),
        stays=lambda _: "" if register else what_stays(place.url, account or ""),
    )
    outputs = SimulationOutputs(trace, csv, summary, quiet)
    simulate(plan, readings_of(settings), settings.telemetry_interval_s or 0.0, outputs, secrets, [learning(secrets)])


def with_telemetry(settings: KuraSettings, telemetry: list[str], interval: str, messages: int | None) -> KuraSettings:
    """What they send, and how often. Raises UsageError."""
    interval_s = seconds(interval, "--interval", least_s=0.1)
    return replace(
        settings, telemetry=measured(telemetry), telemetry_interval_s=interval_s, telemetry_messages=messages
    )


def timed(retry_interval: str, timeout: str, reconnect: str) -> KuraSettings:
    """When they come back, and how long they try. Raises UsageError."""
    retry_s = int(seconds(retry_interval, "--retry-interval", least_s=1))
    within_s = int(seconds(timeout, "--timeout", least_s=1))
    data = DataService(retry_interval_s=retry_s, reconnect="full-jitter" if reconnect == "full-jitter" else "kura")
    return KuraSettings(ProvisioningService(retry_interval_s=retry_s, timeout_s=within_s), data=data)


def what_stays(url: str, account: str) -> str:
    return f"left behind on {url}: the gateways that announced themselves in the account {account}, as devices"
