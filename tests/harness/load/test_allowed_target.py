"""Only this machine and private networks are loaded without being asked for twice."""

from __future__ import annotations

import pytest

from fleetrig.harness.load.allowed_target import check_target
from fleetrig.harness.servers.address import is_near
from fleetrig.simulator.contract.errors import UsageError


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "::1", "fd00::1", "fe80::1%eth0"]
)
def test_near(address: str) -> None:
    assert is_near(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2600::1"])
def test_far(address: str) -> None:
    assert not is_near(address)


def test_a_name_counts_by_all_its_addresses() -> None:
    with pytest.raises(UsageError, match=r"update\.example\.com \(2600::1\).*--yes-this-host"):
        check_target(["https://update.example.com"], is_allowed=False, resolve=lambda host: ["10.0.0.1", "2600::1"])


def test_all_listeners_count() -> None:
    with pytest.raises(UsageError, match="broker"):
        check_target(
            ["http://127.0.0.1:8080", "broker.example.com:1883"],
            is_allowed=False,
            resolve=lambda host: ["127.0.0.1"] if host == "127.0.0.1" else ["8.8.8.8"],
        )


def test_whoever_says_so_may() -> None:
    check_target(["https://update.example.com"], is_allowed=True, resolve=lambda host: ["8.8.8.8"])
