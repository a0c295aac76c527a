"""Gateways: several controllerIds over one connection, with one token and one plug."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers import power_cycle, virtual
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.bench_fixture import MODELS, BenchFixture
from tests.harness.command import fleetrig
from tests.harness.runs import run_once

KEY = "a-gateway-key-of-32-characters!!"
HEAD = """
    scenario: Gateways
    devices: {flow: hawkbit, count: 2, children: 2, serial: "GW-{n}", credential: gateway_token, interval: 1s,
              backoff: {policy: fixed, base: 1s}}
    server: {settings: {pollingTime: "00:00:01"}}
"""
POLLS = """
    phases:
      - name: they poll
        do: power_on
        for: 4s
        expect:
          - sends: {name: poll, times: {at_least: 3}}
          - registry: {devices: 6, in_state: registered}
"""


@pytest.fixture
def bench(tmp_path: Path) -> BenchFixture:
    return BenchFixture(tmp_path, count=2, serial="GW-{n}", children=2, credential="gateway_token")


def on(bench: BenchFixture) -> list[str]:
    return [serial for serial, device in bench.context.devices.items() if device.agent.is_on]


def test_children_are_devices_with_names_of_their_own(bench: BenchFixture) -> None:
    assert list(bench.context.devices) == ["GW-1", "GW-1-1", "GW-1-2", "GW-2", "GW-2-1", "GW-2-2"]
    credentials = {device.credential for device in bench.context.devices.values()}
    assert len(credentials) == 1, "one token for all"
    bench.do("power_on")
    bench.wait(2)
    assert bench.ask("registry", devices=6, in_state="registered") is None


@pytest.mark.parametrize("only", ["GW-1", "GW-1-2", "GW-1*"])
def test_whoever_is_named_a_gateway_has_one_plug(bench: BenchFixture, only: str) -> None:
    bench.do("power_on", only=only)
    bench.wait(1)
    assert on(bench) == ["GW-1", "GW-1-1", "GW-1-2"]
    bench.do("power_cycle", only=only, off="1s")
    assert on(bench) == []
    bench.wait(2)
    assert on(bench) == ["GW-1", "GW-1-1", "GW-1-2"]
    bench.do("power_cut", only=only)
    assert on(bench) == []


def cut_and_restarted(bench: BenchFixture) -> set[str]:
    bench.do("configure", pollingTime="00:00:01")
    bench.do("power_on", only="GW-1", cut_at="poll#2:sent", off="1s")
    bench.wait(5)
    return {serial for serial in bench.context.devices if len(bench.seen("power_on", serial)) == 2}


def test_a_cut_hits_all_behind_the_gateway_at_once(bench: BenchFixture) -> None:
    assert cut_and_restarted(bench) == {"GW-1", "GW-1-1", "GW-1-2"}
    assert {serial: len(bench.seen("power_cut", serial)) for serial in ("GW-1-1", "GW-2")} == {"GW-1-1": 1, "GW-2": 0}
    assert bench.ask("registry", only="GW-1*", devices=3, in_state="registered") is None


def test_children_with_plugs_of_their_own_would_be_seen(bench: BenchFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "behind_same", lambda *_: [])
    assert cut_and_restarted(bench) == {"GW-1"}
    monkeypatch.setattr(virtual, "behind_same", power_cycle.behind_same)


def devices_by_session(trace: Path) -> dict[int, set[str]]:
    """Which devices asked over which connection, as the server saw it."""
    found: dict[int, set[str]] = defaultdict(set)
    for line in trace.read_text().splitlines():
        event = json.loads(line)
        if event.get("lane") == "server" and event.get("kind") == "received" and event.get("device"):
            found[event["session"]].add(event["device"])
    return found


@pytest.mark.slow
def test_all_behind_a_gateway_share_its_connection(tmp_path: Path) -> None:
    report = run_once(tmp_path, POLLS, head=HEAD, real_time=True, trace=tmp_path / "t.jsonl")
    assert report.verdict is Verdict.PASSED
    assert report.devices == 6
    connections = sorted(map(sorted, devices_by_session(tmp_path / "t.jsonl").values()))
    assert connections == [["GW-1", "GW-1-1", "GW-1-2"], ["GW-2", "GW-2-1", "GW-2-2"]]


@pytest.mark.slow
def test_devices_without_a_gateway_do_not(tmp_path: Path) -> None:
    alone = HEAD.replace("count: 2, children: 2", "count: 3")
    run_once(tmp_path, POLLS.replace("6", "3"), head=alone, real_time=True, trace=tmp_path / "t.jsonl")
    assert [len(devices) for devices in devices_by_session(tmp_path / "t.jsonl").values()] == [1, 1, 1]


def devices_of(**given: Any) -> Devices:
    tree = {"scenario": "x", "devices": {"flow": "hawkbit", **given}, "phases": [{"name": "a", "for": "1s"}]}
    found: Devices = MODELS.scenario.model_validate(tree).devices
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"children": 2, "credential": "certificate"}, "can show one certificate only"),
        ({"children": 2, "external": True}, "a program of yours speaks for one device"),
        ({"children": 100_000, "serial": "GW"}, "at most 100,000 devices"),
        ({"children": 99, "count": 2_000, "serial": "GW-{n}"}, "at most 100,000 devices"),
        ({"external": True, "credential": "certificate"}, "a program of yours is given tokens only"),
        ({"children": -1}, "greater than or equal to 0"),
        ({"children": "2"}, "valid integer"),
    ],
)
def test_devices_that_cannot_be_are_a_mistake(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        devices_of(**given)


def test_a_listed_gateway_keeps_its_attributes_to_itself(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("serial,token,line\nA,t,7\n")
    tree = {"scenario": "x", "devices": {"flow": "hawkbit", "csv": "units.csv", "children": 1},
            "phases": [{"name": "a", "for": "1s"}]}  # fmt: skip
    units = list(MODELS.scenario.model_validate(tree, context={"folder": tmp_path}).devices.units())
    assert [(unit.serial, unit.gateway, dict(unit.attributes)) for unit in units] == [
        ("A", "A", {"line": "7"}),
        ("A-1", "A", {}),
    ]


async def configured(url: str, **settings: object) -> None:
    def call() -> AdminCall[None]:
        yield from HawkbitAdmin(url, UserPassword("admin", "admin")).configure(settings)

    async with RealBench(Trace()) as bench:
        await bench.run(call())


@pytest.mark.slow
def test_a_simulation_counts_every_device(
    tmp_path: Path, empty_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "a-gateway-key-of-32-characters!!")
    settings = {
        "authentication.gatewaytoken.enabled": True,
        "authentication.gatewaytoken.key": "a-gateway-key-of-32-characters!!",
    }
    asyncio.run(configured(empty_server.url, **settings))
    usual = ("simulate", "hawkbit", "--against", empty_server.url, "--for", "3s", "--spread", "0.1s", "--count", "2")
    done = fleetrig(*usual, "--children", "4", "--gateway-token", "env:GATEWAY_TOKEN", cwd=tmp_path)
    assert "10 of 10 devices came through" in done.stdout + done.stderr
    without = fleetrig(*usual, "--children", "4", cwd=tmp_path)
    assert "give --gateway-token env:NAME" in without.stderr
