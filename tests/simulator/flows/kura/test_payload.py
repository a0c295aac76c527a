"""Payloads of the gateway agree with what real Kura code wrote and read, both ways."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from fleetrig.simulator.flows.kura import codec, json_payload, protobuf
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, Position

GOLDEN = Path(__file__).parents[3] / "golden" / "kura"
PROTOBUF = "kura-protobuf"


def vectors(file: str, *kinds: str) -> list[Any]:
    lines = (GOLDEN / file).read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [pytest.param(one, id=f"{one['kind']}-{one['name']}") for one in found if one["kind"] in kinds]


def payload_of(fields: dict[str, Any]) -> KuraPayload:
    """As the vectors write it."""
    metrics = {one["name"]: metric_of(one["type"], one["value"]) for one in fields.get("metrics", []) if one["type"]}
    body = fields.get("body_hex")
    return KuraPayload(
        fields.get("timestamp"),
        Position(**fields["position"]) if "position" in fields else None,
        metrics,
        None if body is None else bytes.fromhex(body),
    )


def metric_of(kind: str, value: Any) -> Metric:
    match MetricType[kind]:
        case MetricType.BYTES:
            return Metric(MetricType.BYTES, bytes.fromhex(value))
        case (MetricType.DOUBLE | MetricType.FLOAT) as number:
            return Metric(number, float(value))
        case other:
            return Metric(other, value)


def same(one: KuraPayload | None, other: KuraPayload) -> bool:
    """NaN is NaN here, and the order of metrics says nothing."""
    return one is not None and without_nan(one) == without_nan(other)


def without_nan(payload: KuraPayload) -> tuple[object, ...]:
    metrics = {
        name: ("NaN" if isinstance(one.value, float) and math.isnan(one.value) else one.value, one.type)
        for name, one in payload.metrics.items()
    }
    return payload.timestamp_ms, payload.position, metrics, payload.body


@pytest.mark.parametrize("vector", vectors("payloads.jsonl", "encode"))
def test_what_real_code_encodes(vector: dict[str, Any]) -> None:
    if vector.get("error"):
        with pytest.raises((KeyError, ValueError)):
            protobuf.encode(payload_of(vector["fields"]))
        return
    wanted = payload_of(vector["fields"])
    data = bytes.fromhex(vector["hex"])

    assert protobuf.encode(wanted) == data
    assert same(protobuf.decode(data), payload_of(vector.get("decoded", vector["fields"])))


@pytest.mark.parametrize("vector", vectors("payloads.jsonl", "decode"))
def test_what_real_code_decodes(vector: dict[str, Any]) -> None:
    read = codec.from_wire(bytes.fromhex(vector["hex"]), encoding=PROTOBUF)

    assert same(read, payload_of(vector["as_received"] if vector.get("error") else vector["fields"]))


@pytest.mark.parametrize("vector", vectors("payloads.jsonl", "gzip-rule"))
def test_gzip_where_it_is_shorter(vector: dict[str, Any]) -> None:
    if vector["plain_hex"] is None:
        plain = b"x" * vector["plain_length"] if vector["gzip"] else bytes(range(256)) * 7
        plain = plain if vector["gzip"] else bytes((n * 89 ^ n >> 3) & 255 for n in range(250))
    else:
        plain = bytes.fromhex(vector["plain_hex"])
    sent = codec.shorter(plain)

    assert (sent != plain) is vector["gzip"]
    assert codec.unpacked(sent) == plain
    if vector["plain_hex"] is not None:
        assert len(sent) == pytest.approx(vector["sent_length"], abs=3)


@pytest.mark.parametrize("vector", vectors("json-payloads.jsonl", "json-decode"))
def test_json_that_real_code_decodes(vector: dict[str, Any]) -> None:
    read = json_payload.decode(vector["text"].encode())

    assert read is None if vector.get("error") else same(read, payload_of(vector["fields"]))


@pytest.mark.parametrize("vector", vectors("json-payloads.jsonl", "json-encode"))
def test_json_that_real_code_encodes(vector: dict[str, Any]) -> None:
    assert json_payload.encode(payload_of(vector["fields"])).decode() == vector["text"]


def test_an_empty_payload_in_json_has_no_metrics() -> None:
    assert json_payload.encode(KuraPayload()) == b'{"metrics":{}}'


def test_text_that_is_no_utf_8_is_read_with_replacements() -> None:
    data = protobuf.encode(KuraPayload(metrics={"s": Metric(MetricType.STRING, "ab")})).replace(b"ab", b"a\xff")
    read = protobuf.decode(data)

    assert read is not None
    assert read.text("s") == "a\ufffd"


def test_a_gzip_bomb_is_taken_as_it_is() -> None:
    bomb = gzip.compress(bytes(codec.MOST_UNPACKED_BYTES + 1))
    read = codec.from_wire(bomb, encoding=PROTOBUF)

    assert read == KuraPayload(body=bomb)


@pytest.mark.parametrize("length", [3, 10, 20])
def test_gzip_that_is_cut_is_taken_as_it_is(length: int) -> None:
    cut = gzip.compress(b"x" * 40)[:length]

    assert codec.from_wire(cut, encoding=PROTOBUF) == KuraPayload(body=cut)


def test_metrics_are_found_by_name_and_type() -> None:
    payload = payload_of({"metrics": [{"name": "a", "type": "INT64", "value": 5}]})

    assert payload.int64("a") == 5
    assert payload.text("a") is None
    assert payload.int32("a") is None
