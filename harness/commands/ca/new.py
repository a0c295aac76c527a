"""`fleetrig ca new`: an authority, in a folder of its own."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.ca.folder import CERTIFICATE, INDEX, KEY, AuthorityFolder, opened
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import (
    KeyOption,
    NotAfter,
    NotBefore,
    key_kind,
    now_us,
    subject_of,
    validity_of,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.contract.errors import UsageError

TEN_YEARS_DAYS = 3650.0


@examples(
    "fleetrig ca new plant --name 'Plant CA'",
    "fleetrig ca new line --parent plant",
)
def new_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The authority's folder; made if missing.")],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its common name.  [default: the folder's name]")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="DN", help="Its whole subject instead: 'CN=Plant CA,O=ACME'.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(metavar="N", min=0, help="Valid for N days from now.  [default: 3650]")
    ] = None,
    not_before: NotBefore = None,
    not_after: NotAfter = None,
    key: KeyOption = KeyKind.P256.value,
    parent: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Let this authority sign it.  [default: it signs itself]")
    ] = None,
) -> None:
    """Make a certificate authority: DIR/ca.pem, DIR/ca-key.pem and DIR/index.txt. Never overwrites one.

    ca.pem is what others have to trust: `serve --client-ca`, `run --ca`, client_ca in SERVER.yaml. It holds the
    authorities above it too.
    """
    if name is not None and subject is not None:
        raise UsageError("--name and --subject both name it: give one of them")
    at_us, kind = now_us(), key_kind(key)
    days = TEN_YEARS_DAYS if days is None and not_after is None else days
    validity = validity_of(at_us, days, not_before, not_after)
    called = subject_of(name or folder.resolve().name or "fleetrig CA", subject)
    with ExitStack() as held:
        if parent is None:
            above, made = None, CertificateAuthority(called, at_us, kind=kind, validity=validity)
        else:
            above = held.enter_context(opened(parent))
            made = above.authority(at_us).authority_below(called, kind=kind, validity=validity)
        _write(folder, made, above)
    typer.echo(
        f"wrote {folder / CERTIFICATE} and {KEY}: {made.subject.rfc4514_string()}, valid until {validity.end:%Y-%m-%d}"
    )


def _write(folder: Path, made: CertificateAuthority, above: AuthorityFolder | None) -> None:
    names = (CERTIFICATE, KEY, INDEX)
    with NewFiles(folder, names, "choose another folder, or issue with the authority that is there") as files:
        files.write(CERTIFICATE, made.path_pem)
        files.write(KEY, made.key_pem, is_private=True)
        files.write(INDEX, b"", is_private=True)
        with files.put_in_place():
            if above is not None:
                above.note([made.certificate])
