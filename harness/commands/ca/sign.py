"""`fleetrig ca sign`: a certificate for a key that somebody else has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.ca.folder import opened
from fleetrig.harness.commands.ca.issue import chain_pem
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import (
    Authority,
    Days,
    Expired,
    NotAfter,
    NotBefore,
    WithoutRoot,
    now_us,
    validity_of,
    warn_of_earlier_end,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, FOR_SERVERS
from fleetrig.simulator.certificates.signing_request import not_taken_over, read_request, requested_profile
from fleetrig.simulator.contract.errors import UsageError


@examples(
    "fleetrig ca sign line gw-7.csr",
    "fleetrig ca sign plant server.csr --for-server --out server.pem",
)
def sign_command(
    folder: Authority,
    request: Annotated[Path, typer.Argument(metavar="REQUEST.csr", help="A certificate request, PEM or DER.")],
    days: Days = None,
    not_before: NotBefore = None,
    not_after: NotAfter = None,
    expired: Expired = False,
    for_server: Annotated[bool, typer.Option("--for-server", help="For a server.  [default: for a device]")] = False,
    subject: Annotated[
        str | None, typer.Option(metavar="DN", help="Another subject than the request's: 'CN=GW-1,O=ACME'.")
    ] = None,
    without_names: Annotated[
        bool, typer.Option("--without-names", help="Leave out the host names and addresses that it asks for.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="F", help="The certificate's file.  [default: REQUEST.pem beside it]")
    ] = None,
    without_root: WithoutRoot = False,
) -> None:
    """Sign a certificate request (CSR): the certificate and every authority above it, in one file.

    Subject and alternative names are taken over, nothing else: a request to be an authority is not granted. The
    request's own signature is verified.
    """
    at_us = now_us()
    validity = validity_of(at_us, days, not_before, not_after, expired=expired)
    try:
        asked = read_request(pem_file(request))
        profile = requested_profile(
            asked, validity, subject=distinguished_name(subject) if subject is not None else None,
            takes_names=not without_names, usage=FOR_SERVERS if for_server else FOR_CLIENTS,
        )  # fmt: skip
    except OSError as wrong:
        raise UsageError(f"cannot read {request}: {why_unread(request, wrong)}") from None
    except ValueError as wrong:
        raise UsageError(f"{request}: {wrong}") from None
    goal = request.with_suffix(".pem") if out is None else out
    with opened(folder) as held:
        authority = held.issuing(at_us)
        with NewFiles(goal.parent, [goal.name], "choose another name with --out") as files:
            certificate = authority.issue(profile, asked.public_key(), "request")
            files.write(goal.name, chain_pem(authority, certificate, without_root=without_root))
            with files.put_in_place():
                held.note([certificate])
    typer.echo(f"wrote {goal}: {certificate.subject.rfc4514_string()}, valid until {validity.end:%Y-%m-%d}")
    warn_of_earlier_end(authority, validity)
    if left_out := not_taken_over(asked, profile):
        typer.echo(f"not taken over from the request: {', '.join(left_out)}", err=True)
