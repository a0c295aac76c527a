"""What an authority has issued: `index.txt` as `openssl ca` keeps it, so that either can go on where the other stopped.

A line is a certificate, its fields separated by tabs: V or R, the end of its validity, the time and perhaps the reason
of its revocation, serial number in hex, `unknown`, and the subject as `/O=ACME/CN=GW-1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from fleetrig.simulator.certificates.signing import REASONS, Revocation
from fleetrig.simulator.contract.clock import US_PER_S

FIELDS: Final = 6
SHORT_DATE: Final = "%y%m%d%H%M%SZ"
LONG_DATE: Final = "%Y%m%d%H%M%SZ"
FIRST_LONG_YEAR: Final = 2050
"""From this year on dates have four digits for the year (RFC 5280, 4.1.2.5)."""


@dataclass(frozen=True, slots=True)
class IssuedEntry:
    """One certificate; dates and subject as the file has them."""

    end: str
    serial_number: int
    subject: str
    revoked: str = ""
    """The time, and perhaps `,reason`."""

    @classmethod
    def of(cls, certificate: x509.Certificate) -> IssuedEntry:
        end = certificate.not_valid_after_utc
        return cls(_date_text(end), certificate.serial_number, subject_text(certificate.subject))

    def is_named(self, common_name: str) -> bool:
        return f"/CN={_escaped(common_name)}/" in f"{self.subject}/"

    def revoked_at(self, at_us: int, reason: str) -> IssuedEntry:
        at = _date_text(datetime.fromtimestamp(at_us // US_PER_S, UTC))
        return replace(self, revoked=f"{at},{reason}" if reason != "unspecified" else at)

    @property
    def revocation(self) -> Revocation:
        date, _, reason = self.revoked.partition(",")
        at_us = int(_date_in(date).timestamp()) * US_PER_S
        return Revocation(self.serial_number, at_us, reason if reason in REASONS else "unspecified")

    @property
    def line(self) -> str:
        serial = f"{self.serial_number:X}"
        padded = serial if len(serial) % 2 == 0 else f"0{serial}"
        return "\t".join(("R" if self.revoked else "V", self.end, self.revoked, padded, "unknown", self.subject))


def read_index(text: str) -> list[IssuedEntry]:
    """Raises ValueError, which says the line."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entries.append(_entry(line))
        except ValueError as wrong:
            raise ValueError(f"line {number}: {wrong}") from None
    return entries


def index_text(entries: Iterable[IssuedEntry]) -> str:
    return "".join(f"{entry.line}\n" for entry in entries)


def subject_text(name: x509.Name) -> str:
    """`/O=ACME/CN=GW-1`, in the order of the certificate; what would be taken for a separator is `\\x2F`."""
    return "".join(f"/{one.rfc4514_attribute_name}={_escaped(str(one.value))}" for one in name)


def _entry(line: str) -> IssuedEntry:
    fields = line.split("\t")
    if len(fields) != FIELDS or fields[0] not in ("V", "R", "E"):
        raise ValueError("it is no line of an index such as `openssl ca` writes")
    state, end, revoked, serial, _, subject = fields
    entry = IssuedEntry(end, int(serial, 16), subject, revoked if state == "R" else "")
    _date_in(end)
    if entry.revoked:
        _ = entry.revocation
    return entry


def _date_in(text: str) -> datetime:
    form = LONG_DATE if len(text) == len("20500101000000Z") else SHORT_DATE
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _date_text(date: datetime) -> str:
    return f"{date.year:04d}{date:%m%d%H%M%S}Z" if date.year >= FIRST_LONG_YEAR else date.strftime(SHORT_DATE)


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() and char not in "/\\" else f"\\x{ord(char):02X}" for char in text)
