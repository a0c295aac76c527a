"""`fleetrig conform kura`: the rows of the Kura namespace's contract against a server."""

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
from fleetrig.harness.conformance.foreign_listeners import Place, WantedListener, places_of, reached, wanted_listeners
from fleetrig.harness.conformance.row import listing, select
from fleetrig.harness.conformance.run_rows import OpenClient
from fleetrig.harness.platforms.kura.conformance import listeners
from fleetrig.harness.platforms.kura.conformance.preflight import check_that_it_is_kapua, remarks_on
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.kura.conformance.suite import ROWS, own_kura
from fleetrig.harness.platforms.kura.conformance.under_test import (
    APP_ID,
    LISTENERS,
    PROVISION_ACCOUNT,
    ServerUnderTest,
)
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.report.exits import ExitRules
from fleetrig.harness.servers.address import place_of
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError

PROFILES: Final = SERVER.profiles
NEWEST: Final = PROFILES[0]


@examples(
    "fleetrig conform kura --list",
    "fleetrig conform kura S06 S10",
    "fleetrig conform kura --against SERVER.yaml --profile kapua-lax",
)
def conform_command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Rows, such as S06, asking or asking/material."),
    ] = None,
    against: AgainstIfGiven = None,
    profile: ExpectedProfile = None,
    mqtt: Annotated[str, typer.Option(metavar="H:P", help="The broker; - for none.  [default: host's 1883]")] = "",
    mqtts: Annotated[str, typer.Option(metavar="H:P", help="The same over TLS.  [default: 8883]")] = "",
    provision_account: Annotated[
        str, typer.Option(metavar="NAME", help="The account in which gateways are provisioned.")
    ] = PROVISION_ACCOUNT,
    provision_app_id: Annotated[str, typer.Option(metavar="ID", help="The app id of the dialogue.")] = APP_ID,
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
    """Check a server of the Kura namespace against every row of its contract (open profile).

    --against is its REST API, without /v1. Rows make accounts of their own, and remove them again. Rows that begin
    with Profile are about what vendors do not publish: the dialogue PROV-SIM1 and the signature SIG-SIM1 of this
    project. On a server without /v2/provisionRequests, such as a Kapua, they are skipped. What no public source states
    is a warning there.
    """
    profile = expected_profile(profile, "kura", against)
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
    named = {name: place for name, place in (("mqtt", mqtt), ("mqtts", mqtts)) if place}
    dialogue = (provision_account, provision_app_id)
    conform("kura", rows, opened(options, named, dialogue), options, rerun(options, named, dialogue))


@contextlib.contextmanager
def opened(
    options: ConformOptions, named: Mapping[str, str], dialogue: tuple[str, str]
) -> Iterator[OpenedServer[RowClient]]:
    """The server that is to be judged, once it is clear that it can be."""
    with connected(options, places_of(named), dialogue) as under_test:

        def unlocked() -> contextlib.AbstractContextManager[OpenClient[RowClient]]:
            """Rows use accounts of their own, so that runs do not meet."""
            return contextlib.nullcontext(partial(open_client, under_test))

        remarks = [] if options.against is None else remarks_on(under_test)
        url, left = under_test.http.url, under_test.left_behind
        yield OpenedServer(url, unlocked, under_test.can, left, under_test.remedies, remarks)


@contextlib.contextmanager
def connected(
    options: ConformOptions, named: Mapping[str, Place | None], dialogue: tuple[str, str]
) -> Iterator[ServerUnderTest]:
    """Our own server, or the one that `--against` names and that can be judged."""
    if options.against is None:
        with own_kura(options.profile) as under_test:
            yield under_test
        return
    foreign = remote_server_from(options.against, "kura", may_change_settings=True)
    verify = context_of(verify_with(options.ca, insecure=options.insecure, file_ca=foreign.ca))
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(contextlib.closing(ExactClient(foreign.url, verify)))
        control = None
        if foreign.control is not None:
            control = stack.enter_context(contextlib.closing(ExactClient(foreign.control.url)))
        under_test = ServerUnderTest(client, {}, foreign.account, options.profile, control)
        under_test.provision_account, under_test.app_id = dialogue
        check_that_it_is_kapua(under_test)
        under_test.addresses, under_test.missing = reached(listeners_of(foreign, named), listeners.LOOKS)
        yield under_test


def listeners_of(foreign: RemoteServer, named: Mapping[str, Place | None]) -> list[WantedListener]:
    """A SERVER.yaml that names some of them names all of them."""
    in_file = {name: place_of(place) for name, place in foreign.listeners.items() if name in LISTENERS}
    return wanted_listeners(listeners.USUAL_PORTS, foreign.url, {**in_file, **named}, guesses=not in_file)


def rerun(options: ConformOptions, named: Mapping[str, str], dialogue: tuple[str, str]) -> str:
    """The command line that runs rows again, without their numbers."""
    words = ["fleetrig", "conform", "kura"]
    words += ["--against", options.against] if options.against is not None else []
    words += [f"--{name}={place}" for name, place in named.items()]
    account, app_id = dialogue
    words += [f"--provision-account={account}"] if account != PROVISION_ACCOUNT else []
    words += [f"--provision-app-id={app_id}"] if app_id != APP_ID else []
    words += ["--profile", options.profile] if options.profile != NEWEST else []
    return " ".join(words)
