"""How passwords are kept and held against hashes (spec 1.3, 4.1)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.hono.state.passwords import (
    UnusableHash,
    check_hash,
    hashed_password,
    is_password_right,
)

CHEAPEST = 4
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


def of_digest(function: str, password: str, salt: bytes | None = None) -> dict[str, Any]:
    name = function.replace("-", "")
    digest = b64encode(hashlib.new(name, (salt or b"") + password.encode()).digest()).decode()
    secret = {"hash-function": function, "pwd-hash": digest}
    return secret if salt is None else {**secret, "salt": b64encode(salt).decode()}


@given(st.text(max_size=12), st.text(max_size=12))
@settings(max_examples=20, deadline=None)
def test_what_was_hashed_is_right_and_nothing_else(password: str, other: str) -> None:
    password, other = password.replace("\0", ""), other.replace("\0", "")
    kept = hashed_password(password, CHEAPEST, SeededEntropy(1))
    assert is_password_right(kept, password)
    assert is_password_right(kept, other) is (other == password)
    assert bcrypt.checkpw(password.encode(), kept["pwd-hash"].encode())


def test_the_salt_is_chance_that_was_handed_in() -> None:
    first, second = (hashed_password("x", CHEAPEST, SeededEntropy(seed))["pwd-hash"] for seed in (1, 2))
    assert first != second
    assert first == hashed_password("x", CHEAPEST, SeededEntropy(1))["pwd-hash"]
    assert first.startswith("$2a$04$")


def test_a_password_that_bcrypt_would_cut_off_is_refused() -> None:
    assert hashed_password("ü" * 36, CHEAPEST, SeededEntropy(1))
    with pytest.raises(UnusableHash, match="cannot be more than 72 bytes"):
        hashed_password("ü" * 37, CHEAPEST, SeededEntropy(1))


@pytest.mark.parametrize("function", ["sha-256", "sha-512"])
@pytest.mark.parametrize("salt", [None, b"", b"\1\2\3"])
def test_digests_of_salt_and_password(function: str, salt: bytes | None) -> None:
    secret = of_digest(function, "hono-secret", salt)
    assert is_password_right(secret, "hono-secret")
    assert not is_password_right(secret, "hono-secre")


@pytest.mark.parametrize(
    "secret",
    [
        {"hash-function": "sha-256", "pwd-hash": "!"},
        {"hash-function": "sha-256", "pwd-hash": "AAAA", "salt": "!"},
        {"hash-function": "md5", "pwd-hash": "AA=="},
        {"hash-function": "bcrypt", "pwd-hash": "x"},
        {"hash-function": "bcrypt", "pwd-hash": HASH.replace("$10$", "$02$")},
        {"hash-function": "bcrypt"},
        {},
    ],
)
def test_against_a_hash_that_is_none_no_password_is_right(secret: dict[str, Any]) -> None:
    assert not is_password_right(secret, "")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (
            {"hash-function": "bcrypt", "pwd-hash": HASH.replace("$10$", "$11$")},
            "exceeds configured maximum value of 10",
        ),
        ({"hash-function": "bcrypt", "pwd-hash": HASH.replace("2a", "2b")}, "not a supported BCrypt hash"),
        ({"hash-function": "bcrypt", "pwd-hash": HASH + "x"}, "not a supported BCrypt hash"),
        ({"hash-function": "bcrypt"}, "not a supported BCrypt hash"),
        ({"hash-function": "md5", "pwd-hash": "AA=="}, r"unsupported hashing algorithm \[md5\]"),
    ],
)
def test_hashes_that_are_not_taken(secret: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableHash, match=said):
        check_hash(secret, ("bcrypt", "sha-256"), 10)


def test_hashes_that_are_taken() -> None:
    for function, pwd_hash in [("bcrypt", HASH), ("md5", "AA=="), ("BCRYPT", "x")]:
        check_hash({"hash-function": function, "pwd-hash": pwd_hash}, (), 10)
    check_hash({"pwd-hash": "x"}, ("sha-256",), 10)


@pytest.mark.parametrize("function", ["bcrypt", "argon2", "BCRYPT"])
@pytest.mark.parametrize("cost", ["15", "31", "99"])
def test_a_hash_that_costs_too_much_is_not_tried(function: str, cost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose function is not called bcrypt is stored unchecked, and held against bcrypt all the same."""
    tried: list[bytes] = []

    def checkpw(password: bytes, hashed: bytes) -> bool:
        tried.append(hashed)
        return False

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    assert not is_password_right({"hash-function": function, "pwd-hash": HASH.replace("$10$", f"${cost}$")}, cost)
    assert tried == []
    assert not is_password_right({"hash-function": function, "pwd-hash": HASH.replace("$10$", "$14$")}, function + cost)
    assert len(tried) == 1
