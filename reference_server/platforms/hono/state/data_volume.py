"""How much a tenant's devices have sent in its accounting period (spec 4.5).

The real server asks Prometheus what was sent, and without one limits nothing. Here each tenant that has a limit has a
record of its period, written lazily: after a crash a little less may be counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.records import INSTALLATION, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.times import read_time, time_text
from fleetrig.reference_server.stores.interface import Kind
from fleetrig.simulator.contract.clock import US_PER_S

UNLIMITED: Final = -1
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
DAY_US: Final = 86_400 * US_PER_S


@dataclass(frozen=True, slots=True)
class DataVolume:
    tenant_id: str
    period_from_us: int
    sent_bytes: int


DATA_VOLUME: Final = Kind("hono.data_volume", DataVolume, lambda volume: volume.tenant_id)


def accounted_bytes(tenant: Tenant, payload_bytes: int) -> int:
    """Rounded up to a multiple of `minimum-message-size`; nothing stays nothing."""
    least = tenant.document.get("minimum-message-size") or 0
    return payload_bytes if least <= 0 else -(-payload_bytes // least) * least


def exceeds_data_volume(registry: Registry, tenant: Tenant, payload_bytes: int, now_us: int) -> str:
    """Why a message of that size is too much; empty when it is not."""
    limit = tenant.resource_limits.get("data-volume")
    more_bytes = accounted_bytes(tenant, payload_bytes)
    if limit is None or not more_bytes or not registry.traits.enforces_resource_limits:
        return ""
    most_bytes = limit.get("max-bytes", UNLIMITED)
    if most_bytes == UNLIMITED:
        return ""
    period = accounting_period(limit, now_us)
    if period is None:
        return f"the limit takes effect on {limit['effective-since']}, and the real server lets nothing pass before"
    allowed_bytes = ceil(most_bytes * period.share)
    sent_bytes = _sent(registry, tenant.tenant_id, period)
    if sent_bytes + more_bytes <= allowed_bytes:
        return ""
    return f"{sent_bytes} bytes were sent since {time_text(period.from_us)}, {allowed_bytes} may be"


def count_message(registry: Registry, tenant: Tenant, payload_bytes: int, now_us: int) -> None:
    """A message was accepted."""
    limit = tenant.resource_limits.get("data-volume")
    period = None if limit is None else accounting_period(limit, now_us)
    if period is None or not registry.traits.enforces_resource_limits:
        return
    sent_bytes = _sent(registry, tenant.tenant_id, period) + accounted_bytes(tenant, payload_bytes)
    volume = DataVolume(tenant.tenant_id, period.from_us, sent_bytes)
    registry.store.put(DATA_VOLUME, INSTALLATION, volume, lazily=True)


@dataclass(frozen=True, slots=True)
class AccountingPeriod:
    """`from_us`: when it has begun."""

    from_us: int
    share: Fraction = Fraction(1)
    """Of the limit: the first month counts by its minutes."""


def _sent(registry: Registry, tenant_id: str, period: AccountingPeriod) -> int:
    kept = registry.store.get(DATA_VOLUME, INSTALLATION, tenant_id)
    return kept.sent_bytes if kept is not None and kept.period_from_us == period.from_us else 0


def accounting_period(limit: Mapping[str, Any], now_us: int) -> AccountingPeriod | None:
    """The accounting period of now; None before the limit takes effect."""
    effective_us = read_time(limit["effective-since"])
    if now_us < effective_us:
        return None
    form = limit.get("period") or {}
    if form.get("mode", "monthly") == "days":
        length_us = form.get("no-of-days", 1) * DAY_US
        return AccountingPeriod(effective_us + (now_us - effective_us) // length_us * length_us)
    month = _date(now_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month_us = (month - EPOCH) // timedelta(microseconds=1)
    if effective_us < month_us:
        return AccountingPeriod(month_us)
    next_month = (month + timedelta(days=32)).replace(day=1)
    minutes = max(1, (next_month - _date(effective_us)) // MINUTE)
    return AccountingPeriod(effective_us, share=Fraction(minutes, (next_month - month) // MINUTE))


def _date(at_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=at_us)
