"""Bodies to documents: alike in small steps and in one, bounded as in the real server, never a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hawkbit.request.cbor_reader import read_cbor
from fleetrig.reference_server.platforms.hawkbit.request.large_json import loads_large
from fleetrig.reference_server.platforms.hawkbit.request.request_documents import (
    ReadBody,
    most_values,
    prepared_body,
    read_document,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.simulator.contract.http import HttpRequest

JSON = "application/json"
CBOR = "application/cbor"
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=8,
)

REPEATED = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


def in_steps(text: str) -> Any:
    return loads_large(text, int, float, 500, 10_000)


@REPEATED
@given(DOCUMENTS, st.sampled_from([None, 1]))
def test_json_in_steps_is_json(document: Any, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    assert in_steps(text) == json.loads(text)


@REPEATED
@given(DOCUMENTS, st.integers(0, 200), st.sampled_from(["", *'{}[]",:\\ 0-.eEtnx\x01']))
def test_broken_json_is_refused_alike(document: Any, at: int, mark: str) -> None:
    text = json.dumps(document)
    at = min(at, len(text))
    text = text[:at] + mark + text[at + 1 :]
    outcomes = []
    for reader in (in_steps, json.loads):
        try:
            outcomes.append(reader(text))
        except ValueError:
            outcomes.append(ValueError)
    if "NaN" not in text and "Infinity" not in text:
        assert outcomes[0] == outcomes[1]


@REPEATED
@given(DOCUMENTS)
def test_cbor_is_what_the_library_writes(document: Any) -> None:
    assert read_cbor(cbor2.dumps(document), 500, 10_000) == document


@REPEATED
@given(st.binary(max_size=60))
def test_any_bytes_are_cbor_or_refused(data: bytes) -> None:
    with suppress(HawkbitError):
        json.dumps(read_document(data, CBOR))


@pytest.mark.parametrize(
    ("data", "document"),
    [
        (b"\xc2\x41\x01", 1),
        (b"\xc3\x41\x01", -2),
        (b"\xc4\x82\x20\x18\x64", "10.0"),
        (b"\xc4\x82\x1a\x7f\xff\xff\xff\x01", "1E+2147483647"),
        (b"\xc1\x01", 1),
        (b"\xc1\xc1\x01", 1),
        (b"\xd8\x23\x61(", "("),
        (b"\xd8\x25\x50" + b"a" * 16, "YWFhYWFhYWFhYWFhYWFhYQ=="),
        (b"\xd9\xd9\xf7\xa1\x41k\x61a", {"k": "a"}),
        (b"\xd8\x1d\x00", 0),
        (b"\xf7", None),
        (b"\xf8\xff", 255),
        (b"\xf9\x7e\x00", "NaN"),
        (b"\xf9\xfc\x00", "-Infinity"),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x9f\x01\x9f\xff\xff", [1, []]),
        (b"\xbf\x61k\xbf\xff\xff", {"k": {}}),
        (b"\x1b" + b"\xff" * 8, 2**64 - 1),
        (b"\x3b" + b"\xff" * 8, -(2**64)),
    ],
)
def test_cbor_as_the_real_server_reads_it(data: bytes, document: Any) -> None:
    assert read_document(data, CBOR) == document


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"\x1c", b"\x61", b"\x61\xff", b"\x63\xed\xa0\x80", b"\x01\x01", b"\x01\xff",
        b"\xc2\x59\x10\x00" + b"\xff" * 4096, b"\xc5\x82\x03\x01",
        b"\xa1\xf6\x01", b"\xa1\x80\x01", b"\xbf\x61k\xff", b"\x7f\x41a\xff", b"\x7f\x7f\xff\xff",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x81" * 501 + b"\x01",
    ],
)  # fmt: skip
def test_no_cbor_of_the_real_server(data: bytes) -> None:
    with pytest.raises(HawkbitError):
        read_document(data, CBOR)


@pytest.mark.parametrize("padding", ["", " " * 40_000])
@pytest.mark.parametrize(
    ("least", "most"),
    [
        ("[" * 500 + "]" * 500, "[" * 501 + "]" * 501),
        ("-" + "1" * 1000, "1" * 1001),
        ("-1." + "1" * 999, "1." + "1" * 1000),
        ('{"' + "a" * 50_000 + '": 1}', '{"' + "a" * 50_001 + '": 1}'),
    ],
)
def test_the_bounds_of_the_real_server(least: str, most: str, padding: str) -> None:
    read_document((padding + least).encode(), JSON)
    with pytest.raises(HawkbitError) as refused:
        read_document((padding + most).encode(), JSON)
    assert (refused.value.status, refused.value.code) == (400, "rest.body.notReadable")


def test_a_cbor_document_may_be_as_deep_as_a_json_one() -> None:
    deep = b"\x81" * 500 + b"\x01"
    assert read_document(deep, CBOR)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert read_document(rb'{"a\ud800": ["\udfff", "\ud83d\ude00"]}', JSON) == {"a?": ["?", "😀"]}


@pytest.mark.parametrize(
    ("content_type", "most", "more"),
    [
        (JSON, b"[" + b",".join([b"1"] * 19_999) + b"]", b"[" + b",".join([b"1"] * 20_000) + b"]"),
        (JSON, b'{"a":' * 2 + b"1" + b"}" * 2, b"[" + b",".join([b'{"a":1}'] * 10_000) + b"]"),
        (CBOR, b"\x99\x9c\x3f" + b"\x01" * 39_999, b"\x99\x9c\x40" + b"\x01" * 40_000),
    ],
)
def test_a_document_has_so_many_values_and_no_more(content_type: str, most: bytes, more: bytes) -> None:
    devices = "/DEFAULT/controller/v1/dev-1/configData"
    for path, taken in ((devices, False), (f"/hb{devices}", False), ("/rest/v1/targets", True)):
        read_document(most, content_type, most_values(path))
        outcome = prepared_body(HttpRequest("PUT", "http://h", path, (("Content-Type", content_type),), more))
        assert isinstance(outcome, ReadBody)
        assert (getattr(outcome.result, "status", 200) == 413) is not taken


@pytest.mark.parametrize("body", [b"[1, 2]", b"[", b"\xff"])
def test_a_prepared_body_is_the_same_body(body: bytes) -> None:
    prepared = prepared_body(HttpRequest("POST", "http://h", "/", (("Content-Type", JSON),), body))
    assert isinstance(prepared, ReadBody)
    assert prepared == body
    outcomes = []
    for raw in (prepared, body):
        try:
            outcomes.append(read_document(raw, JSON))
        except HawkbitError as error:
            outcomes.append(error.reason)
    assert outcomes[0] == outcomes[1]
