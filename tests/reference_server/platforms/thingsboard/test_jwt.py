"""Tokens of a login: signed as RFC 7515 has it, refused when they are old, another's or none."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.thingsboard.rest.jwt import BadJwt, StaleJwt, sign, verify

KEY = b"a key of this test"
CLAIMS = {"sub": "ü", "exp": 1000}


def test_a_token_of_another_program_is_read() -> None:
    token = (
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiYWRtaW4iOnRydWUsImlhdCI6MTUxNjIzOTAyMn0."
        "VFb0qJ1LRg_4ujbZoRMXnVkUgiuKq5KxWqNdbKq_G9Vvz-S1zZa9LPxtHWKa64zDl2ofkT8F6jBt_K4riU-fPg"
    )

    claims = verify(token, b"your-512-bit-secret", 0)

    assert claims == {"sub": "1234567890", "name": "John Doe", "admin": True, "iat": 1516239022}


def test_a_token_holds_what_was_signed_until_it_expires() -> None:
    token = sign(CLAIMS, KEY)

    assert verify(token, KEY, 999) == CLAIMS
    with pytest.raises(StaleJwt, match="expired"):
        verify(token, KEY, 1000)


def test_a_token_of_another_key_is_stale() -> None:
    with pytest.raises(StaleJwt, match="signature"):
        verify(sign(CLAIMS, b"another key"), KEY, 0)


def test_claims_cannot_be_exchanged() -> None:
    header, _, signature = sign(CLAIMS, KEY).split(".")
    _, claims, _ = sign({"sub": "mallory"}, b"another key").split(".")

    with pytest.raises(StaleJwt):
        verify(f"{header}.{claims}.{signature}", KEY, 0)


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c.d", "!.!.!", "e30.e30.", "bnVsbA.e30.AA", "eyJhbGciOiJub25lIn0.e30."],
    ids=["nothing", "two parts", "four parts", "no base64", "no algorithm", "no object", "algorithm none"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadJwt):
        verify(token, KEY, 0)
