"""`preregister`: target types, and the account of the manufacturing line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.run.cleanup import RunCleanup
from fleetrig.harness.run.context import build_devices
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest
from tests.harness.bench_fixture import BenchFixture
from tests.harness.runs import run_once

PREFIX = "fleetrig-ab12cd-"


@pytest.fixture
def bench(tmp_path: Path) -> BenchFixture:
    return BenchFixture(tmp_path)


def shared(bench: BenchFixture) -> BenchFixture:
    """The context believes that its server is used by others too."""
    bench.context.server = replace(bench.context.server, is_own=False)
    bench.context.prefix = PREFIX
    bench.context.devices.clear()
    build_devices(bench.context)
    return bench


def type_names(bench: BenchFixture) -> list[str]:
    return list(bench.run(bench.admin.target_types()))


def asked_with(bench: BenchFixture, account: Any) -> list[str]:
    """What was asked of the server with an account."""
    requests = [event.envelope for event in bench.events if isinstance(event.envelope, HttpRequest)]
    return [one.line for one in requests if one.header("Authorization") == account.authorization]


def test_a_type_that_is_there_is_used_and_stays(bench: BenchFixture) -> None:
    bench.run(bench.admin.create_target_type("gateway"))
    bench.do("preregister", type="gateway", create_type=True)
    assert bench.target("HB-1")["targetTypeName"] == "gateway"
    assert bench.ask("registry", type="gateway", devices=2) is None
    assert type_names(bench) == ["gateway"]


def test_a_type_that_is_not_there_is_a_mistake_with_the_nearest_name(bench: BenchFixture) -> None:
    bench.run(bench.admin.create_target_type("gateway"))
    with pytest.raises(BrokenBench, match=r"no target type 'gatway'; did you mean 'gateway'\?.*create_type: true"):
        bench.do("preregister", type="gatway")
    assert bench.target("HB-1") is None


def test_the_check_tells_types_apart(bench: BenchFixture) -> None:
    bench.do("preregister", type="gateway", create_type=True)
    finding = bench.ask("registry", type="sensor")
    assert finding is not None
    assert "type 'sensor'" in finding.expected
    assert finding.got.startswith("'gateway'")


def test_a_device_without_a_type_is_found(bench: BenchFixture) -> None:
    bench.do("preregister")
    finding = bench.ask("registry", type="sensor")
    assert finding is not None
    assert finding.got.startswith("None")


def test_a_column_of_the_list_wins_over_the_words(tmp_path: Path, bench: BenchFixture) -> None:
    (tmp_path / "units.csv").write_text("serial,token,type,name\nA-1,secret-1,gateway,Roof {serial}\nA-2,,,\n")
    bench.do("preregister", csv=str(tmp_path / "units.csv"), type="sensor", create_type=True, name="Unit {serial}")
    found = {serial: bench.target(serial) for serial in ("A-1", "A-2")}
    assert [one["targetTypeName"] for one in found.values()] == ["gateway", "sensor"]
    assert [one["name"] for one in found.values()] == ["Roof A-1", "Unit A-2"]


LISTED = """
    scenario: A list with types
    devices: {flow: hawkbit, csv: units.csv}
"""
REGISTERS = """
    phases:
      - name: registered and asked
        do: [{preregister: {create_type: true}}, power_on]
        within: 10s
        expect:
          - registry: {only: A-1, type: gateway, attributes: {line: "7"}, attribute_keys: [line]}
          - registry: {only: A-2, attribute_keys: [line]}
          - {registry: {only: A-2, type: gateway}, severity: warning}
"""


def test_a_column_of_the_fleets_list_counts_too_and_is_no_attribute(tmp_path: Path) -> None:
    (tmp_path / "scenarios" / "hawkbit").mkdir(parents=True)
    (tmp_path / "scenarios" / "hawkbit" / "units.csv").write_text("serial,type,line\nA-1,gateway,7\nA-2,,7\n")
    report = run_once(tmp_path, REGISTERS, head=LISTED)
    verdicts = [check.verdict for check in report.phases[0].checks]
    assert verdicts == [Verdict.PASSED, Verdict.PASSED, Verdict.WARNED], report


def test_on_a_shared_server_made_types_carry_the_prefix_and_go(bench: BenchFixture) -> None:
    bench.run(bench.admin.create_target_type("theirs"))
    shared(bench)
    bench.do("preregister", only="HB-1", type="theirs", create_type=True)
    bench.do("preregister", only="HB-2", type="ours", create_type=True)
    assert bench.target(f"{PREFIX}HB-2")["targetTypeName"] == f"{PREFIX}ours"
    assert bench.ask("registry", only="HB-2", type="ours") is None
    assert bench.ask("registry", only="HB-1", type="theirs") is None

    assert bench.run(RunCleanup(bench.context).run()) == ""
    assert type_names(bench) == ["theirs"]


def test_clean_up_asks_for_no_types_when_none_were_made(bench: BenchFixture) -> None:
    """An account may not be allowed to read them."""
    shared(bench)
    bench.do("preregister")
    assert bench.run(RunCleanup(bench.context).run()) == ""
    assert not [line for line in asked_with(bench, bench.admin) if "targettypes" in line]


def test_the_line_creates_targets_and_nothing_else(bench: BenchFixture) -> None:
    """Types are the operator's business; so is everything that reads."""
    line = bench.context.server.line
    bench.do("preregister", account="line", type="gateway", create_type=True, batch=1)
    bench.do("power_on")
    bench.do("deploy", version="1.0")
    assert bench.ask("registry", devices=2, created_by="line", type="gateway") is None
    assert asked_with(bench, line) == ["POST /rest/v1/targets"] * 2
    assert "POST /rest/v1/targettypes" in asked_with(bench, bench.admin)
    assert "POST /rest/v1/targets" not in asked_with(bench, bench.admin)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/targets/HB-1"),
        ("GET", "/targets?limit=1"),
        ("PUT", "/targets/HB-1"),
        ("DELETE", "/targets/HB-1"),
        ("GET", "/system/configs"),
        ("POST", "/targettypes"),
    ],
)
def test_the_account_of_the_line_may_do_nothing_else(bench: BenchFixture, method: str, path: str) -> None:
    bench.do("preregister", account="line")
    body = None if method in ("GET", "DELETE") else [{"name": "x"}] if method == "POST" else {"name": "x"}
    with pytest.raises(BrokenBench, match=r"403.*the account 'line' lacks a right for this"):
        bench.run(bench.context.server.line.call(method, path, body))  # type: ignore[union-attr]


def test_the_line_sees_no_tokens_and_needs_none(bench: BenchFixture) -> None:
    bench.do("preregister", account="line")
    tokens = set(bench.hawkbit.tokens.values())
    answers = [
        event.envelope
        for event in bench.events
        if event.kind == "sent" and event.device == "" and getattr(event.envelope, "status", 0) == 201
    ]
    assert not any(token in body_bytes(one.body).decode() for one in answers for token in tokens)  # type: ignore[union-attr]
    assert bench.target("HB-1")["securityToken"] in tokens


def test_a_server_whose_line_has_no_account_says_what_to_write(bench: BenchFixture) -> None:
    bench.context.server = replace(bench.context.server, line=None)
    with pytest.raises(BrokenBench, match=r"add line \(user, password\) to its SERVER.yaml"):
        bench.do("preregister", account="line")
