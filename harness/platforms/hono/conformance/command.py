"""`fleetrig conform hono`: the rows of Hono's contract against a registry and its adapters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.conform import ConformOptions, ExpectedProfile, OpenedServer, conform, expected_profile
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import (
    AgainstIfGiven,
    AllowSkipped,
    Ca,
    FailOnSkip,
    Insecure,
    Junit,
    ReportPage,
    Strict,
)
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.foreign_listeners import (
    Place,
    WantedListener,
    places_of,
    reached,
    wanted_listeners,
)
from fleetrig.harness.conformance.row import listing, select
from fleetrig.harness.conformance.run_rows import OpenClient
from fleetrig.harness.platforms.hono.conformance import listeners
from fleetrig.harness.platforms.hono.conformance.generations import GENERATIONS
from fleetrig.harness.platforms.hono.conformance.preflight import check_that_it_is_a_registry, remarks_on
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hono.conformance.suite import ROWS, own_hono
from fleetrig.harness.platforms.hono.conformance.under_test import LISTENERS, ServerUnderTest
from fleetrig.harness.report.exits import ExitRules
from fleetrig.harness.servers.address import place_of
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError

PROFILES: Final = tuple(GENERATIONS)
"""The generations whose answers rows expect, the newest first."""
NEWEST: Final = PROFILES[0]


@examples(
    "fleetrig conform hono --list",
    "fleetrig conform hono tenants A01",
    "fleetrig conform hono --against SERVER.yaml --coaps - --junit junit.xml",
)
def conform_command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Rows, such as A01, tenants or tenants/again."),
    ] = None,
    against: AgainstIfGiven = None,
    profile: ExpectedProfile = None,
    http: Annotated[str, typer.Option(metavar="H:P", help="HTTP adapter; - for none.  [default: host's 8080]")] = "",
    https: Annotated[str, typer.Option(metavar="H:P", help="The same over TLS.  [default: 8443]")] = "",
    mqtt: Annotated[str, typer.Option(metavar="H:P", help="MQTT adapter.  [default: 1883]")] = "",
    mqtts: Annotated[str, typer.Option(metavar="H:P", help="The same over TLS.  [default: 8883]")] = "",
    coaps: Annotated[str, typer.Option(metavar="H:P", help="CoAP adapter, over DTLS.  [default: 5684]")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the rows, run nothing.")] = False,
    strict: Strict = False,
    fail_on_skip: FailOnSkip = False,
    allow_skipped: AllowSkipped = False,
    ca: Ca = None,
    insecure: Insecure = False,
    junit: Junit = None,
    html: ReportPage = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the rows that passed too.")] = False,
) -> None:
    """Check a Hono against every row of its contract.

    --against is the device registry's management API. Rows make tenants of their own, and remove them again. Adapters
    that do not answer are named, and their rows skipped. What a real Hono is known to do, though a better server would
    not, is a warning.
    """
    profile = expected_profile(profile, "hono", against)
    if profile not in PROFILES:
        raise UsageError(f"--profile: there are no rows for {profile!r}; {expected(profile, PROFILES)}")
    rows = select(ROWS, ids or [])
    if list_:
        for line in listing(rows):
            typer.echo(line)
        return
    options = ConformOptions(
        against, profile, ca, insecure, junit, html, ExitRules(strict, fail_on_skip, allow_skipped), verbose
    )
    given = {"http": http, "https": https, "mqtt": mqtt, "mqtts": mqtts, "coaps": coaps}
    named = {name: place for name, place in given.items() if place}
    conform("hono", rows, opened(options, named), options, rerun(options, named))


@contextlib.contextmanager
def opened(options: ConformOptions, named: Mapping[str, str]) -> Iterator[OpenedServer[RowClient]]:
    """The server that is to be judged, once it is clear that it can be."""
    with connected(options, places_of(named)) as under_test:

        def unlocked() -> contextlib.AbstractContextManager[OpenClient[RowClient]]:
            """Rows use tenants of their own, so that runs do not meet."""
            return contextlib.nullcontext(partial(open_client, under_test))

        remarks = [] if options.against is None else remarks_on(under_test)
        url, left = under_test.http.url, under_test.left_behind
        yield OpenedServer(url, unlocked, under_test.can, left, under_test.remedies, remarks)


@contextlib.contextmanager
def connected(options: ConformOptions, named: Mapping[str, Place | None]) -> Iterator[ServerUnderTest]:
    """Our own server, or the one that `--against` names and that can be judged."""
    if options.against is None:
        with own_hono(options.profile) as under_test:
            yield under_test
        return
    foreign = remote_server_from(options.against, "hono", may_change_settings=True)
    verify = context_of(verify_with(options.ca, insecure=options.insecure, file_ca=foreign.ca))
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(contextlib.closing(ExactClient(foreign.url, verify)))
        control = None
        if foreign.control is not None:
            control = stack.enter_context(contextlib.closing(ExactClient(foreign.control.url)))
        account = foreign.account if foreign.account.user else None
        under_test = ServerUnderTest(client, {}, account, options.profile, control)
        check_that_it_is_a_registry(under_test)
        wanted = listeners_of(foreign, named)
        under_test.addresses, under_test.missing = reached(wanted, listeners.LOOKS)
        yield under_test


def listeners_of(foreign: RemoteServer, named: Mapping[str, Place | None]) -> list[WantedListener]:
    """A SERVER.yaml that names some of them names all of them."""
    in_file = {name: _place_in(address) for name, address in foreign.listeners.items() if name in LISTENERS}
    return wanted_listeners(listeners.USUAL_PORTS, foreign.url, {**in_file, **named}, guesses=not in_file)


def _place_in(address: str) -> Place:
    """Of a listener: `HOST:PORT`, or a URL for those of HTTP."""
    return place_of(address.partition("://")[2] or address)


def rerun(options: ConformOptions, named: Mapping[str, str]) -> str:
    """The command line that runs rows again, without their numbers."""
    words = ["fleetrig", "conform", "hono"]
    words += ["--against", options.against] if options.against is not None else []
    words += [f"--{name}={place}" for name, place in named.items()]
    words += ["--profile", options.profile] if options.profile != NEWEST else []
    return " ".join(words)
