"""`fleetrig conform hawkbit`: the rows of hawkBit's contract against a server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.conform import (
    ConformOptions,
    ExpectedProfile,
    OpenedServer,
    accounts_of,
    conform,
    expected_profile,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import (
    AgainstIfGiven,
    AllowSkipped,
    Ca,
    ChangeTenantSettings,
    FailOnSkip,
    Insecure,
    Junit,
    ReportPage,
    Strict,
)
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import listing, select
from fleetrig.harness.platforms.hawkbit.conformance.preflight import check_accounts, check_that_it_is_hawkbit
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import PROFILES, RIGHTS, ROWS, own_hawkbit
from fleetrig.harness.platforms.hawkbit.conformance.tenant_lock import tenant_lock
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.platforms.hawkbit.vocabulary import VOCABULARY
from fleetrig.harness.report.exits import ExitRules
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

NEWEST: Final = PROFILES[0]


@examples(
    "fleetrig conform hawkbit --list",
    "fleetrig conform hawkbit auth",
    "fleetrig conform hawkbit --against SERVER.yaml --junit junit.xml",
)
def conform_command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Rows, such as S41, auth or auth/wrong-token."),
    ] = None,
    against: AgainstIfGiven = None,
    profile: ExpectedProfile = None,
    list_: Annotated[bool, typer.Option("--list", help="List the rows, run nothing.")] = False,
    strict: Strict = False,
    fail_on_skip: FailOnSkip = False,
    allow_skipped: AllowSkipped = False,
    ca: Ca = None,
    insecure: Insecure = False,
    change_tenant_settings: ChangeTenantSettings = False,
    account: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=USER:SECRET", help="An account with fewer rights: reader=USER:env:NAME."),
    ] = None,
    junit: Junit = None,
    html: ReportPage = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the rows that passed too.")] = False,
) -> None:
    """Check a hawkBit server against every row of its contract.

    Everything that rows create is removed again, and every setting is restored.
    """
    profile = expected_profile(profile, "hawkbit", against)
    if profile not in PROFILES:
        raise UsageError(f"--profile: hawkBit has no profile {profile!r}; {expected(profile, PROFILES)}")
    rules = ExitRules(strict, fail_on_skip, allow_skipped)
    rows = select(ROWS, ids or [])
    if list_:
        for line in listing(rows):
            typer.echo(line)
        return
    options = ConformOptions(against, profile, ca, insecure, junit, html, rules, verbose)
    server = opened(options, accounts_of(account or [], tuple(RIGHTS)), may_change=change_tenant_settings)
    conform("hawkbit", rows, server, options, rerun(against, profile))


@contextlib.contextmanager
def opened(
    options: ConformOptions, accounts: dict[str, UserPassword], *, may_change: bool
) -> Iterator[OpenedServer[RowClient]]:
    """The server that is to be judged, once it is clear that it can be."""
    with connected(options, may_change=may_change) as (under_test, can, remedies):
        under_test.accounts = {**under_test.accounts, **accounts}
        check_that_it_is_hawkbit(under_test)
        check_accounts(under_test, RIGHTS)
        yield OpenedServer(under_test.http.url, lambda: tenant_lock(under_test), can, under_test.left_behind, remedies)


@contextlib.contextmanager
def connected(
    options: ConformOptions, *, may_change: bool
) -> Iterator[tuple[TenantUnderTest, frozenset[str], Mapping[str, str]]]:
    """The server, what it can do, and how it could do more: our own, or the one that `--against` names."""
    if options.against is None:
        with own_hawkbit(options.profile) as (under_test, can):
            yield under_test, can | {"http"}, {}
        return
    foreign = remote_server_from(options.against, "hawkbit", may_change_settings=may_change)
    verify = context_of(verify_with(options.ca, insecure=options.insecure, file_ca=foreign.ca))
    with contextlib.closing(ExactClient(foreign.url, verify)) as client:
        under_test = TenantUnderTest(
            client, foreign.account, foreign.tenant, options.profile, may_change_settings=foreign.may_change_settings
        )
        can = frozenset(word.removeprefix("hawkbit.") for word in VOCABULARY.can | foreign.can)
        yield under_test, can, remedies_of(foreign)


def remedies_of(foreign: RemoteServer) -> Mapping[str, str]:
    """Of a `fleetrig serve` that says what it can do: how it could do more."""
    if not foreign.profile:
        return {}
    return {
        word.removeprefix("hawkbit."): f"the server lacks {word}; start `fleetrig serve` with {serve_options}"
        for word, serve_options in VOCABULARY.serve_options.items()
    }


def rerun(against: str | None, profile: str) -> str:
    """The command line that runs rows again, without their numbers."""
    words = ["fleetrig", "conform", "hawkbit"]
    words += ["--against", against] if against is not None else []
    words += ["--profile", profile] if profile != NEWEST else []
    return " ".join(words)
