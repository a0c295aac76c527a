"""Hashes of passwords in a credentials document, which is the only place where they can be seen (spec 1.3)."""

from __future__ import annotations

import contextlib
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.reference_server.platforms.hono.state.passwords import DIGESTS, is_password_right

BCRYPT: Final = re.compile(r"\$2([a-z]?)\$(\d\d)\$.{53}", re.DOTALL)
HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){32,64}")
MOST_COST: Final = 10
"""What a registry takes by default."""


def hash_causes(secret: Mapping[str, Any], password: str) -> Iterator[Diagnosis]:
    """`secret`: of a hashed-password entry; `password`: the device's, empty where it is not known."""
    if not isinstance(secret.get("pwd-hash"), str) or secret.get("pwd-plain"):
        return
    flaw = _flaw(secret["pwd-hash"], str(secret.get("hash-function") or ""))
    if flaw is None and password and not is_password_right(secret, password):
        flaw = _of_password(secret, password)
    if flaw is not None:
        yield Diagnosis(
            flaw[0], Weight.CAUSE, flaw[1],
            "Send pwd-plain and let the registry hash it, or make the hash as the contract says: sha-256 is "
            "Base64(SHA-256(salt bytes + password)), its salt Base64, too.",
        )  # fmt: skip


def _flaw(pwd_hash: str, function: str) -> tuple[str, str] | None:
    bcrypt = BCRYPT.fullmatch(pwd_hash)
    if not function:
        return "hash-function", "There is a pwd-hash and no hash-function: 400 ('hash-function' must not be empty)."
    if bcrypt is not None and function != "bcrypt":
        said = f"hash-function says {quoted(function)}"
        return "hash-function", f"pwd-hash is one of bcrypt, but {said}: it is stored, and no password will ever fit."
    if function == "bcrypt" and bcrypt is None:
        return "hash-function", "hash-function says bcrypt, but pwd-hash is none ($2a$10$ and 53 letters): 400."
    if bcrypt is not None and bcrypt[1] != "a":
        return "bcrypt-version", f"The registry takes bcrypt hashes of the form $2a$ only, this is $2{bcrypt[1]}$: 400."
    if bcrypt is not None and int(bcrypt[2]) > MOST_COST:
        return "bcrypt-cost", f"The bcrypt cost is {int(bcrypt[2])}, a registry takes {MOST_COST} at most: 400."
    if function not in ("bcrypt", *DIGESTS):
        return "hash-function", f"The hash function {quoted(function)} is stored, but no adapter knows it: it fails."
    if bcrypt is None and HEX.fullmatch(pwd_hash):
        return "hash-in-hex", "pwd-hash is written in hex; it has to be Base64 of the hash."
    return None


def _of_password(secret: Mapping[str, Any], password: str) -> tuple[str, str]:
    """A hash in the right form that is not the password's."""
    for function, digest in DIGESTS.items():
        for how, salt in _salts(str(secret.get("salt") or "")):
            made = b64encode(hashlib.new(digest, salt + password.encode()).digest()).decode()
            if made == secret["pwd-hash"]:
                return "hash-function", (
                    f"pwd-hash is the {function} of the password {how}; the entry says "
                    f"{secret.get('hash-function')} with its salt."
                )
    return "password-differs", "pwd-hash is not that of the device's password."


def _salts(salt: str) -> Iterator[tuple[str, bytes]]:
    with contextlib.suppress(ValueError):
        yield "with the salt", b64decode(salt, validate=True)
    yield "without the salt", b""
    yield "with the salt's Base64 text instead of its bytes", salt.encode()
