"""`fleetrig ca revoke`: certificates that no longer count, and the list that says so."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509

from fleetrig.harness.commands.ca.folder import AuthorityFolder, opened
from fleetrig.harness.commands.ca.index import IssuedEntry
from fleetrig.harness.commands.ca.options import Authority, now_us, without_keys
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.certificates.pem import certificates_in, is_issuer
from fleetrig.simulator.certificates.signing import REASONS
from fleetrig.simulator.contract.errors import UsageError

UNSPECIFIED: Final = "unspecified"


@examples(
    "fleetrig ca revoke line HB-0007 --reason keyCompromise",
    "fleetrig ca revoke plant  # the list alone",
)
def revoke_command(
    folder: Authority,
    whom: Annotated[
        list[str] | None, typer.Argument(metavar="NAME|FILE", help="Common names, or files with certificates.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="WORD", help=f"Why: {', '.join(REASONS)}.")] = UNSPECIFIED,
    crl_days: Annotated[
        float, typer.Option(metavar="N", min=0, help="The list says that the next one comes in N days.")
    ] = 30.0,
) -> None:
    """Revoke certificates and write DIR/crl.pem, the list of all that are revoked; without a name, only the list.

    A name stands for all certificates that were issued for it. A list that is older than --crl-days counts no more:
    write it again.

    `serve --client-ca DIR/ca.pem --client-ca DIR/crl.pem` obeys it from its next start on. As with nginx and OpenSSL,
    every authority up to the root then needs a list, also one that has revoked nothing: `ca revoke` on its folder.
    """
    if reason not in REASONS:
        nearest = difflib.get_close_matches(reason, REASONS, n=1)
        raise UsageError(f"--reason: expected {', '.join(REASONS)}, got {reason!r}"
                         + (f"; did you mean {nearest[0]}?" if nearest else ""))  # fmt: skip
    at_us = now_us()
    with opened(folder) as held:
        entries = {one.serial_number: one for one in held.entries}
        authority = held.authority(at_us).certificate
        meant = {one.serial_number: one for word in without_keys(whom or ()) for one in _meant(held, authority, word)}
        fresh = [one for one in (entries.get(number, one) for number, one in meant.items()) if not one.revoked]
        entries |= {one.serial_number: one.revoked_at(at_us, reason) for one in fresh}
        written = held.keep_with_crl(list(entries.values()), at_us, crl_days)
    before = f", {len(meant) - len(fresh)} were before" if len(fresh) < len(meant) else ""
    typer.echo(f"revoked {len(fresh)}{before}; {written} lists {sum(bool(one.revoked) for one in entries.values())}")


def _meant(held: AuthorityFolder, authority: x509.Certificate, word: str) -> list[IssuedEntry]:
    """What a name or a file stands for. Raises UsageError for what this authority has not issued."""
    if Path(word).is_file():
        return [_in_file(authority, Path(word))]
    found = [one for one in held.entries if one.is_named(word)]
    if not found:
        known = [one.subject.rpartition("/CN=")[2] for one in held.entries]
        nearest = difflib.get_close_matches(word, known, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ", and there is no such file"
        raise UsageError(f"{held.path} has issued nothing for {word!r}{hint}")
    return found


def _in_file(authority: x509.Certificate, path: Path) -> IssuedEntry:
    try:
        certificate = certificates_in(pem_file(path))[0]
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {why_unread(path, wrong)}") from None
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None
    if not is_issuer(authority, certificate):
        raise UsageError(f"{path}: its first certificate is of another authority")
    return IssuedEntry.of(certificate)
