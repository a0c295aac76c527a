"""A hint is never wrong: what a pattern finds in a text is found, whatever stands around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.contract import credential_patterns
from fleetrig.simulator.contract.credential_patterns import MEMBER, CredentialPattern
from fleetrig.simulator.contract.credential_places import UnknownCredentials

PLACES = {name: found for name, found in vars(credential_patterns).items() if isinstance(found, CredentialPattern)}

EXAMPLES = {
    "PARAMETER": "/a?my-Token=v&x=1",
    "TOKEN_OF_SCHEME": "TargetToken%20abcdefgh1",
    "PLAIN_MEMBER": "{my-secret : v",
    "ELEMENT": "<a:password b='c'>v</a>",
    "PART": 'name="apiKey"\r\nContent-Type: text/plain\r\n\r\nv',
    "HEADER_LINE": "> Proxy-Authorization: Basic v",
    "MEMBER": '"userPassword": {"value": "v"',
    "MEMBER_OF_TEXT": '\\"jwt\\" : \\"v\\"',
    "MEMBER_OF_REPR": "{'credentials': 'v'}",
}

WORDS = [
    "token",
    "Secret",
    "PASSWORD",
    "cookie",
    "x-amz-signature",
    "to\u212aen",
    "\u017fecret",
    "name=",
    "value",
    "v1234567",
]
MARKS = [
    '"',
    "'",
    "\\",
    ":",
    " ",
    "=",
    "%3D",
    "&",
    "?",
    ",",
    "{",
    "[",
    "]",
    "<",
    ">",
    "\n",
    "\r\n\r\n",
    "-",
    ".",
    "y" * 60,
]
TEXT = st.lists(st.sampled_from([*WORDS, *MARKS, *EXAMPLES.values()]), max_size=12).map("".join)


def starred(found: re.Match[str]) -> str:
    return "*" * len(found[0])


@pytest.mark.parametrize("name", PLACES)
def test_what_an_example_holds_is_found(name: str) -> None:
    assert "*" in PLACES[name].sub(starred, EXAMPLES[name])


@pytest.mark.parametrize("name", PLACES)
@given(text=TEXT)
def test_a_hint_overlooks_nothing(name: str, text: str) -> None:
    assert PLACES[name].sub(starred, text) == PLACES[name].pattern.sub(starred, text)


@given(TEXT)
def test_members_are_found_by_their_names(text: str) -> None:
    plain = UnknownCredentials()
    assert UnknownCredentials()._hide_json(text) == MEMBER.pattern.sub(plain._member, text)
