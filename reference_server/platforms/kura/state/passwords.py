"""Hashes of passwords: of new ones, and against old ones.

Kapua keeps bcrypt. Here it is one round of salted SHA-256: a bcrypt check takes tens of milliseconds, so that a storm
of 10,000 gateways that sign in would take minutes of CPU, and a provisioning exchange could not cost less than one
check. The passwords of tests protect nothing; those that this server makes have 190 bits and need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from fleetrig.reference_server.stores.interface import Entropy

SALT_BYTES: Final = 8


def hashed_password(password: str, entropy: Entropy) -> str:
    """What is kept of a password."""
    salt = entropy.token_hex(SALT_BYTES)
    return f"{salt}${_digest(salt, password)}"


def is_password_right(secret_hash: str, password: str) -> bool:
    """Compared in constant time."""
    salt, _, digest = secret_hash.partition("$")
    return hmac.compare_digest(digest, _digest(salt, password))


def _digest(salt: str, password: str) -> str:
    return hashlib.sha256(f"{salt}\n{password}".encode("utf-8", "surrogatepass")).hexdigest()
