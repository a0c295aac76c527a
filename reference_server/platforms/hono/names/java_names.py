"""Names of certificates as text, in the form of Java's `X500Principal.getName("RFC2253")` (spec 0.1).

The platform compares these texts exactly. They differ from what other libraries print: attributes without one of nine
keywords are printed by OID and DER, and more is escaped than RFC 2253 asks for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from cryptography import x509

from fleetrig.reference_server.platforms.hono.names.assertions import IA5, KEYWORDS, PRINTABLE, UTF8, Assertion
from fleetrig.reference_server.platforms.hono.names.der import (
    SEQUENCE,
    SET,
    DerElement,
    children,
    elements,
    oid_text,
)
from fleetrig.reference_server.platforms.hono.names.java_name_parser import NoName, parse_name

STRING_TAGS: Final = frozenset({UTF8, PRINTABLE, 0x14, IA5, 0x1B, 0x1E})
"""UTF8String, PrintableString, T61String, IA5String, GeneralString, BMPString: printed as text, their bytes taken for
UTF-8 whatever they are."""
ESCAPED: Final = re.compile(r'[,=+<>#;"\\]')
BLANKS: Final = " \r"
HALF_CHARACTER: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
"""Bytes for which Java has one replacement character, and Python several."""
LONGEST_KNOWN_BYTES: Final = 1_024
"""A longer name is not remembered: it may have been made to fill the memory."""


def rfc2253_of(name: x509.Name) -> str:
    """A name that a certificate has, as the platform knows it."""
    return rfc2253_of_der(name.public_bytes())


def rfc2253_of_der(der: bytes) -> str:
    """The same of a name's DER: its order and the kinds of its strings count. Raises ValueError."""
    return _known(der) if len(der) <= LONGEST_KNOWN_BYTES else _rfc2253_of_der(der)


def _rfc2253_of_der(der: bytes) -> str:
    rdns = [[_assertion(one) for one in children(rdn.whole, SET)] for rdn in children(der, SEQUENCE)]
    return printed(rdns)


_known = lru_cache(4_096)(_rfc2253_of_der)


def printed(rdns: list[list[Assertion]]) -> str:
    """`rdns` in the order of an encoded name; the last one is printed first."""
    return ",".join("+".join(map(_printed_assertion, rdn)) for rdn in reversed(rdns))


def parsed_rfc2253(text: str) -> str | None:
    """What Java makes of a name that somebody sends as text; None when it is none."""
    try:
        return printed(parse_name(text))
    except NoName:
        return None


def _assertion(element: DerElement) -> Assertion:
    oid, value = children(element.whole, SEQUENCE)
    return Assertion(oid_text(oid.value), value.whole)


def _printed_assertion(assertion: Assertion) -> str:
    keyword = KEYWORDS.get(assertion.oid)
    if keyword is None or assertion.value[0] not in STRING_TAGS:
        return f"{keyword or assertion.oid}=#{assertion.value.hex()}"
    (element,) = elements(assertion.value)
    return f"{keyword}={_escaped(java_text(element.value))}"


def java_text(raw: bytes) -> str:
    """Bytes taken for UTF-8; what is none becomes as many replacement characters as in Java."""
    return HALF_CHARACTER.sub(b"\xff", raw).decode("utf-8", "replace")


def _escaped(value: str) -> str:
    escaped = ESCAPED.sub(r"\\\g<0>", value).replace("\0", "\\00")
    inner = escaped.strip(BLANKS)
    if len(inner) == len(escaped):
        return escaped
    lead = len(escaped) - len(escaped.lstrip(BLANKS))
    head, tail = escaped[:lead], escaped[lead + len(inner) :]
    return "".join(f"\\{blank}" for blank in head) + inner + "".join(f"\\{blank}" for blank in tail)
