"""`fleetrig ca issue`: certificates with their keys, for devices by the thousand or for a server."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.commands.ca.device_list import check_list, write_list
from fleetrig.harness.commands.ca.folder import opened
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import (
    ISSUED,
    KEY_END,
    Authority,
    Days,
    Expired,
    KeyOption,
    NotAfter,
    NotBefore,
    Out,
    Subject,
    WithoutRoot,
    file_name,
    key_kind,
    now_us,
    subject_of,
    validity_of,
    warn_of_earlier_end,
)
from fleetrig.harness.commands.fleet_options import listed_units, numbered_units
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import within
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind, KeyMaker, key_pem
from fleetrig.simulator.certificates.names import alternative
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, FOR_SERVERS, CertificateProfile, leaf_profile
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="For whom: their common names, and the names of their files.")
]
From = Annotated[
    Path | None, typer.Option("--from", metavar="F", help="Issue for every unit of this CSV list (column serial).")
]
CountOfNames = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, callback=within(DEVICES), help="Issue for N devices that --serial names."),
]
SerialTemplate = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Names of devices with {n} for the number, such as 'GW-{n:04d}'.")
]
ServerHosts = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="A server's certificate, for this host name or address; repeatable."),
]
Csv = Annotated[
    Path | None,
    typer.Option(metavar="F", help="Also write a list of them, for `devices: {csv: F}` and `simulate --tokens F`."),
]
ShareKeys = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Make N RSA keys only, which all share: RSA keys take long to make."),
]


@examples(
    "fleetrig ca issue plant --server localhost --server 127.0.0.1 --out server",
    "fleetrig ca issue line --count 100 --serial 'HB-{n:04d}' --csv devices.csv",
    "fleetrig ca issue line GW-7 --expired",
)
def issue_command(
    folder: Authority,
    names: Names = None,
    listed: From = None,
    count: CountOfNames = None,
    serial: SerialTemplate = None,
    server: ServerHosts = None,
    subject: Subject = None,
    key: KeyOption = KeyKind.P256.value,
    share_keys: ShareKeys = None,
    days: Days = None,
    not_before: NotBefore = None,
    not_after: NotAfter = None,
    expired: Expired = False,
    out: Out = None,
    csv: Csv = None,
    without_root: WithoutRoot = False,
) -> None:
    """Issue certificates: NAME.pem and NAME-key.pem for each name. Writes all files or none, and overwrites none.

    NAME.pem holds the certificate, then every authority above it. Certificates are for devices, with --server for a
    server. `ca renew` issues for the same names again.
    """
    at_us, kind = now_us(), key_kind(key)
    if share_keys is not None and not kind.rsa_bits:
        raise UsageError(f"--share-keys is for RSA keys: every {kind.value} key is made in a moment")
    validity = validity_of(at_us, days, not_before, not_after, expired=expired)
    usage, hosts = (FOR_SERVERS, _alternatives(server)) if server else (FOR_CLIENTS, ())
    wanted = [file_name(name) for name in wanted_names(names or (), listed, count, serial, server or ())]
    profiles = {name: leaf_profile(subject_of(name, subject), validity, usage, hosts) for name in wanted}
    place = folder / ISSUED if out is None else out
    if csv is not None:
        check_list(csv, place)
    with opened(folder) as held:
        authority = held.issuing(at_us, KeyMaker(most_rsa_keys=share_keys))
        advice = "choose another folder with --out, or move the old files away"
        with NewFiles(place, chain.from_iterable(map(files_of, wanted)), advice) as files:
            issued = [
                _issue(files, authority, name, profile, kind, without_root=without_root)
                for name, profile in profiles.items()
            ]
            with files.put_in_place():
                held.note(issued)  # first: a line for what is not there does no harm
                if csv is not None:
                    write_list(csv, place, wanted)
    _tell(wanted, place, validity.end.strftime("%Y-%m-%d"), csv)
    warn_of_earlier_end(authority, validity)


def wanted_names(
    names: Sequence[str], listed: Path | None, count: int | None, serial: str | None, hosts: Sequence[str]
) -> list[str]:
    """Of those that are to get a certificate. Raises UsageError when they are named in several ways, or in none."""
    ways = {"NAME": bool(names), "--from": listed is not None, "--count with --serial": (count, serial) != (None, None)}
    given = [way for way, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} all say who gets certificates: give one of them")
    if hosts and (len(names) > 1 or given not in ([], ["NAME"])):
        raise UsageError("--server makes one certificate: give one NAME, or none for the first host's")
    if (count is None) != (serial is None):
        raise UsageError("--count and --serial belong together: --count 3 --serial 'GW-{n:04d}'")
    if listed is not None:
        return [unit.serial for unit in listed_units(listed, None)]
    if count is not None and serial is not None:
        return [unit.serial for unit in numbered_units(serial, count)]
    if not names and not hosts:
        raise UsageError("nobody to issue for: give names, --from LIST.csv, --count with --serial, or --server HOST")
    return list(names or hosts[:1])


def files_of(name: str) -> tuple[str, str]:
    """The certificate with its chain, and the key."""
    return f"{name}.pem", f"{name}{KEY_END}"


def chain_pem(authority: CertificateAuthority, certificate: x509.Certificate, *, without_root: bool) -> bytes:
    shown = authority.chain_of(certificate) if without_root else (certificate, *authority.path)
    return b"".join(one.public_bytes(Encoding.PEM) for one in shown)


def _issue(
    files: NewFiles, authority: CertificateAuthority, name: str, profile: CertificateProfile, kind: KeyKind,
    *, without_root: bool,
) -> x509.Certificate:  # fmt: skip
    key = authority.keys.new_key(kind, name)
    certificate = authority.issue(profile, key.public_key(), name)
    certificate_file, key_file = files_of(name)
    files.write(certificate_file, chain_pem(authority, certificate, without_root=without_root))
    files.write(key_file, key_pem(key), is_private=True)
    return certificate


def _alternatives(hosts: Sequence[str]) -> tuple[x509.GeneralName, ...]:
    try:
        return tuple(map(alternative, hosts))
    except ValueError as wrong:
        raise UsageError(f"--server: {wrong}") from None


def _tell(names: Sequence[str], place: Path, until: str, csv: Path | None) -> None:
    what = " and ".join(map(str, (place / file for file in files_of(names[0]))))
    if len(names) > 1:
        what = f"{len(names):,} certificates and keys, {names[0]} to {names[-1]}, to {place}"
    typer.echo(f"wrote {what}; valid until {until}" + (f"; listed in {csv}" if csv is not None else ""))
