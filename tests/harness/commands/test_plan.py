"""`fleetrig plan`: what would be done, in words; nothing is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.checks.evaluators import FleetSnapshot
from fleetrig.harness.commands.plan import check_line, lines_of
from fleetrig.harness.scenario_file.platform_models import models_for
from tests.harness.command import PROJECT, fleetrig
from tests.harness.runs import HEAD, PASSES, expanded, write_scenario

WHOLE = """\
    needs: [hawkbit.fast_polling]
    faults: [{fault: latency, delay: 100ms}]
    phases:
      - name: first contact
        do: [preregister, power_on, {wait: 5s}]
        faults: [{fault: outage, shows_as: reset, for: 2s}]
        within: 10s
        expect:
          - order: [{sends: {name: poll}}, {reaches: {stage: online}}]
          - {registry: {in_state: registered}, severity: warning, cites: [hawkbit#S41]}
      - name: steady
        for: 1m
        expect: [{gap: {at_least: 1s, at_most: 2s}}]
"""

HAWKBIT = models_for("hawkbit")


def test_a_whole_scenario_step_by_step(tmp_path: Path) -> None:
    write_scenario(tmp_path, WHOLE)
    done = fleetrig("plan", "hawkbit/x", cwd=tmp_path)
    assert done.returncode == 0
    assert (
        done.stdout
        == """\
hawkbit/x
  It works
     needs   hawkbit.fast_polling
     server  hawkbit, with these settings of the tenant in force:
               pollingTime = 00:00:01
               authentication.targettoken.enabled = true
     devices 2 devices: HB-1, HB-2; over http with target token
             backoff fixed 1s; request timeout 10s
     faults  latency {delay: 100ms}
  1. first contact
     fault   outage {for: 2s, shows_as: reset}
     do      register all devices (1000 per request)
     do      switch on all devices
     do      let 5s pass
     wait    up to 10s until all of these hold
     expect  every device in this order
             1. sends poll
             2. reaches online
     expect  the server's records of all devices: in_state 'registered' (only a warning, hawkbit#S41)
  2. steady
     watch   for 60s
     expect  each device sends poll with at least 1 s and at most 2 s in between
"""
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scenarios"], "nothing was run"


def test_every_run_of_a_matrix_is_shown(tmp_path: Path) -> None:
    head = HEAD.replace("flow: hawkbit", 'flow: hawkbit, credential: "${credential}"')
    write_scenario(tmp_path, PASSES, head=head + "    matrix: {credential: [none, gateway_token]}\n")
    lines = fleetrig("plan", cwd=tmp_path).stdout.splitlines()
    assert [line for line in lines if line.startswith("hawkbit")] == [
        "hawkbit/x[credential=none]",
        "hawkbit/x[credential=gateway_token]",
    ]
    assert "               authentication.gatewaytoken.enabled = true" in lines
    assert "               authentication.gatewaytoken.key = (generated; the existing key on a shared server)" in lines
    assert "     devices 2 devices: HB-1, HB-2; over http without credentials" in lines


def test_a_tenant_that_is_left_as_it_is(tmp_path: Path) -> None:
    head = HEAD.replace("flow: hawkbit", "flow: hawkbit, credential: none").replace(
        '    server: {settings: {pollingTime: "00:00:01"}}\n', ""
    )
    write_scenario(tmp_path, PASSES, head=head)
    assert "     server  hawkbit, no tenant settings\n" in fleetrig("plan", cwd=tmp_path).stdout


CUT = HEAD + "    matrix: {cut: power_cut_points}\n"
CUT_BODY = PASSES.replace("power_on", '{power_on: {cut_at: "${cut}", off: 3s}}')


def test_power_cuts_are_not_listed_unless_one_is_named(tmp_path: Path) -> None:
    write_scenario(tmp_path, CUT_BODY, head=CUT)
    all_of_them = fleetrig("plan", cwd=tmp_path).stdout
    assert all_of_them.startswith("hawkbit/x[cut=power_cut_points]\n")
    how = "name one run as `hawkbit/x[cut=…]` to see it"
    assert f"     runs    one for each point at which power can be cut; {how}\n" in all_of_them

    one = fleetrig("plan", "hawkbit/x[cut=poll#1:sent]", cwd=tmp_path).stdout
    assert one.startswith("hawkbit/x[cut=poll#1:sent]\n")
    assert "     do      switch on all devices; cut the power of each once, at poll#1:sent, for 3s\n" in one


def test_secrets_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "very-secret-gateway-key")
    head = HEAD.replace("settings: {", "settings: {authentication.gatewaytoken.key: '${env:KEY}', ")
    write_scenario(tmp_path, PASSES, head=head)
    said = fleetrig("plan", cwd=tmp_path).stdout
    assert "authentication.gatewaytoken.key = secret:" in said
    assert "very-secret" not in said


def test_mistakes_and_ids_that_match_nothing(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES)
    assert fleetrig("plan", "hawkbit/y", cwd=tmp_path).returncode == 5
    write_scenario(tmp_path, PASSES.replace("within", "wihtin"))
    assert fleetrig("plan", cwd=tmp_path).returncode == 4


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (
            {"configure": {"pollingTime": "PT5S", "implicit.lock.enabled": True}},
            "set pollingTime = PT5S, implicit.lock.enabled = True",
        ),
        ({"preregister": {"only": "HB-1", "batch": 5, "name": "G {serial}"}},
         "register the devices HB-1 (5 per request), name 'G {serial}'"),
        ({"power_on": {"spread": "2s"}}, "switch on all devices, one by one over 2s"),
        ({"power_cut": {"only": "A*"}}, "cut the power of the devices A*"),
        ({"power_cycle": {"off": "1m"}}, "switch all devices off, and on again after 60s"),
        ({"deploy": {"version": "2", "size": "1MiB", "type": "soft", "before_contact": True}},
         "create version 2 (an image of 1 MiB) and assign it to all devices (soft), at once"),
        ({"deploy": {"version": "2", "size": "100B"}},
         ("create version 2 (an image of 100 bytes) and assign it to all devices (forced), "
         "once each of them has called")),
        ({"deploy": {"version": "2", "modules": [{"type": "os"}, {"type": "application", "files": 2, "size": "1MiB"}],
                     "window": {"opens_after": "10s"}, "confirmation_required": True}},
         ("create version 2 (os: 1 file of 64 KiB, application: 2 files of 1 MiB) and assign it to all devices, which "
          "are asked first (forced), once each of them has called; installed only in a window that opens 10s later for "
          "01:00:00")),
        ({"deploy": {"version": "2", "type": "timeforced", "force_after": "1m",
                     "window": {"schedule": "0 0 2 * * ?"}, "confirmation_required": False}},
         ("create version 2 (an image of 64 KiB) and assign it to all devices, which are not asked (forced after 60s), "
          "once each of them has called; installed only in windows of 01:00:00 at 0 0 2 * * ? (+00:00)")),
        ({"set_confirmation": {"only": "A*", "answer": "denied", "after": "5s"}},
         "let the devices A* deny updates after 5s; running devices restart"),
        ({"set_confirmation": {"auto_confirm": "activate"}},
         "let all devices tell the server to confirm updates by itself; running devices restart"),
        ("cancel", "ask the server to cancel the latest open action of all devices"),
        ({"cancel": {"version": "2"}}, "ask the server to cancel the deployment of version 2 of all devices"),
        ("delete", "delete the records of all devices on the server"),
        ({"rotate": {"what": "target_token"}},
         "replace the target token on the server; all devices are given the new one and restart"),
        ({"rotate": {"what": "gateway_token", "tell_device": False}},
         "replace the gateway token on the server; all devices keep the old one"),
        ({"set_attributes": {"attributes": {"hw": "2"}, "mode": "replace"}},
         "let all devices report hw = 2 (mode replace); running devices restart"),
        ({"set_attributes": {"attributes": {"a": "1", "c": "2"}, "mode": "remove"}},
         "remove attributes a, c on all devices; running devices restart"),
        ("request_attributes", "make the server ask all devices for their attributes"),
    ],
)  # fmt: skip
def test_actions_in_words(tree: Any, sentence: str) -> None:
    assert HAWKBIT.action.model_validate(tree).arguments.describe() == sentence


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"sends": {"name": "poll", "times": 1}}, "every device sends poll, exactly once"),
        ({"sends": {"name": "poll", "times": 0}}, "no device sends poll"),
        ({"receives": {"status": 401, "times": {"at_least": 2, "at_most": 4}}},
         "every device receives 401, 2 to 4 times"),
        ({"no_reply": {"name": "poll"}}, "every device gets no reply to poll, at least once"),
        ({"reaches": {"stage": "online"}}, "2 devices reach online"),
        ({"reaches": {"stage": "online", "devices": 1}}, "1 device reaches online"),
        ({"never": {"sends": {"path": "*/feedback"}}}, "no device sends */feedback"),
        ({"rate": {"at_most": 3}}, "all devices together: at most 3 polls in any 1 s"),
        ({"attempts": {"at_most": 3}}, "at most 3 consecutive failed polls of one device"),
        ({"refused": {"reason_has": "token"}}, "the server refuses with a reason like 'token', at least once"),
        ({"fault": {"kind": "outage", "times": 2}}, "fault outage is triggered exactly 2 times"),
        ({"registry": {"absent": True}}, "the server has no record of any device"),
        ({"registry": {"absent": True, "only": "A*"}}, "the server has no record of the devices A*"),
        ({"registry": {"devices": 2, "attributes": {"a": "1"}, "attribute_keys": ["a"]}},
         "the server's records of all devices: 2 records; attribute a = '1'; exactly the attributes a"),
        ({"registry": {"tokens_differ": True}}, "the server's records of all devices: all tokens distinct"),
        ({"record": {"passed": 1}},
         "the manufacturing record manufacturing-record.csv and .json is written, and 1 units passed"),
    ],
)  # fmt: skip
def test_checks_in_words(tree: Any, sentence: str) -> None:
    assert check_line(HAWKBIT.check.model_validate(tree), FleetSnapshot("", {"A": "", "B": ""})) == sentence


def test_what_devices_say_when_they_are_asked(tmp_path: Path) -> None:
    write_scenario(
        tmp_path, PASSES, head=HEAD.replace("count: 2", "count: 2, confirmation: {answer: denied, after: 5s}")
    )
    assert "request timeout 10s; they deny updates after 5s" in fleetrig("plan", cwd=tmp_path).stdout


def test_plan_says_who_stands_behind_a_gateway_and_what_goes_over_tls() -> None:
    said = fleetrig("plan", "hawkbit/gateway", "hawkbit/certificate", cwd=PROJECT).stdout
    assert "8 devices, 2 of them gateways with 3 behind each: GW-0001, GW-0001-1, GW-0001-2 …; over http" in said
    assert "3 devices: HB-0001, HB-0002, HB-0003; over https with certificate" in said
    assert "authentication.header.authority = (the authority of the run" in said


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        ("{requests_per_s: 40}", "capacity: 40 requests a second, the others wait"),
        (
            '{requests_per_s: 0.5, waiting: 2s, hits: "* */controller/*"}',
            "capacity: 0.5 requests a second, who would wait longer than 2s is turned away (* */controller/*)",
        ),
    ],
)
def test_a_capacity_in_words(tmp_path: Path, capacity: str, said: str) -> None:
    head = HEAD.replace("server: {", f"server: {{capacity: {capacity}, ")
    assert said in "\n".join(lines_of(expanded(tmp_path, PASSES, head=head)))
