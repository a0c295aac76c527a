"""`fleetrig conform`: the rows of a platform's contract against a server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetrig.harness.commands.exits import exit_of
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import Row, listing, select
from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.preflight import check_accounts, check_that_it_is_hawkbit
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import PROFILES, RIGHTS, ROWS, own_hawkbit, verify_context
from fleetrig.harness.platforms.hawkbit.conformance.tenant_lock import tenant_lock
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.junit import write_junit
from fleetrig.harness.servers.foreign import foreign_server, verify_with
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.verdict import Report, Verdict, worst
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.identity import UserPassword


def conform_command(
    platform: Annotated[Literal["hawkbit"], typer.Argument(help="Whose contract.")],
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Rows: S41, auth, auth/wrong-token.")
    ] = None,
    against: Annotated[str | None, typer.Option(metavar="URL|SERVER.yaml", help="The server; else our own.")] = None,
    profile: Annotated[str, typer.Option(help="Which generation's answers are expected.")] = "1.1",
    list_: Annotated[bool, typer.Option("--list", help="One line per row, nothing is run.")] = False,
    strict: Annotated[bool, typer.Option(help="Warnings fail.")] = False,
    ca: Annotated[Path | None, typer.Option(help="Trust this CA (PEM).")] = None,
    insecure: Annotated[bool, typer.Option(help="Accept any certificate.")] = False,
    change_tenant_settings: Annotated[
        bool, typer.Option(help="Allow changes of tenant-wide settings on a server beyond loopback.")
    ] = False,
    account: Annotated[
        list[str] | None, typer.Option(metavar="KIND=USER:SECRET", help="A reader's or creator's account; env:NAME.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the rows that passed too.")] = False,
) -> None:
    """Checks a server against every row of its platform's contract."""
    if profile not in PROFILES:
        raise UsageError(f"hawkBit has no profile {profile!r}; there are {', '.join(PROFILES)}")
    rows = select(ROWS, ids or [])
    if list_:
        for line in listing(rows):
            typer.echo(line)
        return
    console = make_console()
    if insecure:
        console.print("--insecure: the server's certificate is not checked, anybody could be answering")
    accounts = accounts_of(account or [])
    blank = Report(f"conform/{platform}", "", Verdict.PASSED, target=against or "our own", profile=profile,
                   rerun=rerun(platform, against, profile))  # fmt: skip
    writer = ConsoleReport(console, verbose=verbose)
    try:
        with meeting(against, profile, ca, insecure=insecure, may_change=change_tenant_settings) as (server, can):
            server.accounts = {**server.accounts, **accounts}
            check_that_it_is_hawkbit(server)
            check_accounts(server, RIGHTS)
            verdicts = judge(rows, server, can, replace(blank, target=server.http.url), writer, junit)
    except BrokenBench as broken:
        if junit is not None:
            unmet = replace(blank, name=f"{blank.name}/server", verdict=Verdict.BROKEN, reason=str(broken))
            write_junit([unmet], junit)
        raise
    raise typer.Exit(exit_of(worst(verdicts), strict=strict))


@contextlib.contextmanager
def meeting(
    against: str | None, profile: str, ca: Path | None, *, insecure: bool, may_change: bool
) -> Iterator[tuple[TenantUnderTest, frozenset[str]]]:
    """The server that is to be judged, and what it can do."""
    if against is None:
        with own_hawkbit(profile) as own:
            yield own
        return
    foreign = foreign_server(against, may_change_settings=may_change)
    with contextlib.closing(ExactClient(foreign.url, verify_context(verify_with(ca, insecure=insecure)))) as client:
        server = TenantUnderTest(client, foreign.admin.account, foreign.admin.tenant, profile,
                        may_change_settings=foreign.admin.may_change_settings)  # fmt: skip
        yield server, frozenset(word.removeprefix("hawkbit.") for word in foreign.can)


def judge(
    rows: Sequence[Row[RowClient]], server: TenantUnderTest, can: frozenset[str], blank: Report, writer: ConsoleReport,
    junit: Path | None,
) -> list[Verdict]:  # fmt: skip
    """A verdict for each row. A server that would not take everything back leaves the run broken, whatever they say."""
    try:
        with tenant_lock(server) as use:
            verdicts = show(run_rows(rows, use, can, blank), len(rows), writer, junit)
    finally:
        writer.left_behind(server.left_behind)
    return verdicts + [Verdict.BROKEN] * bool(server.left_behind)


def show(running: Iterator[Report], count: int, writer: ConsoleReport, junit: Path | None) -> list[Verdict]:
    """Shows each row as it ends; the JUnit file is written even when the run breaks off."""
    began_s = time.monotonic()
    reports: list[Report] = []
    try:
        with writer.progress(count):
            for report in running:
                reports.append(report)
                writer.show_row(report)
    finally:
        if junit is not None:
            write_junit([replace(report, took_s=round(report.took_s, 3)) for report in reports], junit)
        writer.finish(reports, {"junit": junit} if junit is not None else {}, took_s=time.monotonic() - began_s)
    return [report.verdict for report in reports]


def accounts_of(given: Sequence[str]) -> dict[str, UserPassword]:
    """The `--account` options: kind -> account. Raises UsageError."""
    accounts = {}
    for text in given:
        kind, _, rest = text.partition("=")
        user, _, secret = rest.partition(":")
        if kind not in RIGHTS or not user or not secret:
            kinds = " or ".join(RIGHTS)
            raise UsageError(f"--account takes {kinds}=USER:env:NAME (or a file with mode 600)")
        accounts[kind] = UserPassword(user, secret_from(secret, "--account"))
    return accounts


def rerun(platform: str, against: str | None, profile: str) -> str:
    """The command line that runs rows again, without their numbers."""
    words = ["fleetrig", "conform", platform]
    words += ["--against", against] if against is not None else []
    words += ["--profile", profile] if profile != "1.1" else []
    return " ".join(words)
