"""How much a tenant may send in its accounting period: months, days, the first one pro rata (spec 4.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.hono.state.data_volume import (
    accounted_bytes,
    count_message,
    exceeds_data_volume,
)
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.stores.memory import MemoryStore


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def tenant(least_bytes: int = 0, **volume: Any) -> Tenant:
    limits = {"data-volume": {"effective-since": "2026-01-11T00:00:00Z", "max-bytes": 310, **volume}} if volume else {}
    return Tenant("t", {"resource-limits": limits, "minimum-message-size": least_bytes}, "v", 0)


@pytest.fixture
def registry() -> Registry:
    return Registry(MemoryStore(), SeededEntropy(1), Settings())


@pytest.mark.parametrize(
    ("size", "least", "counted"), [(0, 4096, 0), (1, 4096, 4096), (4096, 4096, 4096), (4097, 4096, 8192), (7, 0, 7)]
)
def test_small_messages_count_as_larger_ones(size: int, least: int, counted: int) -> None:
    assert accounted_bytes(tenant(least), size) == counted


MONTHLY: dict[str, Any] = {"period": {"mode": "monthly"}}
UNLIMITED: dict[str, Any] = {**MONTHLY, "max-bytes": -1}
WEEKLY = {"period": {"mode": "days", "no-of-days": 7}}


@pytest.mark.parametrize(
    ("volume", "now", "most"),
    [
        (MONTHLY, "2026-01-20", 210),
        ({**MONTHLY, "effective-since": "2026-01-31T23:59:30Z"}, "2026-02-01", 310),
        ({**MONTHLY, "effective-since": "2026-01-16T12:00:00Z"}, "2026-01-17", 155),
        (MONTHLY, "2026-02-01", 310),
        ({**MONTHLY, "effective-since": "2025-12-15T00:00:00Z"}, "2026-01-01", 310),
        (WEEKLY, "2026-01-12", 310),
        (WEEKLY, "2026-03-01", 310),
    ],
    ids=[
        "the first month by its days",
        "the last minute",
        "by its minutes",
        "a whole month",
        "long since",
        "the first week",
        "a later week",
    ],
)
def test_how_much_may_be_sent(registry: Registry, volume: dict[str, Any], now: str, most: int) -> None:
    limited = tenant(**volume)
    assert exceeds_data_volume(registry, limited, most, at(now)) == ""
    assert f"{most} may be" in exceeds_data_volume(registry, limited, most + 1, at(now))
    count_message(registry, limited, most, at(now))
    assert exceeds_data_volume(registry, limited, 1, at(now)).startswith(f"{most} bytes were sent since 20")
    assert exceeds_data_volume(registry, limited, 0, at(now)) == "", "what is empty can always be sent"


@pytest.mark.parametrize(
    ("volume", "before", "after"), [(MONTHLY, "2026-01-31", "2026-02-01"), (WEEKLY, "2026-01-17", "2026-01-18")]
)
def test_a_new_period_begins_at_nothing(registry: Registry, volume: dict[str, Any], before: str, after: str) -> None:
    limited = tenant(**volume)
    count_message(registry, limited, 310, at(before))
    assert exceeds_data_volume(registry, limited, 300, at(before)) != ""
    assert exceeds_data_volume(registry, limited, 300, at(after)) == ""


@pytest.mark.parametrize("limited", [tenant(), tenant(**UNLIMITED)])
def test_without_a_limit_there_is_none(registry: Registry, limited: Tenant) -> None:
    count_message(registry, limited, 10**9, at("2026-06-01"))
    assert exceeds_data_volume(registry, limited, 10**9, at("2026-06-01")) == ""


def test_before_it_takes_effect_nothing_may_be_sent(registry: Registry) -> None:
    """As the real server calculates it."""
    assert "lets nothing pass before" in exceeds_data_volume(registry, tenant(**MONTHLY), 1, at("2026-01-10"))
