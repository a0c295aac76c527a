"""KuraPayload as a gateway has it: time, position, named metrics and a body (spec 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")


class MetricType(IntEnum):
    """`ValueType` of the protobuf schema."""

    DOUBLE = 0
    FLOAT = 1
    INT64 = 2
    INT32 = 3
    BOOL = 4
    STRING = 5
    BYTES = 6


MetricValue = float | int | bool | str | bytes


class Metric(NamedTuple):
    type: MetricType
    value: MetricValue


@dataclass(frozen=True, slots=True)
class Position:
    """It cannot be written without latitude and longitude. Without a position service a gateway says 0, 0, 0."""

    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    precision: float | None = None
    heading: float | None = None
    speed: float | None = None
    timestamp: int | None = None
    satellites: int | None = None
    status: int | None = None


NOWHERE: Final = Position(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class KuraPayload:
    timestamp_ms: int | None = None
    position: Position | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    body: bytes | None = None

    def text(self, name: str) -> str | None:
        """A metric of the type STRING; None for one of another type, as for one that is not there."""
        return self._of(name, MetricType.STRING, str)

    def int32(self, name: str) -> int | None:
        return self._of(name, MetricType.INT32, int)

    def int64(self, name: str) -> int | None:
        return self._of(name, MetricType.INT64, int)

    def flag(self, name: str) -> bool | None:
        return self._of(name, MetricType.BOOL, bool)

    def data(self, name: str) -> bytes | None:
        """A metric of the type BYTES."""
        return self._of(name, MetricType.BYTES, bytes)

    def _of(self, name: str, kind: MetricType, of: type[T]) -> T | None:
        metric = self.metrics.get(name)
        return metric.value if metric is not None and metric.type is kind and isinstance(metric.value, of) else None


def texts(**values: str) -> dict[str, Metric]:
    """Metrics of the type STRING; names in metrics have dots or underscores, so `texts(**{"request.id": "42"})`."""
    return {name: Metric(MetricType.STRING, value) for name, value in values.items()}


def int32(value: int) -> Metric:
    return Metric(MetricType.INT32, value)


def int64(value: int) -> Metric:
    return Metric(MetricType.INT64, value)


def string(value: str) -> Metric:
    return Metric(MetricType.STRING, value)


def measured(values: Mapping[str, object]) -> dict[str, Metric]:
    """Metrics of what a gateway measures, by the type that each value has; what has none is left out."""
    found = {}
    for name, value in values.items():
        match value:
            case bool():
                found[name] = Metric(MetricType.BOOL, value)
            case int():
                found[name] = Metric(MetricType.INT64, value)
            case float():
                found[name] = Metric(MetricType.DOUBLE, value)
            case str():
                found[name] = Metric(MetricType.STRING, value)
            case _:
                pass
    return found
