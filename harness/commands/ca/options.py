"""Options that several of `fleetrig ca`'s commands have, and what they mean."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.certificates.names import LONGEST_NAME, distinguished_name, named
from fleetrig.simulator.certificates.profile import DAY_US, Validity, date_of
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.errors import UsageError

KINDS: Final = [kind.value for kind in KeyKind]
PLACE_OF_NAME: Final = "{}"
KEY_END: Final = "-key.pem"

Authority = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an authority that `ca new` made.")]
Days = Annotated[
    float | None,
    typer.Option("--days", metavar="N", min=0, help="Valid for N days from now, or from --not-before.  [default: 365]"),
]
NotBefore = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Valid from then on: 2027-01-31 or 2027-01-31T12:00:00Z.  [default: 2026-01-01, when virtual time begins]",
    ),
]
NotAfter = Annotated[str | None, typer.Option(metavar="DATE", help="Valid until then, instead of --days.")]
Expired = Annotated[bool, typer.Option("--expired", help="Expired in real and in virtual time: for tests of refusal.")]
KeyOption = Annotated[str, typer.Option("--key", metavar="KIND", help=f"Kind of the private keys: {', '.join(KINDS)}.")]
Subject = Annotated[
    str | None,
    typer.Option(
        metavar="DN",
        help="Subject as RFC 4514 writes it, the common name first, with {} for the name: "
        "'CN={},OU=iot,O=ACME'.  [default: CN={}]",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where the files go; made if missing.  [default: issued/ in the authority's]"),
]
WithoutRoot = Annotated[bool, typer.Option("--without-root", help="Leave the root out of the chain.")]
ISSUED: Final = "issued"
ONE_DAY: Final = timedelta(days=1)
DEFAULT_DAYS: Final = 365.0


def now_us() -> int:
    return time.time_ns() // 1_000


def key_kind(text: str) -> KeyKind:
    """Raises UsageError, with the nearest word."""
    try:
        return KeyKind(text)
    except ValueError:
        nearest = difflib.get_close_matches(text.lower(), KINDS, n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UsageError(f"--key: expected {', '.join(KINDS)}, got {text!r}{hint}") from None


def validity_of(
    at_us: int, days: float | None, not_before: str | None, not_after: str | None, *, expired: bool = False
) -> Validity:
    """Raises UsageError for dates that contradict each other, or are none.

    What is issued counts from the day on which virtual time begins: listed in a scenario it is to be good there too.
    """
    if days is not None and not_after is not None:
        raise UsageError("--days and --not-after both say when it ends: give one of them")
    if expired and (days, not_before, not_after) != (None, None, None):
        raise UsageError("--expired says when it begins and ends: leave --days, --not-before and --not-after away")
    begin = None if not_before is None else _date("--not-before", not_before)
    end = None if not_after is None else _date("--not-after", not_after)
    try:
        early_us = min(at_us - DAY_US, VIRTUAL_EPOCH_US)
        if expired:
            return Validity.expired(early_us)
        usual = Validity.days(at_us if begin is None else _us(begin), DEFAULT_DAYS if days is None else days)
        return Validity(begin or date_of(early_us), end or usual.end)
    except (ValueError, OverflowError):
        raise UsageError(
            "no certificate has these dates: its end comes after its beginning, and both between 1950 and 9999"
        ) from None


def subject_of(name: str, template: str | None) -> x509.Name:
    """Raises UsageError for what cannot stand in a certificate."""
    if template is not None and not template.strip():
        raise UsageError("--subject is empty: expected a name such as CN=device-1,OU=iot,O=ACME")
    try:
        if template is None:
            return named(name)
        if PLACE_OF_NAME not in template:
            return distinguished_name(template)
        return distinguished_name(template.replace(PLACE_OF_NAME, named(name).rfc4514_string().removeprefix("CN=")))
    except ValueError as wrong:
        raise UsageError(f"--subject: {wrong}" if template is not None else str(wrong)) from None


def without_keys(words: Sequence[str]) -> list[str]:
    """`issued/*.pem` names the keys too: those of certificates that are named as well are not meant."""
    given = set(words)
    return [word for word in words if f"{word.removesuffix(KEY_END)}.pem" not in given or not word.endswith(KEY_END)]


def file_name(name: str) -> str:
    """The name of a device or server, which is also that of its files. Raises UsageError for one that cannot be."""
    shown = repr(name if len(name) <= 2 * LONGEST_NAME else f"{name[:LONGEST_NAME]}…")
    if not name or name in (".", "..") or "/" in name or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"{shown} cannot be a name: files are called so too, which hold no / and nothing invisible, and . and .. "
            "are folders"
        )
    try:
        named(name)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    return name


def warn_of_earlier_end(authority: CertificateAuthority, validity: Validity) -> None:
    """Tells of an authority that ends before what it has issued, by a day or more."""
    first = min(authority.path, key=lambda one: one.not_valid_after_utc)
    if first.not_valid_after_utc + ONE_DAY < validity.end:
        name = first.subject.rfc4514_string()
        typer.echo(
            f"but {name} above it ends on {first.not_valid_after_utc:%Y-%m-%d}: then it counts no more", err=True
        )


def _date(option: str, text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z, got {text!r}"
        ) from None
    return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _us(date: datetime) -> int:
    return round(date.timestamp()) * US_PER_S
