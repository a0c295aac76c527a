"""Attributes and values of names: Java's keywords, and how it encodes a value that it has read as text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from fleetrig.reference_server.platforms.hono.names.der import encoded

EMAIL: Final = "1.2.840.113549.1.9.1"
DOMAIN_COMPONENT: Final = "0.9.2342.19200300.100.1.25"
KEYWORDS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.9": "STREET",
    DOMAIN_COMPONENT: "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
"""What is printed by a keyword."""
UNDERSTOOD: Final = {keyword: oid for oid, keyword in KEYWORDS.items()} | {
    "S": "2.5.4.8",
    "T": "2.5.4.12",
    "IP": "1.3.6.1.4.1.42.2.11.2.1",
    "SURNAME": "2.5.4.4",
    "GIVENNAME": "2.5.4.42",
    "INITIALS": "2.5.4.43",
    "GENERATION": "2.5.4.44",
    "EMAIL": EMAIL,
    "EMAILADDRESS": EMAIL,
    "SERIALNUMBER": "2.5.4.5",
    "DNQ": "2.5.4.46",
    "DNQUALIFIER": "2.5.4.46",
}
"""What may stand for an OID in a text that is read."""
UTF8: Final = 0x0C
PRINTABLE: Final = 0x13
IA5: Final = 0x16
ALL_PRINTABLE: Final = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*", re.ASCII)
OID_TEXT: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,38}){1,40}", re.ASCII)


class Assertion(NamedTuple):
    """One attribute and its value; `value` is the whole DER element."""

    oid: str
    value: bytes


def string_value(oid: str, text: str, *, is_utf8: bool = False) -> bytes:
    """A value as Java encodes one that it has read."""
    if oid in (EMAIL, DOMAIN_COMPONENT) and text:
        return encoded(IA5, text.encode("ascii", "replace"))
    if not is_utf8 and ALL_PRINTABLE.fullmatch(text):
        return encoded(PRINTABLE, text.encode("ascii"))
    return encoded(UTF8, text.encode("utf-8", "replace"))
