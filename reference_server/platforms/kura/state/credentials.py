"""Passwords of users: their rules, and how wrong ones lock them (spec 5.4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.passwords import hashed_password, is_password_right
from fleetrig.reference_server.platforms.kura.state.records import (
    CREDENTIAL,
    INSTALLATION,
    Credential,
    CredentialStatus,
    LockoutPolicy,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S

PASSWORD: Final = "PASSWORD"
MOST_CHARS: Final = 255
CLASSES: Final = tuple(re.compile(pattern) for pattern in ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]"))
"""A password has one of each."""


def credentials_of(registry: Registry, user_id: str) -> list[Credential]:
    return registry.store.find(CREDENTIAL, INSTALLATION, "user", user_id)


def credentials_within(registry: Registry, scope_id: str) -> list[Credential]:
    """Of one account, in the order in which they were made."""
    found = registry.store.find(CREDENTIAL, INSTALLATION, "scope", scope_id)
    return sorted(found, key=lambda one: (one.created_us, one.id))


def credential_by_id(registry: Registry, credential_id: str) -> Credential | None:
    return registry.store.get(CREDENTIAL, INSTALLATION, credential_id)


def needed_credential(registry: Registry, scope_id: str, credential_id: str) -> Credential:
    """Raises Refused."""
    found = credential_by_id(registry, credential_id)
    if found is None or found.scope_id != scope_id:
        raise missing("credential", credential_id)
    return found


def check_password(registry: Registry, password: str) -> None:
    """Raises Refused for one that an administrator may not choose."""
    least = registry.settings.password_min_length
    if not least <= len(password) <= MOST_CHARS:
        error = f"Password length must be between {least} and {MOST_CHARS} characters long (inclusive)."
        raise Refused(400, "PASSWORD_INVALID_LENGTH", error)
    if not all(pattern.search(password) for pattern in CLASSES):
        why = "a password has an upper-case and a lower-case letter, a digit and a symbol"
        raise illegal("credentialCreator.credentialKey", "******", why)


def new_credential(registry: Registry, scope_id: str, user_id: str, password: str, now_us: int, by: str) -> Credential:
    """A password of a user, not yet saved: `save_credential`. Nothing is checked of it."""
    registry.learn("password", password)
    hashed = hashed_password(password, registry.entropy)
    made = {"created_us": now_us, "created_by": by, "modified_us": now_us, "modified_by": by}
    return Credential(registry.new_id(), scope_id, user_id, hashed, **made)  # type: ignore[arg-type]


def save_credential(registry: Registry, credential: Credential) -> None:
    registry.store.put(CREDENTIAL, INSTALLATION, credential)


def update_credential(registry: Registry, credential: Credential, optlock: int, now_us: int, by: str) -> Credential:
    """`credential` as it is to be. Raises Refused when somebody was faster."""
    if optlock != credential.optlock:
        raise stale("credential")
    changed = replace(credential, optlock=credential.optlock + 1, modified_us=now_us, modified_by=by)
    save_credential(registry, changed)
    return changed


def reset_password(registry: Registry, credential: Credential, password: str, now_us: int, by: str) -> Credential:
    """A new password in its place; what was counted is forgotten. Raises Refused."""
    check_password(registry, password)
    registry.learn("password", password)
    renewed = replace(unlocked(credential), secret_hash=hashed_password(password, registry.entropy))
    return update_credential(registry, renewed, credential.optlock, now_us, by)


def delete_credential(registry: Registry, credential: Credential) -> None:
    registry.store.delete(CREDENTIAL, INSTALLATION, credential.id)


# Lockout


def is_locked(credential: Credential, policy: LockoutPolicy, now_us: int) -> bool:
    until_us = credential.lockout_reset_us
    return policy.is_enabled and until_us is not None and now_us < until_us


def unlocked(credential: Credential) -> Credential:
    """Nothing is counted any more, and nothing is locked."""
    return replace(credential, login_failures=0, first_failure_us=None, failures_reset_us=None, lockout_reset_us=None)


def has_counted(credential: Credential) -> bool:
    return bool(credential.login_failures or credential.lockout_reset_us)


def after_failure(credential: Credential, policy: LockoutPolicy, now_us: int) -> Credential:
    """A wrong password more, while it is not locked: retries do not extend a lock (S-39)."""
    if not policy.is_enabled:
        return credential
    reset_us = credential.failures_reset_us
    if credential.lockout_reset_us is not None or (reset_us is not None and reset_us <= now_us):
        credential = unlocked(credential)
    counted = replace(credential, login_failures=credential.login_failures + 1)
    if counted.first_failure_us is None:
        later_us = now_us + policy.reset_after_s * US_PER_S
        counted = replace(counted, first_failure_us=now_us, failures_reset_us=later_us)
    if counted.login_failures >= policy.max_failures:
        counted = replace(counted, lockout_reset_us=now_us + policy.lock_s * US_PER_S)
    return counted


def is_usable(credential: Credential, now_us: int) -> bool:
    expires_us = credential.expires_us
    is_in_time = expires_us is None or now_us < expires_us
    return credential.status is CredentialStatus.ENABLED and is_in_time


def matches(credential: Credential, password: str) -> bool:
    return is_password_right(credential.secret_hash, password)
