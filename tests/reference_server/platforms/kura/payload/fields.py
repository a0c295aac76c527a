"""Payloads as the golden vectors write them."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, KuraPosition, Metric, ValueType

GOLDEN = Path(__file__).resolve().parents[4] / "golden" / "kura"
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def vectors(name: str, *kinds: str) -> list[dict[str, Any]]:
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    return [vector for line in lines if (vector := json.loads(line))["kind"] in kinds]


def payload_of(written: dict[str, Any]) -> KuraPayload:
    """A null metric is left out, as encoders do it. Raises KeyError for a type that there is not."""
    position = written.get("position")
    metrics = {one["name"]: metric_of(one) for one in written.get("metrics", ()) if one["type"] is not None}
    body = written.get("body_hex")
    return KuraPayload(
        written.get("timestamp"),
        None if position is None else position_of(position),
        metrics,
        None if body is None else bytes.fromhex(body),
    )


def metric_of(written: dict[str, Any]) -> Metric:
    kind, value = ValueType[written["type"]], written["value"]
    if kind is ValueType.BYTES:
        value = bytes.fromhex(value)
    elif kind in (ValueType.DOUBLE, ValueType.FLOAT):
        value = WORDS[value] if isinstance(value, str) else float(value)
    return Metric(kind, value)


def position_of(written: dict[str, Any]) -> KuraPosition:
    return KuraPosition(**{"timestamp_ms" if name == "timestamp" else name: one for name, one in written.items()})


def comparable(payload: KuraPayload) -> Any:
    """NaN is equal to NaN; the order of metrics counts for nothing."""
    position = (
        None
        if payload.position is None
        else [repr(getattr(payload.position, f.name)) for f in fields(payload.position)]
    )
    metrics = {name: (one.type, type(one.value), repr(one.value)) for name, one in payload.metrics.items()}
    return payload.timestamp_ms, position, metrics, payload.body
