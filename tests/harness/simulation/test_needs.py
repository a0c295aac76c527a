"""What a fleet needs of this machine, said before it starts."""

from __future__ import annotations

import pytest

from fleetrig.harness.load.needs import HostLimits
from fleetrig.harness.simulation.needs import connections_of, needs_text
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.effects import Flow

LIMITS = HostLimits(files=100_000, ports=28_232)


def nothing(*_: object) -> Flow:
    yield from ()


def test_a_small_fleet_needs_no_word():
    assert needs_text(20, LIMITS) == ""


def test_a_large_fleet_says_ports_and_files():
    expected = "5,000 devices need 5,000 ports: 1 source address with 28,232; 5,128 open files"
    assert needs_text(5_000, LIMITS) == expected


def test_more_devices_than_ports_are_refused_with_what_can_be_done():
    with pytest.raises(BrokenBench, match=r"simulate at most 26,820, or take a scenario and `fleetrig load`"):
        needs_text(30_000, LIMITS)


def test_those_behind_a_gateway_share_its_connection():
    agents = [Agent(DeviceIdentity(name, gateway=gateway), nothing) for name, gateway in (
        ("G", "G"), ("G-1", "G"), ("G-2", "G"), ("A", ""),
    )]  # fmt: skip
    assert connections_of(agents) == 2
