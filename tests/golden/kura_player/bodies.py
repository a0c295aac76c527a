"""Whether two bodies of replies say the same: as text, or as JSON or XML where parts are of the device's own making."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NUMBER: Final = re.compile(r"\d+")
PEM: Final = "-----BEGIN "


def say_the_same(expected: bytes, got: bytes) -> bool:
    return expected == got or _same_json(expected, got) or _same_xml(expected, got)


def _same_json(expected: bytes, got: bytes) -> bool:
    try:
        return _alike(json.loads(expected), json.loads(got))
    except ValueError:
        return False


def _alike(expected: Any, got: Any) -> bool:
    match expected:
        case dict():
            is_object = isinstance(got, dict) and expected.keys() == got.keys()
            return is_object and all(_alike(value, got[name]) for name, value in expected.items())
        case list():
            is_list = isinstance(got, list) and len(expected) == len(got)
            return is_list and all(any(_alike(one, other) for other in got) for one in expected)
        case str() if expected.startswith(PEM):
            return isinstance(got, str) and _same_pem(expected, got)
        case _:
            return type(expected) is type(got) and bool(expected == got)


def _same_pem(expected: str, got: str) -> bool:
    """The same certificate, or one that a device has made in the same way: keys are its own."""
    if expected.strip() == got.strip():
        return True
    if expected.splitlines()[0] != got.splitlines()[0]:
        return False
    if "REQUEST" in expected.splitlines()[0]:
        wanted, made = (x509.load_pem_x509_csr(one.encode()) for one in (expected, got))
        return wanted.subject == made.subject and _kind_of_key(wanted) == _kind_of_key(made)
    given, own = (x509.load_pem_x509_certificate(one.encode()) for one in (expected, got))
    is_own = given.subject == given.issuer and own.subject == own.issuer
    return is_own and given.subject == own.subject and _kind_of_key(given) == _kind_of_key(own) and _is_new(own, given)


def _is_new(own: x509.Certificate, given: x509.Certificate) -> bool:
    """One that was loaded is the same to the byte."""
    keys = [one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for one in (own, given)]
    return keys[0] != keys[1]


def _kind_of_key(of: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, int]:
    match of.public_key():
        case rsa.RSAPublicKey() as key:
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey() as key:
            return "EC", key.key_size
        case other:
            return type(other).__name__, 0


def _same_xml(expected: bytes, got: bytes) -> bool:
    """The same elements below one another; numbers of snapshots are the device's, and how many there are."""
    try:
        wanted, made = ET.fromstring(expected), ET.fromstring(got)
    except ET.ParseError:
        return False
    return _shape(wanted) == _shape(made)


def _shape(element: ET.Element) -> tuple[Any, ...]:
    children = {_shape(child) for child in element}
    return element.tag, NUMBER.sub("N", (element.text or "").strip()), tuple(sorted(children, key=repr))
