"""The server's codec against every payload vector of real Kura code, and what strangers may send."""

from __future__ import annotations

import gzip
import hashlib
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.kura.payload.codec import Unencodable, decode, encode
from fleetrig.reference_server.platforms.kura.payload.gzip_rule import PLAIN_BYTES, compressed_if_shorter
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    KuraPosition,
    Metric,
    ValueType,
    boolean,
    int32,
    int64,
    octets,
    string,
)
from tests.reference_server.platforms.kura.payload.fields import comparable, payload_of, vectors

ENCODED = vectors("payloads.jsonl", "encode")
DECODED = [one for one in vectors("payloads.jsonl", "encode", "decode") if "hex" in one]
GZIPPED = vectors("payloads.jsonl", "gzip-rule")
NEAR = 3
"""Bytes by which compressors differ."""


def test_the_vectors_are_there() -> None:
    assert (len(ENCODED), len(DECODED), len(GZIPPED)) == (35, 57, 11)


@pytest.mark.parametrize("vector", [one for one in ENCODED if "hex" in one], ids=lambda one: one["name"])
def test_what_kura_encodes(vector: dict[str, Any]) -> None:
    assert encode(payload_of(vector["fields"])).hex() == vector["hex"]


@pytest.mark.parametrize("vector", DECODED, ids=lambda one: f"{one['kind']} {one['name']}")
def test_what_kura_decodes(vector: dict[str, Any]) -> None:
    expected = vector.get("as_received") or vector.get("decoded") or vector["fields"]

    found = decode(bytes.fromhex(vector["hex"]))

    assert comparable(found) == comparable(payload_of(expected))
    assert bool(found.undecodable) == ("error" in vector)


def test_what_kura_refuses_to_encode() -> None:
    refused = [one["fields"] for one in ENCODED if one.get("error") == "refused"]
    assert len(refused) == 2

    with pytest.raises(Unencodable, match="longitude"):
        encode(KuraPayload(position=KuraPosition(latitude=46.0)))
    with pytest.raises(Unencodable, match="metric"):
        encode(KuraPayload(metrics={"k": Metric(ValueType.INT32, "a date or a short")}))


@pytest.mark.parametrize("vector", GZIPPED, ids=lambda one: one["name"])
def test_gzip_only_where_it_is_shorter(vector: dict[str, Any]) -> None:
    """C-06; the lengths of compressed bytes depend on the compressor."""
    plain_hex = vector["plain_hex"]
    if plain_hex is None:
        noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(63))[:2_000]
        is_noise = "random" in vector["name"]
        plain = encode(KuraPayload(body=noise) if is_noise else KuraPayload(metrics={"s": string("x" * 2_000)}))
        assert len(plain) == vector["plain_length"]
    else:
        plain = bytes.fromhex(plain_hex)

    sent = compressed_if_shorter(plain)

    assert sent.startswith(b"\x1f\x8b") == vector["gzip"]
    assert abs(len(sent) - vector["sent_length"]) <= NEAR
    assert comparable(decode(sent)) == comparable(decode(plain))


def test_golden_bytes_of_the_sheet() -> None:
    metrics = {
        "d": Metric(ValueType.DOUBLE, 1.5), "f": Metric(ValueType.FLOAT, 1.5), "l": int64(-1), "i": int32(-1),
        "b": boolean(True), "s": string("a"), "y": octets(b"\x00\xff"),
    }  # fmt: skip

    assert encode(KuraPayload(metrics=metrics)).hex() == (
        "c2b8020e0a0164100019000000000000f83fc2b8020a0a01661001250000c03fc2b802100a016c100228ffffffffffffffffff01c2b802"
        "100a0169100330ffffffffffffffffff01c2b802070a016210043801c2b802080a01731005420161c2b802090a017910064a0200ff"
    )


def test_fields_of_the_extension_range_are_passed_over() -> None:
    """C-03."""
    tag_10, tag_4000 = b"\x50\x05", b"\x80\xfa\x01\x05"

    assert decode(tag_10 + tag_4000 + bytes.fromhex("0880d095ffbc31")).timestamp_ms == 1_700_000_000_000


def test_bad_utf8_becomes_a_replacement_character() -> None:
    data = bytes.fromhex("c2b802080a017310054201ff")

    assert decode(data).text("s") == "\ufffd"


def test_a_metric_of_another_type_is_not_read_as_text() -> None:
    payload = KuraPayload(metrics={"request.id": int32(7), "n": string("7"), "b": boolean(True)})

    assert (payload.text("request.id"), payload.integer("n"), payload.integer("b"), payload.octets("n")) == (
        None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        (int32(200), 200), (int32(404), 404), (int32(202), None), (int64(200), None), (string("200"), None),
        (None, None),
    ],
)  # fmt: skip
def test_only_four_codes_count(metric: Metric | None, code: int | None) -> None:
    """2.6, S-41."""
    metrics = {} if metric is None else {"response.code": metric}

    assert KuraPayload(metrics=metrics).response_code == code


class TestGzip:
    def test_a_bomb_is_not_opened(self) -> None:
        bomb = gzip.compress(b"\0" * (PLAIN_BYTES.most + 1))

        found = decode(bomb)

        assert found.body == bomb
        assert "16 MiB" in found.undecodable

    def test_what_just_fits_is(self) -> None:
        payload = KuraPayload(body=b"\0" * (PLAIN_BYTES.most - 8))
        data = encode(payload, gzip=True)
        assert len(data) < 20_000

        assert len(decode(data).body or b"") == PLAIN_BYTES.most - 8

    def test_a_bomb_of_many_members_is_none_either(self) -> None:
        part = gzip.compress(b"\0" * (1 << 20))

        assert "16 MiB" in decode(part * 17).undecodable

    @pytest.mark.parametrize("cut", [2, 9, 12, -9, -1])
    def test_what_ends_too_early_is_a_body(self, cut: int) -> None:
        whole = gzip.compress(encode(KuraPayload(metrics={"s": string("a" * 50)})))

        assert decode(whole[:cut]).body == whole[:cut]

    def test_what_stands_behind_it_counts_for_nothing(self) -> None:
        packed = gzip.compress(encode(KuraPayload(metrics={"s": string("a")})))

        assert decode(packed + b"rest").text("s") == "a"
        assert decode(packed + b"\x1f\x8bno").text("s") == "a"

    def test_members_are_joined(self) -> None:
        one, other = (encode(KuraPayload(metrics={name: int32(1)})) for name in "ab")

        assert set(decode(gzip.compress(one) + gzip.compress(other)).metrics) == {"a", "b"}

    def test_a_message_of_countless_members_is_not_opened(self) -> None:
        """Each would cost a copy of all that follows it: 16 MiB of empty members would take minutes."""
        whole = gzip.compress(encode(KuraPayload(metrics={"s": string("a")})))
        empty = gzip.compress(b"")

        assert decode(empty * 99 + whole).text("s") == "a"
        assert "100 members" in decode(empty * 100 + whole).undecodable


def test_a_message_of_countless_metrics_is_not_read() -> None:
    one = encode(KuraPayload(metrics={"i": int32(1)}))

    assert not decode(one * 65_536).undecodable
    assert "65,536 metrics" in decode(one * 65_537).undecodable


VALUES: dict[ValueType, st.SearchStrategy[Any]] = {
    ValueType.DOUBLE: st.floats(allow_nan=False),
    ValueType.FLOAT: st.floats(width=32, allow_nan=False),
    ValueType.INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    ValueType.INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    ValueType.BOOL: st.booleans(),
    ValueType.STRING: st.text(),
    ValueType.BYTES: st.binary(max_size=20),
}
METRICS = st.sampled_from(list(ValueType)).flatmap(lambda kind: st.builds(Metric, st.just(kind), VALUES[kind]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), METRICS, max_size=5), st.none() | st.binary(max_size=40), st.booleans())
def test_what_is_written_is_read(metrics: dict[str, Metric], body: bytes | None, is_packed: bool) -> None:
    payload = KuraPayload(12, KuraPosition(1.0, 2.0, satellites=-3), metrics, body)

    assert comparable(decode(encode(payload, gzip=is_packed))) == comparable(payload)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", b"\x1f\x8b", b"\xc2\xb8\x02", b"\x12\x09"]))
def test_anything_is_read(data: bytes, prefix: bytes) -> None:
    """C-07: random bytes are a body, or a payload that is written again."""
    found = decode(prefix + data)

    if found.undecodable:
        assert found.body == prefix + data
        assert not found.metrics
    else:
        assert comparable(decode(encode(found))) == comparable(found)


def test_a_float_keeps_its_32_bits() -> None:
    data = encode(KuraPayload(metrics={"f": Metric(ValueType.FLOAT, 0.1)}))

    found = decode(data).metrics["f"].value
    assert isinstance(found, float)
    assert struct.pack(">f", found) == struct.pack(">f", 0.1)
