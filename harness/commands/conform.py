"""`fleetrig conform`: rows of a platform's contract against a server. What all platforms share of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Generic, NoReturn, TypeVar

import typer

from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import OpenClient, run_rows
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import ExitRules, exit_of_all, remark_on_skips
from fleetrig.harness.report.junit import by_rules, write_junit
from fleetrig.harness.report_page.page import write_report_page
from fleetrig.harness.servers.description import description_of
from fleetrig.harness.servers.secrets import checked_account, secret_from
from fleetrig.harness.servers.server_file import described_server
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.identity import UserPassword

S = TypeVar("S")

OWN_SERVER = "our own"


ExpectedProfile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="V", help="The generation whose answers are expected.  [default: what a `fleetrig serve` "
        "says that it plays, else the newest]",
    ),
]  # fmt: skip


def expected_profile(given: str | None, platform: str, against: str | None) -> str:
    """What was given; else what the server says of itself; else the newest. Raises UsageError, BrokenBench."""
    if given is not None:
        return given
    page = None if against is None else described_server(against).page
    told = "" if page is None or platform not in page.platforms else page.platforms[platform].profile
    return told or description_of(platform).profiles[0]


@dataclass(frozen=True, slots=True)
class ConformOptions:
    """The options that every platform's `conform` has."""

    against: str | None
    """As typed; None for our own reference server."""
    profile: str
    ca: Path | None
    insecure: bool
    junit: Path | None
    html: Path | None
    rules: ExitRules
    verbose: bool


@dataclass(frozen=True, slots=True)
class OpenedServer(Generic[S]):
    """A server that can be judged now."""

    url: str
    lock: Callable[[], AbstractContextManager[OpenClient[S]]]
    """Locks out other runs; yields the factory of clients for rows."""
    can: frozenset[str]
    """What rows may need: capability words without the platform's name, and the names of its listeners."""
    left_behind: list[str]
    """Sentences on what could not be cleaned up."""
    remedies: Mapping[str, str] = field(default_factory=dict)
    """Word that rows may need -> why the server lacks it, and what to do about it, where SERVER.yaml does not help."""
    remarks: Sequence[str] = ()
    """Sentences on the server, shown before the first row."""


def conform(
    platform: str,
    rows: Sequence[Row[S]],
    opened: AbstractContextManager[OpenedServer[S]],
    options: ConformOptions,
    rerun: str,
) -> NoReturn:
    """Judges a server by these rows, shows and writes the reports, and ends the command.

    `rerun` is the command line that does the same again, without the rows' numbers. Raises typer.Exit, and BrokenBench
    (also into the JUnit file) for a server that cannot be judged.
    """
    console = make_console()
    if options.junit is not None:
        check_file("--junit", options.junit)
    if options.html is not None:
        check_file("--html", options.html)
    if options.insecure:
        console.print("--insecure: the server's certificate is not checked, anybody could be answering")
    writer = ConsoleReport(console, verbose=options.verbose)
    blank = Report(
        f"conform/{platform}",
        "",
        Verdict.PASSED,
        target=options.against or OWN_SERVER,
        profile=options.profile,
        rerun=rerun,
    )
    try:
        with opened as server:
            for remark in server.remarks:
                console.print(remark)
            verdicts = _judge(rows, server, replace(blank, target=server.url), writer, options)
    except BrokenBench as broken:
        if options.junit is not None:
            unmet = replace(blank, name=f"{blank.name}/server", verdict=Verdict.BROKEN, reason=str(broken))
            write_junit([unmet], options.junit)
        raise
    raise typer.Exit(exit_of_all(verdicts, options.rules))


def accounts_of(given: Sequence[str], kinds: Sequence[str]) -> dict[str, UserPassword]:
    """The `--account` options: kind -> account. Raises UsageError."""
    accounts = {}
    for text in given:
        kind, _, rest = text.partition("=")
        user, _, secret = rest.partition(":")
        if kind not in kinds or not user or not secret:
            raise UsageError(f"--account takes {' or '.join(kinds)}=USER:env:NAME (or a file with mode 600)")
        accounts[kind] = checked_account(user, secret_from(secret, "--account"), "--account")
    return accounts


def _judge(
    rows: Sequence[Row[S]], server: OpenedServer[S], blank: Report, writer: ConsoleReport, options: ConformOptions
) -> list[Verdict]:
    """Returns a verdict for each row. If clean-up failed, the run as a whole is BROKEN."""
    try:
        with server.lock() as open_client:
            running = run_rows(rows, open_client, server.can, blank, server.remedies)
            verdicts = _show(running, len(rows), writer, options)
    finally:
        writer.left_behind(server.left_behind)
    return verdicts + [Verdict.BROKEN] * bool(server.left_behind)


def _show(running: Iterator[Report], count: int, writer: ConsoleReport, options: ConformOptions) -> list[Verdict]:
    """Shows each row as it ends; the JUnit file is written even if the run is interrupted."""
    began_s = time.monotonic()
    reports: list[Report] = []
    try:
        with writer.progress(count):
            for report in running:
                reports.append(report)
                writer.show_row(report)
    finally:
        junit, html = options.junit, options.html
        verdicts = [report.verdict for report in reports]
        rounded = [replace(report, took_s=round(report.took_s, 3)) for report in reports]
        try:
            if junit is not None:
                write_junit(by_rules(rounded, options.rules), junit)
            if html is not None:
                write_report_page(rounded, html)
        finally:
            places = {"junit": junit, "html": html}
            written = {what: path for what, path in places.items() if path is not None and path.exists()}
            remark = remark_on_skips(verdicts, options.rules)
            writer.finish(reports, written, took_s=time.monotonic() - began_s, remark=remark)
    return verdicts
