"""What the server's library takes for JSON, and what not even it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.thingsboard.provisioning import lenient_json
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import (
    MOST_NESTED,
    JsonNumber,
    NotJson,
    as_text,
    parse,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" \t\r\n", None),
        ("null", None),
        ("null and more", None),
        ("NULL", None),
        ("{}", {}),
        ("\ufeff{}", {}),
        (")]}'\n{}", {}),
        ("{a:1}", {"a": "1"}),
        ("{'a':'b'}", {"a": "b"}),
        ('{"a":\'it"s\'}', {"a": 'it"s'}),
        ("{a=b}", {"a": "b"}),
        ("{a=>b}", {"a": "b"}),
        ("{a:b;c:d}", {"a": "b", "c": "d"}),
        ("{1:2}", {"1": "2"}),
        ("{null:null}", {"null": None}),
        ("{a:TRUE,b:False,c:nUll}", {"a": True, "b": False, "c": None}),
        ("{a:truest}", {"a": "truest"}),
        ("{a:1,a:2}", {"a": "2"}),
        (
            "{a:007,b:+1,c:1.,d:.5,e:-,f:NaN,g:1e}",
            dict(zip("abcdefg", ["007", "+1", "1.", ".5", "-", "NaN", "1e"], strict=True)),
        ),
        ("[]", []),
        ("[1;2]", ["1", "2"]),
        ("[,]", [None, None]),
        ("[1,]", ["1", None]),
        ("[,1]", [None, "1"]),
        ("// a\n{/* b */a:# c\n1}", {"a": "1"}),
        ('{"a":"line\nend\ttab"}', {"a": "line\nend\ttab"}),
        ('{"a":"\\u0041\\\'\\/\\\n\\b\\f\\n\\r\\t\\\\"}', {"a": "A'/\n\b\f\n\r\t\\"}),
        ("hello", "hello"),
        ('"hello"', "hello"),
        ("{} // more", {}),
        ("{a:-0,b:1E+5,c:0.50}", {"a": "-0", "b": "1E+5", "c": "0.50"}),
    ],
)
def test_what_is_taken(text: str, value: Any) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "End of input"),
        ("[", "End of input"),
        ("{a", "End of input"),
        ("{a:", "End of input"),
        ("{a:1", "End of input"),
        ("{,a:1}", "Expected name"),
        ("{a:1,}", "Expected name"),
        ("{a:1,,b:2}", "Expected name"),
        ("{[]:1}", "Expected name"),
        ("{a}", "Expected ':'"),
        ("{a 1}", "Expected ':'"),
        ("{a:}", "Expected value"),
        ("{a:\\}", "Expected value"),
        ("/", "Expected value"),
        ("[1 2]", "Unterminated array"),
        ("[1}", "Unterminated array"),
        ("{a:1]", "Unterminated object"),
        ("{a: two words}", "Unterminated object"),
        ("{} {}", "Did not consume"),
        ("{}x", "Did not consume"),
        ('"a" "b"', "Did not consume"),
        ('{"a":"b', "Unterminated string"),
        ('{"a":"b\\', "Unterminated escape sequence"),
        ('{"a":"\\x"}', "Invalid escape sequence"),
        ('{"a":"\\u12"}', "Malformed Unicode escape"),
        ("/* {}", "Unterminated comment"),
    ],
)
def test_what_is_not_taken(text: str, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        parse(text)


def test_the_place_of_a_mistake_is_told() -> None:
    with pytest.raises(NotJson, match="MalformedJsonException: Expected name at line 2 column 2"):
        parse("{a:1,\n ,}")


def test_nesting_has_a_limit() -> None:
    assert parse("[" * MOST_NESTED + "]" * MOST_NESTED)
    for opening, closing in (("[", "]"), ('{"a":', "0}"), ("{a:", "}")):
        with pytest.raises(NotJson, match="Nesting limit"):
            parse(opening * (MOST_NESTED + 1) + closing * (MOST_NESTED + 1))


def test_numbers_keep_their_form() -> None:
    number = parse('{"a":1.50}')["a"]

    assert isinstance(number, JsonNumber)
    assert number == "1.50"
    assert not isinstance(parse('{"a":"1.50"}')["a"], JsonNumber)
    assert not isinstance(parse("1" * 1_024), JsonNumber), "one that is too long counts as a word"


def test_what_was_read_is_written_as_the_server_does() -> None:
    text = "{a:1.50,b:[TRUE,null,'x\"y\u2028'],c:{}}"

    assert as_text(parse(text)) == '{"a":1.50,"b":[true,null,"x\\"y\\u2028"],"c":{}}'


def test_halves_of_characters() -> None:
    """Java's text has halves, its UTF-8 has none: quotes of either kind, names as well."""
    for quote in "\"'":
        text = "{Q\\uD83D\\uDE00Q:[QaQ,Qa\\ud83db\\ude00\ufffdQ]}".replace("Q", quote)
        assert parse(text) == {"\U0001f600": ["a", "a?b?\ufffd"]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_plain_json_is_read_alike_by_both_readers(value: Any) -> None:
    text = json.dumps(value)

    assert as_text(parse(text)) == as_text(lenient_json._as_sent(lenient_json._Reader(text).document()))


@given(st.text("{}[]:,;='\"\\ntru1.e-/*# \n", max_size=20))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        value = parse(text)
    except NotJson:
        return
    assert parse(as_text(value)) == value
