"""`fleetrig ca renew`: certificates for the same names with later dates, by the same authority or by its successor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509

from fleetrig.harness.commands.ca.folder import opened
from fleetrig.harness.commands.ca.issue import chain_pem, files_of
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import (
    ISSUED,
    KINDS,
    Authority,
    Days,
    NotAfter,
    NotBefore,
    WithoutRoot,
    key_kind,
    now_us,
    validity_of,
    warn_of_earlier_end,
    without_keys,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind, key_pem, kind_of
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY, certificates_in, key_in
from fleetrig.simulator.certificates.profile import Validity, profile_of
from fleetrig.simulator.contract.errors import UsageError

RENEWED: Final = "renewed"


@dataclass(frozen=True, slots=True)
class _Renewal:
    """What one file is to become."""

    path: Path
    old: x509.Certificate
    kind: KeyKind | None
    """Of the new key; None keeps the old one."""

    @property
    def files(self) -> tuple[str, str]:
        return files_of(self.path.stem)


@examples(
    "fleetrig ca renew line HB-0007",
    "fleetrig ca renew new-line line/issued/HB-0007.pem --same-key",
)
def renew_command(
    folder: Authority,
    whom: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE", help="Files with certificates, or the names of those in issued/ of the authority's."
        ),
    ],
    same_key: Annotated[
        bool, typer.Option("--same-key", help="Keep the keys; a device whose key is not here gets a certificate only.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help=f"Kind of the new keys: {', '.join(KINDS)}.  [default: that of the old ones]"
        ),
    ] = None,
    days: Days = None,
    not_before: NotBefore = None,
    not_after: NotAfter = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where the files go; made if missing.  [default: renewed/ in the authority's]"
        ),
    ] = None,
    without_root: WithoutRoot = False,
) -> None:
    """Issue certificates for the same names and purposes again, with later dates and new keys.

    The old files stay, and their certificates count until they end: `ca revoke DIR FILE` ends them at once (by NAME it
    would end the new ones too). Files of another authority are taken as well: that is how devices move to a new one.
    """
    if same_key and key is not None:
        raise UsageError("--same-key and --key contradict each other: give one of them")
    at_us = now_us()
    validity = validity_of(at_us, days, not_before, not_after)
    kind = None if key is None else key_kind(key)
    place = folder / RENEWED if out is None else out
    with opened(folder) as held:
        authority = held.issuing(at_us)
        renewals = [_renewal(_file_of(folder, word), kind, same_key=same_key) for word in without_keys(whom)]
        advice = "choose another folder with --out, or move the old files away"
        with NewFiles(place, chain.from_iterable(map(_written, renewals)), advice) as files:
            issued = [_renew(files, authority, one, validity, without_root=without_root) for one in renewals]
            with files.put_in_place():
                held.note(issued)
    typer.echo(f"wrote {_told(renewals, place)}; valid until {validity.end:%Y-%m-%d}")
    warn_of_earlier_end(authority, validity)


def _file_of(folder: Path, word: str) -> Path:
    return Path(word) if Path(word).is_file() else folder / ISSUED / files_of(word)[0]


def _renewal(path: Path, kind: KeyKind | None, *, same_key: bool) -> _Renewal:
    """Raises UsageError for a file that is not there, or holds no certificate of a device or server."""
    try:
        old = certificates_in(pem_file(path))[0]
        if _is_authority(old):
            raise ValueError("it is of an authority: make a new one with `ca new`, and roll over with `ca cross-sign`")
        return _Renewal(path, old, None if same_key else kind or kind_of(old.public_key()))
    except FileNotFoundError:
        raise UsageError(
            f"there is no certificate {path} to renew: give a name that {ISSUED}/ has, or a file"
        ) from None
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {why_unread(path, wrong)}") from None
    except UNREADABLE_BY_LIBRARY as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _written(renewal: _Renewal) -> Sequence[str]:
    """Its new files."""
    return renewal.files if renewal.kind is not None or _key_path(renewal).is_file() else renewal.files[:1]


def _key_path(renewal: _Renewal) -> Path:
    return renewal.path.with_name(renewal.files[1])


def _renew(
    files: NewFiles, authority: CertificateAuthority, renewal: _Renewal, validity: Validity, *, without_root: bool
) -> x509.Certificate:
    certificate_file, *key_file = _written(renewal)
    new_key = None if renewal.kind is None else authority.keys.new_key(renewal.kind, "renewal")
    public_key = renewal.old.public_key() if new_key is None else new_key.public_key()
    certificate = authority.issue(profile_of(renewal.old).with_validity(validity), public_key, "renewal")
    files.write(certificate_file, chain_pem(authority, certificate, without_root=without_root))
    if key_file:
        content = _kept_key(renewal) if new_key is None else key_pem(new_key)
        files.write(key_file[0], content, is_private=True)
    return certificate


def _kept_key(renewal: _Renewal) -> bytes:
    """Raises UsageError for one that does not belong to the certificate."""
    path = _key_path(renewal)
    try:
        content = pem_file(path)
        if key_in(content).public_key() != renewal.old.public_key():
            raise ValueError(f"the key does not belong to the certificate in {renewal.path}")
        return content
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {why_unread(path, wrong)}") from None
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def _told(renewals: Sequence[_Renewal], place: Path) -> str:
    if len(renewals) == 1:
        return " and ".join(str(place / file) for file in _written(renewals[0]))
    return f"{len(renewals):,} certificates, {renewals[0].path.stem} to {renewals[-1].path.stem}, to {place}"
