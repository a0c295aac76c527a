"""A scenario that uses everything, read, written and read again; and what its values become."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleetrig.harness.platforms.hawkbit.words import Configure, Deploy
from fleetrig.harness.scenario_file.action_words import PowerOn, Wait
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.check_words import Order, Reaches, Registry, Sends
from fleetrig.harness.scenario_file.measure_words import Gap
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.scenario_file.words import NeutralCheck
from fleetrig.harness.verdict import Severity
from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.client_policies import CLIENT_POLICIES, RealClient
from fleetrig.simulator.contract.delivery import Ending, Framing
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.units import duration_s, duration_text, size_bytes, size_text
from fleetrig.simulator.stages import Stage

Read = Callable[[str], ScenarioFile]

RICH = """
scenario: Everything that a file can say
cites: [hawkbit#S41, thingsboard/mqtt#provisioning-topics]
tags: [smoke, slow]
needs: [hawkbit.admin, reference.faults]
params: {fleet: 20, version: "1.0", model: "a b", checks: [{reaches: {stage: online}}]}
matrix: {credential: [target_token, certificate], cut: power_cut_points}
devices:
  count: "${fleet}"
  flow: hawkbit
  over: http
  serial: "HB-{n:04d}"
  credential: "${credential}"
  model: "x ${model} y"
  hw_revision: "2"
  attributes: {hw: 2, beta: true, ratio: 1.5, name: "${model}"}
  attributes_mode: replace
  confirmation: {answer: confirmed, after: 1m, auto_confirm: activate}
  start_spread: 1m
  backoff: {policy: full_jitter, base: 500ms, cap: 2m, floor: 100ms, retry_after_spread: 1s, honours_retry_after: false}
  install_time: 0.5s
  timeout: 5s
server:
  platform: hawkbit
  settings: {pollingTime: "00:00:05", maintenanceWindowPollCount: 3, user.confirmation.flow.enabled: false}
  properties: {hawkbit.controller.minPollingTime: "00:00:01"}
faults:
  - {fault: outage, hits: "GET */controller/*", at: 10s, for: 1m, share: 0.5, times: 3, shows_as: reset}
  - {fault: overload, status: 429, retry_after: 5s}
  - {fault: latency, delay: 2s}
  - {fault: truncated_body, after: 1KiB}
  - {fault: lost_reply, hits: "POST *", shows_as: silence}
  - {fault: rewrite, status: 203, headers: {Date: now, ETag: null}, set: {a.b: 1, c: null, d: [x, {y: 2}]},
     unseen: [Range]}
  - {fault: rewrite, body: ""}
  - {fault: moved, below: /elsewhere, status: 307}
  - {fault: framing, framed: chunked}
  - {fault: dripping, bytes_per_s: 100}
boards:
  gateway: {type: acme-gw2, offers: [power, wifi], device: HB-0001}
phases:
  - name: make ready
    do:
      - configure: {authentication.targettoken.enabled: true}
      - preregister: {only: "HB-00*", batch: 10, name: "Gateway {serial}", description: test, type: gateway,
                      create_type: true, account: line}
      - power_on: {spread: 10s, cut_at: "${cut}", off: 3s}
      - power_cut: {only: HB-0001}
      - power_cycle
      - wait: 5s
      - deploy: {version: "${version}", size: 4KiB, type: soft, to: "HB-*", before_contact: true}
      - cancel: {version: "${version}"}
      - rollout: {version: "2.1", groups: 2, to: "HB-*"}
      - move_rollout: {version: "2.1", move: next_group}
      - delete: {only: HB-0002}
      - rotate: {what: gateway_token, tell_device: false}
      - retire_authorities
      - set_attributes: {attributes: {hw: 3}, mode: merge}
      - set_confirmation: {only: "HB-*", answer: denied, after: 30s, code: 7, details: [not now]}
      - request_attributes
  - name: see everything
    do: {wait: 1s}
    within: 30s
    faults: [{fault: outage}]
    expect:
      - sends: {name: poll, method: GET, path: "*/controller/*", header: {Authorization: "TargetToken *"}, times: 3}
      - receives: {name: "feedback-*", status: 410, body_has: {a.b: 1, c: null}, times: {at_least: 1, at_most: 2}}
      - no_reply: {name: poll, times: {at_most: 9}}
      - order: [{sends: {name: poll}}, {receives: {status: 200}}, {no_reply: {name: poll}}, {reaches: {stage: online}}]
      - never: {sends: {name: configData}}
      - reaches: {stage: backing_off, devices: 5}
      - registry: {devices: 20, in_state: in_sync, attributes: {hw: 3}, attribute_keys: [hw], action: finished}
      - registry: {open_actions: 1, created_by: admin, installed: "1.0", assigned: "1.0", tokens_differ: true,
                   name: "Gateway {serial}", type: gateway}
      - registry: {only: HB-0002, absent: true}
        severity: warning
        cites: [hawkbit#S21]
  - name: watch numbers
    for: 1h
    expect:
      - gap: {between: poll, at_least: 5s, at_most: 7s}
      - rate: {of: poll, at_most: 20, per: 1s}
      - attempts: {of: poll, at_most: 8}
      - answered_within: {of: poll, p50: 1s, p99: 5s, stop: true}
      - errors: {at_most: 1%, stop: true}
      - errors: {of: poll, at_most: 3}
      - dropped: {at_most: 0.5%}
      - time_to_online: {p50: 5s, p99: 20s, at_most: 1m}
      - spread: {of: poll, peak_at_most: 3, per: 2s, over: 10s, first: true}
      - backs_off: {of: poll, by: 2}
      - jitter: {of: poll, at_least: 0.1}
      - refused: {reason_has: token, times: 2}
      - steps: {in_order: [credentials_found, registration_asserted]}
      - fault: {kind: outage, times: {at_least: 1}}
      - record: {file: units, passed: 19}
      - keeps_running
      - keeps_secrets: {only: HB-0001}
      - one_address
      - answered_within: {p99: 5s}
      - follows_model: {tolerance: strict, only: HB-0001}
  - name: with boards
    do:
      - flash: {board: gateway, image: {size: 4KiB}, fails: protected}
      - shell: [{run: uname, expect: Linux, status: any, within: 5s, board: gateway}, "true"]
      - reset: {board: gateway}
      - unplug: {for: 2s, during: top}
      - provision_over_console: {cut_after: 100B}
      - bring_up: {units: {gateway: HB-0001}, image: {gateway: b}, to: flashed, again: true, records: made}
      - line_faults: {faults: [{fault: drop, way: from_board, every: 4KiB, most: 2, length: 3B}]}
      - make_gateway_update: {build: b}
    within: 1s
    expect:
      - prints: {board: gateway, line: "^READY", times: 2}
      - unit: {board: gateway, verdict: failed, reason_has: protected}
  - {name: last, for: 1s, expect: "${checks}"}
"""


@pytest.fixture
def rich(read: Read) -> Scenario:
    return read(RICH).fill({"credential": "certificate", "cut": "poll#1:sent"})


def test_it_can_be_written_and_read_again(rich: Scenario, tmp_path: Path) -> None:
    written = rich.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"params", "matrix"})
    copy = tmp_path / "copy.yaml"
    copy.write_text(json.dumps(written))

    again = read_scenario(copy, "copy").fill({})

    assert again.model_dump(exclude={"params", "matrix"}) == rich.model_dump(exclude={"params", "matrix"})


def test_every_word_is_in_the_rich_scenario(rich: Scenario) -> None:
    """So that the round trip forgets none."""
    done = {action.word for phase in rich.phases for action in phase.do}
    expected = {check.word for phase in rich.phases for check in phase.expect}

    assert done == set(type(rich.phases[0].do[0]).model_fields)
    assert expected == set(NeutralCheck.model_fields) - NeutralCheck.beside


def test_values_are_filled_in_and_keep_their_type(rich: Scenario) -> None:
    devices = rich.devices

    assert (devices.count, devices.credential, devices.model) == (20, "certificate", "x a b y")
    assert devices.attributes == {"hw": "2", "beta": "true", "ratio": "1.5", "name": "a b"}
    assert rich.phases[-1].expect[0].arguments == Reaches(stage=Stage.ONLINE)


def test_words_hold_their_arguments_in_units(rich: Scenario) -> None:
    configure, _, power_on, _, _, wait, deploy, *_ = (action.arguments for action in rich.phases[0].do)

    assert isinstance(configure, Configure)
    assert configure.values == {"authentication.targettoken.enabled": True}
    assert isinstance(power_on, PowerOn)
    assert (power_on.spread_s, power_on.cut_at, power_on.off_s) == (10.0, CutPoint("poll", 1, "sent"), 3.0)
    assert isinstance(wait, Wait)
    assert wait.for_s == 5.0
    assert isinstance(deploy, Deploy)
    assert (deploy.size_bytes, deploy.type) == (4096, "soft")


def test_checks_hold_their_arguments_and_what_stands_beside_them(rich: Scenario) -> None:
    checks = rich.phases[1].expect
    sends, order, absent = checks[0].arguments, checks[3].arguments, checks[8]

    assert isinstance(sends, Sends)
    assert sends.times == Times(at_least=3, at_most=3)
    assert isinstance(order, Order)
    assert [step.word for step in order.steps] == ["sends", "receives", "no_reply", "reaches"]
    assert isinstance(absent.arguments, Registry)
    assert (absent.severity, absent.cites) == (Severity.WARNING, ("hawkbit#S21",))
    assert checks[0].severity is Severity.ERROR
    gap = rich.phases[2].expect[0].arguments
    assert isinstance(gap, Gap)
    assert (gap.between, gap.at_least_s, gap.at_most_s) == ("poll", 5.0, 7.0)


def test_actions_and_checks_know_their_line(rich: Scenario) -> None:
    lines = RICH.lstrip("\n").split("\n")

    for action in rich.phases[0].do:
        assert lines[action.line - 1].strip().startswith(f"- {action.word}")
    for check in (*rich.phases[1].expect, *rich.phases[2].expect):
        assert lines[check.line - 1].strip().startswith(f"- {check.word}")


def test_faults_become_those_of_the_fault_plan(rich: Scenario) -> None:
    assert [line.to_fault() for line in rich.faults] == [
        Fault(FaultKind.OUTAGE, "GET */controller/*", 10.0, 60.0, 0.5, 3, Ending.RESET),
        Fault(FaultKind.OVERLOAD, parameters={"status": 429, "retry_after_s": 5.0}),
        Fault(FaultKind.LATENCY, parameters={"delay_s": 2.0}),
        Fault(FaultKind.TRUNCATED_BODY, parameters={"after_bytes": 1024}),
        Fault(FaultKind.LOST_REPLY, "POST *", shows_as=Ending.SILENCE),
        Fault(
            FaultKind.REWRITE,
            parameters={
                "status": 203,
                "headers": {"Date": "now", "ETag": None},
                "set_values": {"a.b": 1, "c": None, "d": ["x", {"y": 2}]},
                "unseen": ["Range"],
            },
        ),
        Fault(FaultKind.REWRITE, parameters={"body": ""}),
        Fault(FaultKind.MOVED, parameters={"below": "/elsewhere", "status": 307}),
        Fault(FaultKind.FRAMING, parameters={"framed": Framing.CHUNKED}),
        Fault(FaultKind.DRIPPING, parameters={"bytes_per_s": 100.0}),
    ]


def test_the_backoff_becomes_the_devices(rich: Scenario) -> None:
    assert rich.devices.backoff.to_backoff() == Backoff(Policy.FULL_JITTER, 0.5, 120.0, 0.1, 1.0, False)


def test_budget_breaker_and_first_delay_become_the_devices() -> None:
    words = {"first": ["0s", "1m"], "budget": {"share": "12.5 %", "burst": 4}, "breaker": {"open": "2m"}}
    line = BackoffLine.model_validate(words)
    assert line.to_backoff() == Backoff(
        Policy.EQUAL_JITTER, 1.0, 30.0,
        first_s=(0.0, 60.0), budget=RetryBudget(0.125, 4), breaker=CircuitBreaker(after=5, open_s=120.0),
    )  # fmt: skip
    assert BackoffLine.model_validate(line.model_dump(mode="json", by_alias=True)) == line


def test_a_client_becomes_its_policy() -> None:
    line = BackoffLine.model_validate({"client": "paho_python"})
    assert line.to_backoff() == CLIENT_POLICIES[RealClient.PAHO_PYTHON].backoff


def test_it_knows_where_it_comes_from(rich: Scenario) -> None:
    assert (rich.id, rich.path, rich.platform) == ("some/topic", Path("x.yaml"), "hawkbit")


def test_devices_are_counted_or_listed(read: Read) -> None:
    head = "scenario: x\ndevices: {flow: hawkbit, %s}\nphases: [{name: a, for: 1s}]\n"
    Path("u.csv").write_text("token,serial,line\n,A,1\nsecret,B,2\n")

    counted = read(head % 'count: 3, serial: "X{n:02d}"').fill({}).devices
    listed = read(head % "csv: u.csv").fill({}).devices

    assert [unit.serial for unit in counted.units()] == ["X01", "X02", "X03"]
    assert list(listed.units()) == [Unit("A", None, {"line": "1"}), Unit("B", "secret", {"line": "2"})]
    assert "secret" not in repr(list(listed.units()))


def test_paths_are_relative_to_the_file(write: Callable[..., Path]) -> None:
    write("serial\nA\n", "topic/units/u.csv")
    path = write(
        "scenario: x\ndevices: {flow: hawkbit, csv: units/u.csv}\nphases: [{name: a, for: 1s}]\n", "topic/x.yaml"
    )

    assert read_scenario(path, "x").fill({}).devices.csv == Path("topic/units/u.csv")


def test_models_cannot_be_changed(rich: Scenario) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        rich.devices.count = 3  # type: ignore[misc]


def test_secrets_come_from_the_environment_and_are_known(read: Read) -> None:
    text = """
    scenario: x
    params: {key: "${env:KEY}"}
    devices: {flow: hawkbit}
    server:
      settings: {authentication.gatewaytoken.key: "${key}", authentication.header.authority: "${env:KEY}-${env:OTHER}"}
    phases: [{name: a, for: 1s}]
    """
    environ = {"KEY": "k3y", "OTHER": "0ther", "UNUSED": "x"}

    (run,) = expand(read(text), environ=environ)

    assert run.scenario.server.settings.values == {
        "authentication.gatewaytoken.key": "k3y",
        "authentication.header.authority": "k3y-0ther",
    }
    assert run.secrets == {"k3y", "0ther"}
    assert "k3y" not in run.name


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("0s", 0.0), ("30s", 30.0), ("1.5m", 90.0), ("1h", 3600.0), ("0.25s", 0.25)]
)
def test_times(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
    assert duration_s(duration_text(seconds)) == seconds


def test_how_often() -> None:
    assert [Times(at_least=1).allows(n) for n in (0, 1, 9)] == [False, True, True]
    assert [Times(at_least=1, at_most=2).allows(n) for n in (0, 2, 3)] == [False, True, False]
    assert [str(one) for one in (Times(at_least=1), Times(at_least=2, at_most=2), Times(at_most=3))] == [
        "at least 1",
        "exactly 2",
        "at most 3",
    ]


@pytest.mark.parametrize(
    ("serial", "last"),
    [
        ("HB-{n}", "HB-300"),
        ("HB-{n:d}", "HB-300"),
        ("{n:04d}", "0300"),
        ("de:ad:be:ef:00:{n:02x}", "de:ad:be:ef:00:12c"),
        ("{n:04X}", "012C"),
        ("{n:012x}", "00000000012c"),
        ("schön@{n:x}+%2F", "schön@12c+%2F"),
    ],
)
def test_serials_are_numbered_in_decimals_or_like_a_mac(read: Read, serial: str, last: str) -> None:
    file = read(
        f"scenario: x\ndevices: {{flow: hawkbit, count: 300, serial: '{serial}'}}\nphases: [{{name: a, for: 1s}}]\n"
    )
    assert [unit.serial for unit in file.fill({}).devices.units()][-1] == last


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (100, "100B"), (1024, "1KiB"), (1536, "1536B"), (100 << 10, "100KiB"), (1 << 30, "1GiB")],
)
def test_sizes_are_written_in_the_largest_unit(size: int, text: str) -> None:
    assert size_text(size) == text
    assert size_bytes(text) == size


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0s"), (0.001, "1ms"), (0.0005, "0.0005s"), (1.5, "1.5s")])
def test_times_below_a_second_are_milliseconds(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
    assert duration_s(text) == seconds
