"""Names in certificates: distinguished names, and the host names and addresses of servers."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

LONGEST_NAME: Final = 64
"""Of a common name (RFC 5280, ub-common-name); the library counts the bytes of its UTF-8."""
LONGEST_HOST: Final = 253
HOST: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*", re.IGNORECASE)
IN_HEX: Final = re.compile(r"(?<!\\)=#")
MORE_KEYWORDS: Final = {
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "T": NameOID.TITLE,
}
"""Beside those of RFC 4514: CN, L, ST, O, OU, C, STREET, DC, UID, and dotted numbers."""


def named(common_name: str) -> x509.Name:
    """A name that is a common name only. Raises ValueError for what cannot be one."""
    if not common_name:
        raise ValueError("a common name cannot be empty")
    if "\0" in common_name:
        raise ValueError(f"{common_name!r} cannot be a common name: it holds a NUL character")
    if len(common_name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        shown = common_name if len(common_name) <= 2 * LONGEST_NAME else f"{common_name[:LONGEST_NAME]}…"
        raise ValueError(f"{shown!r} cannot be a common name, which has {LONGEST_NAME} characters at most")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def distinguished_name(text: str) -> x509.Name:
    r"""`CN=device-1,OU=iot,O=ACME` as RFC 4514 writes it, its last part first; `OU=p+UID=z` is one part of two.

    The order is kept, and a backslash takes the meaning from `, + " \ < > ;` and outer blanks. Raises ValueError.
    """
    if IN_HEX.search(text):
        raise ValueError(f"{text!r}: values in hex (=#…) are not read here, write them as text")
    try:
        name = x509.Name.from_rfc4514_string(text, MORE_KEYWORDS)
    except (ValueError, KeyError) as wrong:
        why = f" ({wrong})" if str(wrong) else ""
        raise ValueError(f"{text!r} is no name such as CN=device-1,OU=iot,O=ACME{why}") from None
    if any("\0" in str(attribute.value) for attribute in name):
        raise ValueError(f"{text!r} holds a NUL character")
    return name


def common_name_in(name: x509.Name) -> str:
    """Its first common name; empty without one."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def alternative(host: str) -> x509.GeneralName:
    """A host name or a literal address as servers' certificates carry them. Raises ValueError."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        if len(host) > LONGEST_HOST or not HOST.fullmatch(host):
            raise ValueError(f"{host!r} is neither a host name nor an address") from None
        return x509.DNSName(host)
