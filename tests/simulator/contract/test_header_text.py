"""One way to put a credential on the wire, and what cannot be put there."""

from __future__ import annotations

import base64

import pytest

from fleetrig.simulator.contract.header_text import (
    basic_authorization,
    header_bytes,
    why_no_basic_account,
    why_no_header_text,
)


@pytest.mark.parametrize("text", ["", "abc", "schön", "a b", "a\tb", "~!@#$%^&*()", "ÿ\xa0¤", "TargetToken x"])
def test_what_a_header_can_carry(text: str) -> None:
    assert why_no_header_text(text) == ""
    assert header_bytes(text).decode("latin-1") == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\nb", "holds a line end"),
        ("ab\r", "holds a line end"),
        ("a\0", "holds a control character (U+0000)"),
        ("\x7f", "holds a control character (U+007F)"),
        ("a\x85b", "holds a control character (U+0085)"),
        ("łódź", "holds “ł” (U+0142), and headers are Latin-1"),
        ("a€", "holds “€” (U+20AC), and headers are Latin-1"),
        ("a\u200bb", "holds U+200B, and headers are Latin-1"),
        ("\udc80", "holds U+DC80, and headers are Latin-1"),
        (" a", "begins with a blank, which HTTP takes away"),
        ("a ", "ends with a blank, which HTTP takes away"),
        ("a\t", "ends with a blank, which HTTP takes away"),
        (" ", "begins with a blank, which HTTP takes away"),
    ],
)
def test_what_no_header_can_carry(text: str, why: str) -> None:
    assert why_no_header_text(text) == why


def test_basic_is_utf_8() -> None:
    scheme, _, credentials = basic_authorization("jörg", "pä:ß€ ").partition(" ")
    assert (scheme, base64.b64decode(credentials).decode()) == ("Basic", "jörg:pä:ß€ ")


@pytest.mark.parametrize(
    ("user", "password", "why"),
    [
        ("admin", "pass:wörd €", ""),
        ("", "", ""),
        ("a:b", "x", "the user has a colon in its name, which a login cannot carry"),
        ("a", "x\n", "the password holds a control character or a line end"),
        ("a\0", "x", "the user holds a control character or a line end"),
        ("a", "\udcff", "the password is no text: it holds bytes that are not UTF-8"),
    ],
)
def test_what_basic_can_carry(user: str, password: str, why: str) -> None:
    assert why_no_basic_account(user, password) == why
