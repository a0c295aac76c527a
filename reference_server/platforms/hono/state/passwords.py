"""Hashes of passwords as the registry keeps them, and how a password is held against one (spec 1.3, 4.1)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import bcrypt

from fleetrig.reference_server.stores.interface import Entropy

BCRYPT: Final = "bcrypt"
DIGESTS: Final[Mapping[str, str]] = {"sha-256": "sha256", "sha-512": "sha512"}
"""Hash function of the wire -> of hashlib. All that is neither of these is held against bcrypt, and fails."""
UPLOADABLE: Final = re.compile(r"\$([^$]{2})\$(\d{1,2})\$[./0-9A-Za-z]{53}", re.ASCII)
"""A hash that may be uploaded (BCryptHelper)."""
CHECKABLE: Final = re.compile(r"\$2[ayb]?\$(\d\d)\$[./0-9A-Za-z]{53}", re.ASCII)
MOST_PASSWORD_BYTES: Final = 72
"""bcrypt looks at no more; of a longer one no hash is made."""
SALT_BYTES: Final = 16
MOST_CHECKED_COST: Final = 14
"""A costlier bcrypt hash is right for nobody, unless hashes that cost so much may be uploaded: each step doubles the
time (14: 1 s), and while one is tried nobody else is heard."""
MOST_REMEMBERED: Final = 4_096
"""Passwords that were held against a bcrypt hash: a check takes tens of ms, and fleets sign in again and again."""
TO_BCRYPT: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)
"""Base64's letters -> bcrypt's."""


class UnusableHash(ValueError):
    """A hash that the registry does not take; says why, as it does."""


def hashed_password(password: str, cost: int, entropy: Entropy) -> dict[str, Any]:
    """What the registry keeps in the place of `pwd-plain`. Raises UnusableHash for one that is too long."""
    raw = password.encode("utf-8", "replace")
    if len(raw) > MOST_PASSWORD_BYTES:
        raise UnusableHash(f"password cannot be more than {MOST_PASSWORD_BYTES} bytes")
    letters = b64encode(bytes.fromhex(entropy.token_hex(SALT_BYTES))).translate(TO_BCRYPT, b"=")
    hashed = bcrypt.hashpw(raw, b"$2a$%02d$%b" % (cost, letters))
    return {"hash-function": BCRYPT, "pwd-hash": hashed.decode("ascii")}


def check_hash(secret: Mapping[str, Any], allowed: tuple[str, ...], most_cost: int) -> None:
    """A hash that is uploaded. `allowed`: hash functions; empty: any. Raises UnusableHash."""
    function = secret.get("hash-function")
    if function is None:
        return
    if allowed and function not in allowed:
        raise UnusableHash(f"unsupported hashing algorithm [{function}]")
    if function != BCRYPT:
        return
    found = UPLOADABLE.fullmatch(secret.get("pwd-hash") or "")
    if found is None or found[1] != "2a":
        raise UnusableHash("password hash is not a supported BCrypt hash")
    if int(found[2]) > most_cost:
        raise UnusableHash(f"BCrypt hash algorithm cost factor exceeds configured maximum value of {most_cost}")


def is_password_right(secret: Mapping[str, Any], password: str, most_cost: int = MOST_CHECKED_COST) -> bool:
    """`secret`: one of a `hashed-password` entry as it is stored. Takes tens of ms for a bcrypt hash that is new.

    `most_cost` is for those whose function is not called bcrypt: nobody has looked at them when they were stored.
    """
    pwd_hash = secret.get("pwd-hash") or ""
    digest = DIGESTS.get(secret.get("hash-function") or "sha-256")
    if digest is None:
        return _bcrypt_matches(pwd_hash, password, most_cost)
    try:
        salt = b64decode(secret.get("salt") or "", validate=True)
        expected = b64decode(pwd_hash, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hashlib.new(digest, salt + password.encode("utf-8", "replace")).digest(), expected)


@lru_cache(maxsize=MOST_REMEMBERED)
def _bcrypt_matches(pwd_hash: str, password: str, most_cost: int) -> bool:
    found = CHECKABLE.fullmatch(pwd_hash)
    if found is None or int(found[1]) > most_cost:
        return False
    letters = pwd_hash if pwd_hash[3] == "$" else f"$2a${pwd_hash[3:]}"
    try:
        return bcrypt.checkpw(password.encode("utf-8", "replace")[:MOST_PASSWORD_BYTES], letters.encode("ascii"))
    except ValueError:  # a cost below 4
        return False
