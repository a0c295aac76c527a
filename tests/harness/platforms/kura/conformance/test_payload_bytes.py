"""The payloads that rows write and read by hand, against vectors of real code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.kura.conformance.payload_bytes import (
    BODY,
    GZIP,
    LENGTH,
    MetricType,
    Value,
    compressed,
    metric,
    numbered,
    payload,
    read_payload,
)

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[4] / "golden" / "kura" / "payloads.jsonl").read_text("utf-8").splitlines()
]
PLAIN = [one for one in VECTORS if one["kind"] == "encode" and "position" not in one.get("fields", {}) and "hex" in one]
DECODED = [one for one in VECTORS if one["kind"] in ("encode", "decode") and "error" not in one and "hex" in one]
UNDECODABLE = [one for one in VECTORS if one["kind"] == "decode" and one.get("error") == "undecodable"]


def value_of(kind: str, value: Any) -> Value:
    """As a vector writes it."""
    if kind == "BYTES":
        return bytes.fromhex(value)
    return float(value) if kind in ("DOUBLE", "FLOAT") else value


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def test_there_are_vectors_of_each_kind() -> None:
    assert len(PLAIN) >= 10
    assert len(DECODED) >= 20
    assert len(UNDECODABLE) >= 3


@pytest.mark.parametrize("vector", PLAIN, ids=name_of)
def test_what_rows_write_is_what_real_code_writes(vector: dict[str, Any]) -> None:
    fields = vector["fields"]
    metrics = [
        metric(one["name"], value_of(one["type"], one["value"]), MetricType[one["type"]])
        for one in fields.get("metrics", [])
        if one["value"] is not None
    ]
    body = bytes.fromhex(fields["body_hex"]) if "body_hex" in fields else None
    written = payload(None, *metrics, timestamp_ms=fields.get("timestamp"))
    written += b"" if body is None else numbered(BODY, LENGTH, body)
    assert written.hex() == vector["hex"]


@pytest.mark.parametrize("vector", DECODED, ids=name_of)
def test_what_rows_read_is_what_real_code_reads(vector: dict[str, Any]) -> None:
    fields = vector.get("decoded", vector["fields"])
    data = bytes.fromhex(vector["hex"])
    for sent in (data,) if data.startswith(GZIP) else (data, compressed(data)):
        read = read_payload(sent)
        wanted = {
            one["name"]: (MetricType[one["type"]], value_of(one["type"], one["value"]))
            for one in fields.get("metrics", [])
        }
        assert repr(sorted(read.metrics.items())) == repr(sorted((k, (int(t), v)) for k, (t, v) in wanted.items()))
        assert read.body.hex() == fields.get("body_hex", "")
        assert read.timestamp_ms == fields.get("timestamp")


@pytest.mark.parametrize("vector", UNDECODABLE, ids=name_of)
def test_what_real_code_cannot_read_is_none(vector: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any reason will do)
        read_payload(bytes.fromhex(vector["hex"]))
