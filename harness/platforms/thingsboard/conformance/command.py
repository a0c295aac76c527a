"""`fleetrig conform thingsboard`: the rows of ThingsBoard's contract against a server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from fleetrig.harness.commands.conform import ConformOptions, OpenedServer, conform
from fleetrig.harness.commands.options import AgainstIfGiven, AllowSkipped, Ca, FailOnSkip, Insecure, Junit, Strict
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.own_server import own_server
from fleetrig.harness.conformance.row import listing, select
from fleetrig.harness.conformance.run_rows import OpenClient
from fleetrig.harness.platforms.thingsboard.conformance.generations import GENERATIONS
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.report.exits import ExitRules
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

PROFILES: Final = tuple(GENERATIONS)
"""The generations whose answers rows expect, the newest first."""
OWN_SYSADMIN: Final = UserPassword("sysadmin@thingsboard.org", "sysadmin")
"""Of a fresh server."""
NEWEST: Final = PROFILES[0]
OF_DEVICES: Final = ("mqtt", "mqtts", "coap")
"""The listeners beside HTTP that rows use."""


def conform_command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Rows, such as S41, listed or listed/again."),
    ] = None,
    against: AgainstIfGiven = None,
    profile: Annotated[str, typer.Option(metavar="V", help="The generation whose answers are expected.")] = NEWEST,
    mqtt: Annotated[str, typer.Option(metavar="H:P", help="MQTT, if not in SERVER.yaml; - for none.")] = "",
    mqtts: Annotated[str, typer.Option(metavar="H:P", help="MQTT over TLS, the same.")] = "",
    coap: Annotated[str, typer.Option(metavar="H:P", help="CoAP, the same.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the rows, run nothing.")] = False,
    strict: Strict = False,
    fail_on_skip: FailOnSkip = False,
    allow_skipped: AllowSkipped = False,
    ca: Ca = None,
    insecure: Insecure = False,
    junit: Junit = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the rows that passed too.")] = False,
) -> None:
    """Check a ThingsBoard server against every row of its contract.

    Rows make device profiles and devices of their own, and remove them again. A server by its address alone is taken
    to have MQTT on port 1883 and CoAP on 5683 of the same host; MQTT over TLS has to be named.
    """
    if profile not in PROFILES:
        raise UsageError(f"--profile: there are no rows for {profile!r}; {expected(profile, PROFILES)}")
    rows = select(ROWS, ids or [])
    if list_:
        for line in listing(rows):
            typer.echo(line)
        return
    options = ConformOptions(
        against, profile, ca, insecure, junit, ExitRules(strict, fail_on_skip, allow_skipped), verbose
    )
    named = {"mqtt": mqtt, "mqtts": mqtts, "coap": coap}
    conform("thingsboard", rows, opened(options, named), options, rerun(options, named))


@contextlib.contextmanager
def opened(options: ConformOptions, named: Mapping[str, str]) -> Iterator[OpenedServer[RowClient]]:
    """The server that is to be judged, once it has accepted the account."""
    with connected(options, named) as under_test:
        TenantApi(under_test).log_in()

        def unlocked() -> contextlib.AbstractContextManager[OpenClient[RowClient]]:
            """Rows use profiles of their own, so that runs do not meet."""
            return contextlib.nullcontext(partial(open_client, under_test))

        yield OpenedServer(under_test.http.url, unlocked, under_test.can, under_test.left_behind, under_test.remedies)


@contextlib.contextmanager
def connected(options: ConformOptions, named: Mapping[str, str]) -> Iterator[ServerUnderTest]:
    """Our own server, or the one that `--against` names."""
    if options.against is None:
        with own_thingsboard(options.profile) as under_test:
            yield under_test
        return
    foreign = remote_server_from(options.against, "thingsboard", may_change_settings=True)
    verify = context_of(verify_with(options.ca, insecure=options.insecure, file_ca=foreign.ca))
    host = urlsplit(foreign.url).hostname or ""
    usual = {} if foreign.is_file else {"mqtt": f"{host}:1883", "coap": f"{host}:5683"}
    places = {**usual, **foreign.listeners, **{name: place for name, place in named.items() if place}}
    addresses = {name: place_of(places[name]) for name in OF_DEVICES if places.get(name, "-") != "-"}
    with contextlib.closing(ExactClient(foreign.url, verify)) as client:
        yield ServerUnderTest(client, addresses, foreign.account, options.profile)


@contextlib.contextmanager
def own_thingsboard(profile: str) -> Iterator[ServerUnderTest]:
    """Our reference server with every listener, and a clock that can be moved."""
    listeners = [f"--{name}=127.0.0.1:0" for name in ("http", *OF_DEVICES, "coaps")]
    with (
        own_server(["--platform=thingsboard", f"--profile={profile}", *listeners]) as ready,
        contextlib.closing(ExactClient(f"http://{ready['http']}")) as client,
        contextlib.closing(ExactClient(f"http://{ready['control']}")) as control,
    ):
        addresses = {name: place_of(ready[name]) for name in OF_DEVICES}
        yield ServerUnderTest(client, addresses, SERVER.account, profile, control, OWN_SYSADMIN)


def place_of(text: str) -> tuple[str, int]:
    """`HOST:PORT`, or an URL. Raises UsageError."""
    parts = urlsplit(text if "://" in text else f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise UsageError(f"{text!r}: expected HOST:PORT")
    return host, port


def rerun(options: ConformOptions, named: Mapping[str, str]) -> str:
    """The command line that runs rows again, without their numbers."""
    words = ["fleetrig", "conform", "thingsboard"]
    words += ["--against", options.against] if options.against is not None else []
    words += [f"--{name}={place}" for name, place in named.items() if place]
    words += ["--profile", options.profile] if options.profile != NEWEST else []
    return " ".join(words)
