"""`fleetrig ca show`: what is in a file of certificates, keys, requests and lists, as far as people ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleetrig.harness.commands.ca.options import now_us
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.simulator.certificates.keys import key_text
from fleetrig.simulator.certificates.pem import (
    UNREADABLE_BY_LIBRARY,
    certificates_in,
    crls_in,
    in_order,
    is_issuer,
    key_in,
)
from fleetrig.simulator.certificates.profile import date_of
from fleetrig.simulator.certificates.signing_request import alternative_names_in, read_request
from fleetrig.simulator.contract.errors import UsageError

PART: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
SHOWN: Final = ("CERTIFICATE", "PRIVATE KEY", "CERTIFICATE REQUEST", "X509 CRL")
USAGES: Final = {ExtendedKeyUsageOID.CLIENT_AUTH: "clients", ExtendedKeyUsageOID.SERVER_AUTH: "servers"}


@examples(
    "fleetrig ca show devices/HB-0001.pem",
    "fleetrig ca show line/crl.pem",
)
def show_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PEM with certificates, a key, a request, or a list.")],
) -> None:
    """Say what is in a file: for whom, by whom, until when, whether the chain is in order and the key belongs to it."""
    try:
        lines = list(lines_of(pem_file(file), date_of(now_us())))
    except OSError as wrong:
        raise UsageError(f"cannot read {file}: {why_unread(file, wrong)}") from None
    except UNREADABLE_BY_LIBRARY as wrong:
        raise UsageError(f"{file}: {wrong}") from None
    for line in lines:
        typer.echo(line)


def lines_of(content: bytes, now: datetime) -> Iterator[str]:
    """Raises ValueError for a file with nothing of these, and for a part of it that cannot be read."""
    parts = [part.decode() for part in PART.findall(content)]
    if not parts:
        raise ValueError("it holds nothing of PEM (-----BEGIN …-----)")
    if not any(part.endswith(SHOWN) for part in parts):
        raise ValueError(f"it holds nothing of what is shown here, only {', '.join(dict.fromkeys(parts))}")
    chain = certificates_in(content) if "CERTIFICATE" in parts else []
    for certificate in chain:
        yield from _certificate_lines(certificate, now)
    if len(chain) > 1:
        yield _order_line(chain)
    if any(part.endswith("PRIVATE KEY") for part in parts):
        yield _key_line(key_in(content), chain)
    if any(part.endswith("CERTIFICATE REQUEST") for part in parts):
        yield from _request_lines(read_request(content))
    if "X509 CRL" in parts:
        for one in crls_in(content):
            yield from _list_lines(one, now)


def _certificate_lines(certificate: x509.Certificate, now: datetime) -> Iterator[str]:
    yield f"certificate of {_name(certificate.subject)}"
    by_itself = certificate.subject == certificate.issuer
    yield f"  issued by {'itself' if by_itself else _name(certificate.issuer)}"
    yield f"  for       {', '.join(_purposes(certificate))}"
    yield f"  valid     {_dates(certificate.not_valid_before_utc, certificate.not_valid_after_utc, now)}"
    if hosts := _alternatives(certificate):
        yield f"  names     {hosts}"
    yield f"  key       {key_text(certificate.public_key())}"
    yield f"  number    {certificate.serial_number:X}"
    yield f"  SHA-256   {certificate.fingerprint(hashes.SHA256()).hex()}"


def _purposes(certificate: x509.Certificate) -> Iterator[str]:
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        if constraints.ca:
            depth = constraints.path_length
            yield "an authority" + ("" if depth is None else f" ({depth} more authorities may come below it)")
            return
    except x509.ExtensionNotFound:
        pass
    try:
        for usage in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value:
            yield USAGES.get(usage, usage.dotted_string)
    except x509.ExtensionNotFound:
        yield "anything: it does not say"


def _alternatives(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return ", ".join(map(_alternative, names))


def _alternative(name: x509.GeneralName) -> str:
    value = name.value
    return _name(value) if isinstance(value, x509.Name) else _printable(str(value))


def _order_line(chain: Sequence[x509.Certificate]) -> str:
    right = in_order(chain[0], chain)
    if right != list(chain):
        return f"the chain is in the wrong order: after {_name(chain[0].subject)} comes {_name(right[1].subject)}"
    gap = next((one for one, above in pairwise(chain) if not is_issuer(above, one)), None)
    if gap is not None:
        return f"the chain ends at {_name(gap.subject)}: what follows it has not issued it"
    return "the chain is in order"


def _key_line(key: PrivateKeyTypes, chain: Sequence[x509.Certificate]) -> str:
    kind = key_text(key.public_key())
    if not chain:
        return f"private key, {kind}"
    if chain[0].public_key() == key.public_key():
        return f"private key, {kind}: it belongs to the first certificate"
    other = next((one for one in chain if one.public_key() == key.public_key()), None)
    whose = "to none of the certificates" if other is None else f"to {_name(other.subject)}, which is not the first"
    return f"private key, {kind}: it belongs {whose}"


def _request_lines(request: x509.CertificateSigningRequest) -> Iterator[str]:
    yield f"request for {_name(request.subject)}, signed by its key"
    if names := ", ".join(map(_alternative, alternative_names_in(request))):
        yield f"  names     {names}"
    yield f"  key       {key_text(request.public_key())}"


def _list_lines(one: x509.CertificateRevocationList, now: datetime) -> Iterator[str]:
    yield f"list of {len(one)} revoked certificates by {_name(one.issuer)}"
    end = one.next_update_utc
    yield f"  valid     {_dates(one.last_update_utc, end, now) if end is not None else 'for ever'}"


def _dates(begin: datetime, end: datetime, now: datetime) -> str:
    span = f"{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"
    if now < begin:
        return f"{span}: not yet"
    return f"{span}: {'expired' if now > end else f'{(end - now).days} days left'}"


def _name(name: x509.Name) -> str:
    return _printable(name.rfc4514_string()) or "nobody (an empty name)"


def _printable(text: str) -> str:
    """Files of others may hold what moves the cursor of a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02X}" for char in text)
