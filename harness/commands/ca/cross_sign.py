"""`fleetrig ca cross-sign`: one authority takes the place of another while both count."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.commands.ca.folder import CROSS, AuthorityFolder, opened
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import now_us
from fleetrig.harness.commands.help_page import examples
from fleetrig.simulator.contract.errors import UsageError


@examples(
    "fleetrig ca cross-sign new-plant plant",
)
def cross_sign_command(
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of the authority that is to take over.")],
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of the one that everybody trusts so far.")],
) -> None:
    """Roll over to a new authority: OLD signs NEW too, and whoever trusts only OLD takes NEW's certificates as well.

    Writes NEW/cross.pem. As long as it is there, `ca issue`, `ca sign` and `ca renew` with NEW put OLD into the chain.
    Delete it when all trust NEW.

    A roll-over with overlap: `ca new NEW`; `ca cross-sign NEW OLD`; let servers trust both (`serve --client-ca
    OLD/ca.pem --client-ca NEW/ca.pem`); `ca renew NEW OLD/issued/DEVICE.pem` for each device; delete NEW/cross.pem;
    let servers trust NEW only.
    """
    at_us = now_us()
    if new.resolve() == old.resolve():
        raise UsageError(f"{new} is both the new authority and the old one: give two folders")
    with ExitStack() as stack:
        # In the order of their names, whichever is NEW: two commands never wait for each other.
        held = {path: stack.enter_context(opened(path)) for path in sorted((new, old), key=Path.resolve)}
        certificate = _cross_signed(held[new], held[old], at_us)
    name, by = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    typer.echo(f"wrote {new / CROSS}: {name} by {by}; certificates that {new} issues from now on show it")


def _cross_signed(new: AuthorityFolder, old: AuthorityFolder, at_us: int) -> x509.Certificate:
    crossed = new.authority(at_us).cross_signed_by(old.authority(at_us))
    with NewFiles(new.path, [CROSS], f"delete it to let {old.path} sign again") as files:
        files.write(CROSS, b"".join(one.public_bytes(Encoding.PEM) for one in crossed.path))
        with files.put_in_place():
            old.note([crossed.certificate])
    return crossed.certificate
