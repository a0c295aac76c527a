"""Whatever a server sends for JSON, there is a document or one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.harness.servers.json_answer import MAX_DEPTH, MAX_JSON_BYTES, NotJson, kind_of, read_json

DEEP = b"[" * 100_000
DEEP_OBJECT = b'{"a":' * 100_000

BAD = {
    "deep": (DEEP, "JSON that is nested deeper than 64 levels: '[[[["),
    "deep and whole": (DEEP + b"]" * 100_000, "JSON that is nested deeper than 64 levels"),
    "deep objects": (DEEP_OBJECT + b"1" + b"}" * 100_000, "JSON that is nested deeper than 64 levels"),
    "deep enough for Python": (b"[" * 500 + b"]" * 500, "JSON that is nested deeper than 64 levels"),
    "a long number": (b'{"total": ' + b"9" * 5_000 + b"}", "a number of 5,000 digits: 99999999999999999999…"),
    "a long fraction": (b'{"total": 1e999}', "a number that is too large: 1e999"),
    "NaN": (b'{"total": NaN}', "NaN, which is no JSON"),
    "Infinity": (b"[-Infinity]", "-Infinity, which is no JSON"),
    "bytes": (b'{"name": "\xff"}', "JSON that is no UTF-8 at byte 10: "),
    "half a pair in bytes": (b'"\xed\xa0\x80"', "JSON that is no UTF-8 at byte 1: "),
    "a page": (b"<html>\x1b[2J</html>", "no JSON: '<html> [2J</html>'"),
    "nothing": (b"  ", "an empty body"),
    "half of it": (b'{"total": 1', "no JSON: '{\"total\": 1'"),
    "a lot": (b"[" + b"1," * (MAX_JSON_BYTES // 2) + b"1]", "JSON of more than 16 MiB"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD.keys())
def test_what_is_no_json_is_one_sentence(text: bytes, sentence: str) -> None:
    with pytest.raises(NotJson) as wrong:
        read_json(text)
    assert str(wrong.value).startswith(sentence)
    assert str(wrong.value).isprintable()
    assert len(str(wrong.value)) < 200


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (rb'"a\ud800b"', "a\ufffdb"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\\ud800"', "\\ud800"),
        (b"\xef\xbb\xbf{}", {}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
)
def test_what_can_be_shown_is_read(text: bytes, document: Any) -> None:
    found = read_json(text)
    assert document is None or found == document
    json.dumps(found, ensure_ascii=False).encode()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(JSON_VALUES)
def test_json_is_read_as_it_is(document: Any) -> None:
    assert read_json(json.dumps(document).encode()) == document
    assert read_json(json.dumps(document, ensure_ascii=False).encode()) == document


@given(st.binary() | st.text(st.sampled_from('{}[]",:\\ud80cN1e-.')).map(str.encode))
def test_anything_else_is_a_sentence(text: bytes) -> None:
    try:
        json.dumps(read_json(text), ensure_ascii=False).encode()
        sentence = ""
    except NotJson as wrong:
        sentence = str(wrong)
    assert sentence.isprintable()


def test_kinds_have_names() -> None:
    values: list[Any] = [None, True, {}, [], "", 1, 0.5]
    kinds = [kind_of(value) for value in values]
    assert kinds == ["null", "true", "an object", "a list", "text", "a number", "a number"]
