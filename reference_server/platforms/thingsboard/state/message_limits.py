"""How much a tenant, a device and a gateway may say: `capacity:seconds[,capacity:seconds]`, token buckets that fill all
the time (5).

They are kept in memory, as on the real server: a restart fills them. So does a new text for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode, RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import RateLimits, TenantLimits
from fleetrig.simulator.contract.clock import US_PER_S

BUCKETS_KEPT: Final = 300_000
"""Of 100,000 devices with three each; then those that came first are full again."""
UNREADABLE: Final = "HV000028: Unexpected exception during isValid call."
"""What the real server's validator says of a text that is no list of limits."""


@dataclass(frozen=True, slots=True)
class Limit:
    capacity: int
    seconds: int


class TooManyMessages(Exception):
    """More was said than may be; each transport says it in its own way, and never when to come back."""


def read_limits(text: str) -> tuple[Limit, ...]:
    """Raises ValueError for what is no list of limits."""
    limits = []
    for piece in filter(None, text.split(",")):
        capacity, _, seconds = piece.partition(":")
        limit = Limit(int(capacity), int(seconds))
        if limit.capacity <= 0 or limit.seconds <= 0:
            raise ValueError(f"expected capacity:seconds, both above 0, got {piece!r}")
        limits.append(limit)
    return tuple(limits)


def check_limit(title: str, value: Any) -> None:
    """Of a tenant profile's member; `title` as in `Transport device messages`. Raises RuleBroken."""
    try:
        limits = read_limits(str(value or ""))
    except ValueError:
        raise RuleBroken(UNREADABLE, "ValidationException", 500, ErrorCode.GENERAL) from None
    if len({limit.seconds for limit in limits}) < len(limits):
        raise RuleBroken(f"Validation error: {title} rate limit has duplicate 'Per seconds' configuration.")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What there was in each of a text's buckets when they were looked at last."""

    text: str
    looked_at_us: int
    levels: tuple[float, ...]


class MessageLimits:
    """A bucket for each limit of whom it is for; what is taken is taken from all of a text's buckets, or from none."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._read: dict[str, tuple[Limit, ...]] = {}

    def take(self, limits: TenantLimits, device: Device, now_us: int, data_points: int = 0, behind: str = "") -> None:
        """Counts one message; `behind` is the id of the gateway that says it for the device. Raises TooManyMessages."""
        for whose, owner, rates in _counted(limits, device, behind):
            if not self._allows(whose + owner, rates, now_us, data_points):
                raise TooManyMessages(f"the {whose} may send {_said(rates, data_points)}, and has sent more")

    def _allows(self, owner: str, rates: RateLimits, now_us: int, data_points: int) -> bool:
        if data_points <= 0:
            return self._takes("messages", owner, rates.messages, now_us, 1)
        return self._takes("telemetry", owner, rates.telemetry_messages, now_us, 1) and self._takes(
            "data points", owner, rates.data_points, now_us, data_points
        )

    def _takes(self, what: str, owner: str, text: str, now_us: int, amount: int) -> bool:
        if not text:
            return True
        levels = self._filled(self._buckets.pop((what, owner), None), text, now_us)
        is_allowed = min(levels) >= amount
        left = tuple(level - amount for level in levels) if is_allowed else levels
        self._buckets[what, owner] = _Bucket(text, now_us, left)
        if len(self._buckets) > BUCKETS_KEPT:
            del self._buckets[next(iter(self._buckets))]
        return is_allowed

    def _filled(self, bucket: _Bucket | None, text: str, now_us: int) -> tuple[float, ...]:
        limits = self._limits(text)
        if bucket is None or bucket.text != text:
            return tuple(float(limit.capacity) for limit in limits)
        passed_s = max(now_us - bucket.looked_at_us, 0) / US_PER_S
        return tuple(
            min(limit.capacity, level + passed_s * limit.capacity / limit.seconds)
            for limit, level in zip(limits, bucket.levels, strict=True)
        )

    def _limits(self, text: str) -> tuple[Limit, ...]:
        if text not in self._read:
            self._read[text] = read_limits(text)
        return self._read[text]


def _counted(limits: TenantLimits, device: Device, behind: str) -> Iterator[tuple[str, str, RateLimits]]:
    """In the order in which the real server asks: what the tenant has left is gone when its device is refused."""
    yield "tenant", device.tenant_id, limits.tenant
    if behind:
        yield "gateway", behind, limits.gateway
    elif device.is_gateway:
        yield "gateway itself", device.id, limits.gateway_device
    else:
        yield "device", device.id, limits.device


def _said(rates: RateLimits, data_points: int) -> str:
    if data_points <= 0:
        return f"{rates.messages} messages:seconds"
    return f"{rates.telemetry_messages or 'any'} messages:seconds and {rates.data_points or 'any'} values:seconds"
