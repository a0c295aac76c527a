"""A payload of the Kura namespace as a document that checks can look into: its metrics by name, and `body` as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.servers.json_answer import NotJson
from fleetrig.simulator.flows.kura.codec import from_wire
from fleetrig.simulator.flows.kura.payload import KuraPayload, MetricValue

PROTOBUF: Final = "kura-protobuf"
SIMPLE_JSON: Final = "simple-json"
OBJECT: Final = b"{"


def read_payload(data: bytes) -> Mapping[str, Any]:
    """`{"response.code": 200, "body": "…"}`. Raises NotJson for what is no payload in either form."""
    is_json = data.lstrip().startswith(OBJECT)
    payload = from_wire(data, encoding=SIMPLE_JSON if is_json else PROTOBUF)
    if payload is None:
        raise NotJson("a payload that is neither protobuf nor JSON")
    return shown(payload)


def shown(payload: KuraPayload) -> dict[str, Any]:
    """A metric that is called `body` stands behind the body itself."""
    metrics = {name: _value(metric.value) for name, metric in payload.metrics.items()}
    return metrics if payload.body is None else {**metrics, "body": payload.body.decode("utf-8", "replace")}


def _value(value: MetricValue) -> Any:
    """Bytes in hexadecimal digits."""
    return value.hex() if isinstance(value, bytes) else value
