"""Secrets of credentials: what each type needs, what is taken over from the one on record, what nobody is shown."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.names.certificates import NoKey, key_of
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.passwords import BCRYPT, UnusableHash, check_hash, hashed_password
from fleetrig.reference_server.platforms.hono.state.records import HASHED_PASSWORD, PSK, RPK, X509, DeviceCredentials
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.times import read_time

Secret = Mapping[str, Any]

CONFIDENTIAL: Final[Mapping[str, frozenset[str]]] = {
    HASHED_PASSWORD: frozenset({"pwd-plain", "pwd-hash", "hash-function", "salt"}),
    PSK: frozenset({"key"}),
}
"""Members that GET never shows, by type."""
TAKEN_OVER: Final[Mapping[str, tuple[str, ...]]] = {
    HASHED_PASSWORD: ("pwd-hash", "hash-function", "salt"),
    PSK: ("key",),
    RPK: ("key", "algorithm"),
}
"""What a secret that gives nothing but its id has from the one on record."""
COMMON: Final = frozenset({"id", "enabled", "not-before", "not-after", "comment"})


def prepared_entry(registry: Registry, entry: Mapping[str, Any], status: int) -> Mapping[str, Any]:
    """An entry whose secrets are right, with hashes in the place of passwords. Raises Refused with that status."""
    if not entry["auth-id"]:
        raise Refused(status, "missing auth ID", "an entry has an empty auth-id")
    secrets = [_prepared_secret(registry, entry, secret, status) for secret in entry["secrets"]]
    return {**entry, "secrets": secrets}


def merged_entry(entry: Mapping[str, Any], stored: DeviceCredentials | None) -> Mapping[str, Any]:
    """An entry whose secrets have what they left out. Raises Refused for an id that is not on record."""
    if stored is None:
        return entry
    known = {secret["id"]: secret for secret in stored.secrets}
    return {**entry, "secrets": [_merged_secret(entry["type"], secret, known) for secret in entry["secrets"]]}


def shown_entry(entry: DeviceCredentials) -> dict[str, Any]:
    """An entry without what is confidential."""
    hidden = CONFIDENTIAL.get(entry.type, frozenset())
    secrets = [{name: value for name, value in one.items() if name not in hidden} for one in entry.secrets]
    return {**entry.document, "secrets": secrets}


def is_usable(secret: Secret, now_us: int) -> bool:
    """Enabled, and valid now."""
    if secret.get("enabled") is False:
        return False
    begins, ends = secret.get("not-before"), secret.get("not-after")
    return (begins is None or read_time(begins) <= now_us) and (ends is None or now_us <= read_time(ends))


def learn_secrets(registry: Registry, secrets: Sequence[Secret]) -> None:
    """Keys and hashes are masked from now on. (Passwords are when they come.)"""
    for secret in secrets:
        registry.learn("pwd-hash", secret.get("pwd-hash"))
        if "algorithm" not in secret:  # with one it is a public key
            key = secret.get("key")
            registry.learn("psk", key if isinstance(key, str) else None)


def _prepared_secret(registry: Registry, entry: Mapping[str, Any], secret: Secret, status: int) -> Secret:
    auth_id = entry["auth-id"]
    if entry["type"] == HASHED_PASSWORD:
        secret = _prepared_password(registry, secret, status)
    begins, ends = secret.get("not-before"), secret.get("not-after")
    if begins and ends and read_time(begins) > read_time(ends):
        text = "'not-before' must not be after 'not-after'"
        raise Refused(status, text, f"a secret of {auth_id!r} ends before it begins")
    if entry["type"] == HASHED_PASSWORD and not _is_only_id(secret, HASHED_PASSWORD):
        for name in ("hash-function", "pwd-hash"):
            if not secret.get(name):
                why = f"a secret of {auth_id!r} has no {name}: give pwd-plain, or pwd-hash and hash-function"
                raise Refused(status, f"'{name}' must not be empty", why)
    if entry["type"] == PSK and not secret.get("key"):
        raise Refused(status, "'key' must be set", f"a pre-shared key of {auth_id!r} has no key")
    if entry["type"] == RPK:
        _check_public_key(auth_id, secret, status)
    return secret


def _check_public_key(auth_id: str, secret: Secret, status: int) -> None:
    key, algorithm = secret.get("key"), secret.get("algorithm")
    if key is None or algorithm is None:
        why = f"a public key of {auth_id!r} has no {'algorithm' if key else 'key'}: give both, or cert"
        raise Refused(status, "secret requires key and algorithm", why)
    try:
        key_of(b64decode(key), algorithm)
    except NoKey as none:
        raise Refused(status, "key cannot be deserialized", f"a public key of {auth_id!r}: {none}") from None


def _prepared_password(registry: Registry, secret: Secret, status: int) -> Secret:
    settings, plain = registry.settings, secret.get("pwd-plain")
    try:
        if plain:
            registry.learn("password", plain)
            kept = {name: value for name, value in secret.items() if name in COMMON}
            return {**kept, **hashed_password(plain, settings.max_bcrypt_cost, registry.entropy)}
        secret = {name: value for name, value in secret.items() if name != "pwd-plain"}
        if not _is_only_id(secret, HASHED_PASSWORD):
            if registry.traits.crashes and secret.get("hash-function") == BCRYPT and "pwd-hash" not in secret:
                status = 500
            check_hash(secret, settings.hash_functions, settings.max_bcrypt_cost)
    except UnusableHash as unusable:
        is_too_long = bool(plain)
        raise Refused(400 if is_too_long else status, str(unusable), str(unusable)) from None
    return secret


def _is_only_id(secret: Secret, credentials_type: str) -> bool:
    """It names a secret on record and leaves its confidential values as they are; a salt alone counts as nothing."""
    given = (name for name in TAKEN_OVER[credentials_type] if name != "salt")
    return bool(secret.get("id")) and not any(secret.get(name) for name in given)


def _merged_secret(credentials_type: str, secret: Secret, known: Mapping[str, Secret]) -> Secret:
    if "id" not in secret:
        return secret
    stored = known.get(secret["id"])
    if stored is None:
        text = f"other credential has no secret with id: {secret['id']}"
        raise Refused(400, text, f"no secret on record has the id {secret['id'][:80]!r}: leave the id of a new one out")
    if credentials_type in TAKEN_OVER:
        return _with_taken_over(credentials_type, secret, stored)
    if credentials_type == X509 or set(secret) - COMMON:
        return secret
    return {**{name: value for name, value in stored.items() if name not in COMMON}, **secret}


def _with_taken_over(credentials_type: str, secret: Secret, stored: Secret) -> Secret:
    if not _is_only_id(secret, credentials_type):
        return secret
    kept = {name: stored[name] for name in TAKEN_OVER[credentials_type] if name in stored}
    own = {name: value for name, value in secret.items() if name not in TAKEN_OVER[credentials_type]}
    return {**own, **kept}
