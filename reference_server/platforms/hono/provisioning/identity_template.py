"""Templates of auth-ids and device-ids: `dev-{{subject-cn}}`, filled from the subject of a certificate (spec 0.2)."""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.platforms.hono.names.java_names import rfc2253_of

SUBJECT_DN: Final = "{{subject-dn}}"
ATTRIBUTES: Final = (
    ("{{subject-cn}}", NameOID.COMMON_NAME, "Common Name"),
    ("{{subject-ou}}", NameOID.ORGANIZATIONAL_UNIT_NAME, "Organizational Unit Name"),
    ("{{subject-o}}", NameOID.ORGANIZATION_NAME, "Organization Name"),
)
"""Placeholder, attribute and what the platform calls it, in the order in which they are filled."""
JAVA_REFERENCE: Final = re.compile(r"\\(.?)|\$(\{[^}]*\}|\d|)", re.DOTALL)
"""What a replacement of a regular expression gives a meaning to, in Java."""


class TemplateFailed(Exception):
    """The certificate does not fill the template. `is_crash`: the platform fails in a way that it does not foresee."""

    def __init__(self, reason: str, *, is_crash: bool = False) -> None:
        super().__init__(reason)
        self.is_crash = is_crash


def expanded(template: str, subject: x509.Name, *, as_java: bool = False) -> str:
    """The template with the subject's values. Raises TemplateFailed.

    `as_java`: values are taken for replacements of a regular expression, so that a backslash is lost and `$` fails.
    """
    result = template
    if SUBJECT_DN in result:
        result = result.replace(SUBJECT_DN, _replacement(rfc2253_of(subject), SUBJECT_DN, as_java=as_java))
    for placeholder, attribute, called in ATTRIBUTES:
        if placeholder not in result:
            continue
        value = _value_of(subject, attribute)
        if not value:
            raise TemplateFailed(f"the template {template!r} needs the {called}, which the certificate's subject lacks")
        result = result.replace(placeholder, _replacement(value, placeholder, as_java=as_java))
    return result


def _value_of(subject: x509.Name, wanted: x509.ObjectIdentifier) -> str:
    """Of several the one nearest the root. An RDN of several attributes counts as its first by the alphabet."""
    for rdn in subject.rdns:
        first = min(rdn, key=lambda attribute: attribute.rfc4514_attribute_name.lower())
        if first.oid == wanted:
            return first.value if isinstance(first.value, str) else ""
    return ""


def _replacement(value: str, placeholder: str, *, as_java: bool) -> str:
    return JAVA_REFERENCE.sub(lambda found: _java_reference(found, value, placeholder), value) if as_java else value


def _java_reference(found: re.Match[str], value: str, placeholder: str) -> str:
    """A backslash and a letter are the letter, `$0` is what is replaced; all else fails, in two ways."""
    escaped, reference = found.groups()
    if escaped:
        return str(escaped)
    if reference is None:
        raise TemplateFailed(f"Java fails over the backslash at the end of {value!r}")
    if reference == "0":
        return placeholder
    if reference.isdecimal():
        raise TemplateFailed(f"No group {reference}", is_crash=True)
    raise TemplateFailed(f"Java fails over the $ in {value!r}")
