"""Entries of a device's credentials as an operator gives them (spec 1.3). What they are together is `state`'s."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.reference_server.platforms.hono.management.anchor_form import algorithm_of
from fleetrig.reference_server.platforms.hono.management.members import (
    Unreadable,
    array,
    binary,
    boolean,
    mapping,
    members_of,
    needed_text,
    text,
    without_empty,
)
from fleetrig.reference_server.platforms.hono.names.certificates import NoCertificate, certificate_of
from fleetrig.reference_server.platforms.hono.names.java_names import parsed_rfc2253, rfc2253_of
from fleetrig.reference_server.platforms.hono.state.generations import Traits
from fleetrig.reference_server.platforms.hono.state.records import HASHED_PASSWORD, PSK, RPK, X509
from fleetrig.reference_server.platforms.hono.state.times import read_time, time_text

TYPE_NAME: Final = re.compile(r"[a-z0-9-]+", re.ASCII)
USER_NAME: Final = re.compile(r"[a-zA-Z0-9_=.-]+", re.ASCII)
ENTRY_MEMBERS: Final = ("type", "auth-id", "enabled", "comment", "ext", "secrets")
SECRET_MEMBERS: Final = ("id", "enabled", "not-before", "not-after", "comment")
OWN_SECRET_MEMBERS: Final = {
    HASHED_PASSWORD: ("hash-function", "pwd-hash", "pwd-plain", "salt"),
    PSK: ("key",),
    RPK: ("key", "algorithm", "cert"),
    X509: (),
}


def read_entries(document: list[Any], traits: Traits) -> list[dict[str, Any]]:
    """Those that are objects; all else is looked over. Raises Unreadable."""
    return [
        _read_entry(value, f"credentials[{at}]", traits) for at, value in enumerate(document) if isinstance(value, dict)
    ]


def _read_entry(value: dict[str, Any], where: str, traits: Traits) -> dict[str, Any]:
    kind = needed_text(value.get("type"), f"{where}.type")
    strict = traits.refuses_unknown_members
    known = (*ENTRY_MEMBERS, "cert") if kind == X509 else ENTRY_MEMBERS
    given = members_of(value, known, where, refuses_unknown=strict)
    entry = {
        "type": kind,
        "enabled": boolean(given.get("enabled"), f"{where}.enabled"),
        "comment": text(given.get("comment"), f"{where}.comment"),
        "ext": mapping(given.get("ext"), f"{where}.ext"),
    }
    entry |= _identity(kind, given, where, traits)
    return without_empty(entry)


def _identity(kind: str, given: dict[str, Any], where: str, traits: Traits) -> dict[str, Any]:
    """The auth-id and the secrets. A registry that crashes over a null in their place has it here still."""
    if kind == X509 and given.get("cert") is not None:
        return _of_certificate(given["cert"], f"{where}.cert")
    auth_id = needed_text(given.get("auth-id"), f"{where}.auth-id")
    if given.get("secrets") is None:
        raise Unreadable(f"{where}.secrets is missing")
    read, strict = _SECRETS.get(kind, _generic_secret), traits.refuses_unknown_members
    secrets = array(
        given["secrets"],
        lambda one, at: None if one is None and traits.crashes else read(one, at, strict),
        f"{where}.secrets",
    )
    if not secrets:
        raise Unreadable(f"{where}.secrets is empty: one at least")
    if kind == X509:
        if len(secrets) != 1:
            raise Unreadable(f"{where}.secrets: {X509} has exactly one, got {len(secrets)}")
        parsed = parsed_rfc2253(auth_id)
        auth_id = auth_id if parsed is None else parsed
        if not auth_id:
            raise Unreadable(f"{where}.auth-id is empty")
        return {"auth-id": auth_id, "secrets": secrets}
    if kind == HASHED_PASSWORD and USER_NAME.fullmatch(auth_id) is None:
        raise Unreadable(f"{where}.auth-id: {auth_id[:60]!r} may have letters, digits and - _ = . only")
    if kind not in OWN_SECRET_MEMBERS and TYPE_NAME.fullmatch(kind) is None:
        raise Unreadable(f"{where}.type: {kind[:60]!r} may have lower case letters, digits and hyphens only")
    return {"auth-id": auth_id, "secrets": secrets}


def _of_certificate(value: Any, where: str) -> dict[str, Any]:
    certificate = _certificate(value, where)
    if not (auth_id := rfc2253_of(certificate.subject)):
        raise Unreadable(f"{where}: the certificate has no subject")
    return {"auth-id": auth_id, "secrets": [_validity_of(certificate)]}


def _certificate(value: Any, where: str) -> x509.Certificate:
    try:
        return certificate_of(binary(value, where) or b"")
    except NoCertificate as none:
        raise Unreadable(f"{where}: {none}") from None


def _validity_of(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "not-before": time_text(round(certificate.not_valid_before_utc.timestamp()) * 1_000_000),
        "not-after": time_text(round(certificate.not_valid_after_utc.timestamp()) * 1_000_000),
    }


def _common(given: dict[str, Any], where: str) -> dict[str, Any]:
    return {
        "id": text(given.get("id"), f"{where}.id"),
        "enabled": boolean(given.get("enabled"), f"{where}.enabled"),
        "not-before": _time(given.get("not-before"), f"{where}.not-before"),
        "not-after": _time(given.get("not-after"), f"{where}.not-after"),
        "comment": text(given.get("comment"), f"{where}.comment"),
    }


def _password_secret(value: Any, where: str, strict: bool) -> dict[str, Any]:
    given = _members(value, HASHED_PASSWORD, where, strict)
    own = {name: text(given.get(name), f"{where}.{name}") for name in OWN_SECRET_MEMBERS[HASHED_PASSWORD]}
    return without_empty({**_common(given, where), **own})


def _psk_secret(value: Any, where: str, strict: bool) -> dict[str, Any]:
    given = _members(value, PSK, where, strict)
    return without_empty({**_common(given, where), "key": _key(given, where)})


def _rpk_secret(value: Any, where: str, strict: bool) -> dict[str, Any]:
    """What a certificate gives and what is given beside it: the later of the two counts."""
    given = _members(value, RPK, where, strict)
    own = _common(given, where)
    if "key" in given:
        own["key"] = _key(given, where)
    if "algorithm" in given:
        own["algorithm"] = needed_text(given["algorithm"], f"{where}.algorithm")
    if "cert" in given:
        names = list(given)
        of_certificate = _public_key_of(_certificate(given["cert"], f"{where}.cert"))
        behind = names[names.index("cert") + 1 :]
        own |= {name: one for name, one in of_certificate.items() if name not in behind}
    return without_empty(own)


def _public_key_of(certificate: x509.Certificate) -> dict[str, Any]:
    der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"key": b64encode(der).decode("ascii"), "algorithm": algorithm_of(certificate)}
    return {**key, **_validity_of(certificate)}


def _key(given: dict[str, Any], where: str) -> str | None:
    if "key" not in given:
        return None
    key = binary(given["key"], f"{where}.key")
    if key is None:
        raise Unreadable(f"{where}.key is null")
    return b64encode(key).decode("ascii")


def _x509_secret(value: Any, where: str, strict: bool) -> dict[str, Any]:
    return without_empty(_common(_members(value, X509, where, strict), where))


def _generic_secret(value: Any, where: str, strict: bool) -> dict[str, Any]:
    """Of a type that the registry does not know: it keeps and shows all."""
    if not isinstance(value, dict):
        raise Unreadable(f"{where}: expected an object")
    further = {name: one for name, one in value.items() if name not in SECRET_MEMBERS}
    return {**without_empty(_common(value, where)), **further}


def _members(value: Any, kind: str, where: str, strict: bool) -> dict[str, Any]:
    return members_of(value, (*SECRET_MEMBERS, *OWN_SECRET_MEMBERS[kind]), where, refuses_unknown=strict)


def _time(value: Any, where: str) -> str | None:
    said = text(value, where)
    if said is None or not said.strip():
        return None
    try:
        return time_text(read_time(said.strip()))
    except (ValueError, OverflowError) as problem:
        raise Unreadable(f"{where}: {problem}") from None


_SECRETS: Final[dict[str, Callable[[Any, str, bool], dict[str, Any]]]] = {
    HASHED_PASSWORD: _password_secret,
    PSK: _psk_secret,
    RPK: _rpk_secret,
    X509: _x509_secret,
}
