"""What a message of the Kura namespace carries, whatever its encoding (spec 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

MetricValue = float | int | bool | str | bytes


class ValueType(IntEnum):
    """The type of a metric, by its number on the wire."""

    DOUBLE = 0
    FLOAT = 1
    INT64 = 2
    INT32 = 3
    BOOL = 4
    STRING = 5
    BYTES = 6


@dataclass(frozen=True, slots=True)
class Metric:
    """A typed value; its name is its key in `KuraPayload.metrics`."""

    type: ValueType
    value: MetricValue


@dataclass(frozen=True, slots=True)
class KuraPosition:
    """Where a device is. Both coordinates are needed to write one; JSON may leave them out."""

    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    precision: float | None = None
    heading: float | None = None
    speed: float | None = None
    timestamp_ms: int | None = None
    satellites: int | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class KuraPayload:
    """`metrics` in the order of the wire; the order means nothing (2.3)."""

    timestamp_ms: int | None = None
    position: KuraPosition | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: bytes | None = None
    undecodable: str = ""
    """Why the bytes are no payload, for the trace: then `body` is those bytes and nothing else is there (2.4)."""

    def text(self, name: str) -> str | None:
        """A metric of type STRING; None also for one of another type (2.5)."""
        found = self.metrics.get(name)
        return found.value if found is not None and isinstance(found.value, str) else None

    def integer(self, name: str) -> int | None:
        """A metric of type INT32 or INT64; None also for one of another type."""
        found = self.metrics.get(name)
        is_whole = found is not None and found.type in (ValueType.INT32, ValueType.INT64)
        return int(found.value) if found is not None and is_whole else None

    def octets(self, name: str) -> bytes | None:
        """A metric of type BYTES; None also for one of another type."""
        found = self.metrics.get(name)
        return found.value if found is not None and isinstance(found.value, bytes) else None

    @property
    def response_code(self) -> int | None:
        """`response.code`, if it is one of the four there are and an INT32; any other means no code (2.6)."""
        found = self.metrics.get("response.code")
        code = int(found.value) if found is not None and found.type is ValueType.INT32 else None
        return code if code in RESPONSE_CODES else None


RESPONSE_CODES = frozenset({200, 400, 404, 500})


def string(value: str) -> Metric:
    """A metric of type STRING."""
    return Metric(ValueType.STRING, value)


def int32(value: int) -> Metric:
    """A metric of type INT32."""
    return Metric(ValueType.INT32, value)


def int64(value: int) -> Metric:
    """A metric of type INT64."""
    return Metric(ValueType.INT64, value)


def boolean(value: bool) -> Metric:
    """A metric of type BOOL."""
    return Metric(ValueType.BOOL, value)


def octets(value: bytes) -> Metric:
    """A metric of type BYTES."""
    return Metric(ValueType.BYTES, value)
