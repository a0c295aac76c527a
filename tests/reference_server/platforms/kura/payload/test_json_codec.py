"""`simple-json` against every vector of real Kura code."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.kura.payload.codec import Unencodable
from fleetrig.reference_server.platforms.kura.payload.json_codec import NoJsonObject, decode_json, encode_json
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, ValueType
from tests.reference_server.platforms.kura.payload.fields import comparable, payload_of, vectors

DECODED = vectors("json-payloads.jsonl", "json-decode")
ENCODED = vectors("json-payloads.jsonl", "json-encode")


def test_the_vectors_are_there() -> None:
    assert (len(DECODED), len(ENCODED)) == (11, 3)


@pytest.mark.parametrize("vector", [one for one in DECODED if "fields" in one], ids=lambda one: one["name"])
def test_what_kura_decodes(vector: dict[str, Any]) -> None:
    assert comparable(decode_json(vector["text"].encode())) == comparable(payload_of(vector["fields"]))


@pytest.mark.parametrize("vector", [one for one in DECODED if "error" in one], ids=lambda one: one["name"])
def test_what_kura_loses(vector: dict[str, Any]) -> None:
    with pytest.raises(NoJsonObject):
        decode_json(vector["text"].encode())


@pytest.mark.parametrize("vector", ENCODED, ids=lambda one: one["name"])
def test_what_kura_encodes(vector: dict[str, Any]) -> None:
    assert encode_json(payload_of(vector["fields"])).decode() == vector["text"]


def test_an_empty_payload() -> None:
    assert encode_json(KuraPayload()) == b'{"metrics":{}}'


@pytest.mark.parametrize(
    "text",
    [
        b'{"Metrics":{"a":null}}', b'{"metrics":[]}', b'{"body":"no base64"}', b'{"body":1}', b'{"position":[]}',
        b'{"position":{"latitude":"46"}}', b'{"position":{"latitude":1e999}}' , b'{"position":{"status":1e999}}',
    ],
)  # fmt: skip
def test_other_members_make_it_a_body(text: bytes) -> None:
    found = decode_json(text)

    if b'latitude":1e999' in text:
        assert found.position is not None
    else:
        assert found.body == text
        assert found.undecodable


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 100_000, b"1" * 5_000, b"null"])
def test_what_is_no_object(text: bytes) -> None:
    with pytest.raises(NoJsonObject):
        decode_json(text)


def test_a_float_that_is_none() -> None:
    with pytest.raises(Unencodable):
        encode_json(KuraPayload(metrics={"f": Metric(ValueType.FLOAT, 1e300)}))
