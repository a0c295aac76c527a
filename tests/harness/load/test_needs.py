"""What a run needs is said before it starts, and too little of it is refused with a way out."""

from __future__ import annotations

import pytest

from fleetrig.harness.load.needs import HostLimits, LoadNeeds, limits_here
from fleetrig.simulator.contract.errors import BrokenBench

USUAL = HostLimits(files=1_048_576, ports=28_232)


def test_the_sentence_names_ports_addresses_and_files() -> None:
    assert LoadNeeds(31_000, 1, USUAL).sentence() == (
        "31,000 devices need 31,000 ports: 2 source addresses with 28,232 each; 31,128 open files"
    )
    assert LoadNeeds(1, 1, USUAL).sentence() == ("1 device needs 1 port: 1 source address with 28,232; 129 open files")
    assert "15,628 open files in each process" in LoadNeeds(31_000, 2, USUAL).sentence()


def test_on_loopback_addresses_are_taken_as_needed() -> None:
    assert LoadNeeds(31_000, 1, USUAL).sources((), is_loopback=True) == ("127.0.0.1", "127.0.0.2")
    assert LoadNeeds(1_000, 1, USUAL).sources((), is_loopback=True) == ()


def test_elsewhere_they_have_to_be_given() -> None:
    needs = LoadNeeds(31_000, 1, USUAL)
    with pytest.raises(BrokenBench, match="--source-address"):
        needs.sources((), is_loopback=False)
    with pytest.raises(BrokenBench, match="name more"):
        needs.sources(("10.0.0.1",), is_loopback=False)

    assert needs.sources(("10.0.0.1", "10.0.0.2"), is_loopback=False) == ("10.0.0.1", "10.0.0.2")


def test_too_few_files_are_refused_with_the_largest_fleet_that_fits() -> None:
    needs = LoadNeeds(40_000, 1, HostLimits(files=20_000, ports=64_000))

    with pytest.raises(BrokenBench, match=r"limit here is 20,000: .* at most 19,872 devices"):
        needs.sources((), is_loopback=True)


def test_more_processes_need_fewer_files_each() -> None:
    assert LoadNeeds(40_000, 4, HostLimits(files=20_000, ports=64_000)).sources((), is_loopback=True) == ()


def test_this_machine_has_limits() -> None:
    assert limits_here().files > 0
    assert limits_here().ports > 0
