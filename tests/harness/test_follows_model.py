"""`follows_model`: our own devices always do, and devices that leave their model are found where they leave it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.verdict import CheckResult, Report, Verdict
from tests.harness import broken_devices, broken_hono_devices, broken_kura_devices, broken_thingsboard_devices
from tests.harness import deviating_devices as deviating
from tests.harness.broken_devices import Change
from tests.harness.runs import run_once

SCENARIOS = Path(__file__).parents[2] / "scenarios"
HAWKBIT = """
    scenario: A device follows its model
    devices: {flow: hawkbit, serial: HB-1, install_time: 1s, attributes: {a: b}, backoff: {policy: fixed, base: 4s}}
    server: {settings: {pollingTime: "00:00:05"}}
    phases:
      - name: installs
        do: [preregister, power_on, {deploy: {version: "1.0", size: 4KiB}}]
        for: 40s
        expect: [follows_model]
"""
REFUSED = """
    scenario: A device follows its model
    devices: {flow: hawkbit, serial: HB-1, credential: wrong_target_token, interval: 5s}
    phases:
      - name: is refused
        do: [preregister, power_on]
        for: 40s
        expect: [follows_model]
"""
BUDGET = """
    scenario: A device follows its model
    devices: {flow: hono, over: http, serial: HN-1, interval: 30s, credential: wrong_password, refused_tries: 100,
              backoff: {policy: fixed, base: 4s, first: [1s, 2s], budget: {burst: 2}}}
    phases:
      - name: is refused
        do: [preregister, power_on]
        for: 200s
        expect: [follows_model]
"""
BREAKER = """
    scenario: A device follows its model
    devices: {flow: hawkbit, serial: HB-1, credential: wrong_target_token, interval: 5s,
              backoff: {policy: fixed, base: 4s, breaker: {after: 3, open: 60s, spread: 10s}}}
    phases:
      - name: is refused
        do: [preregister, power_on]
        for: 200s
        expect: [follows_model]
"""
THINGSBOARD = """
    scenario: A device follows its model
    devices: {flow: thingsboard, over: mqtt, serial: TB-1, interval: 5s}
    phases:
      - name: provisions itself
        do: power_on
        for: 60s
        expect: [follows_model]
"""
HONO = """
    scenario: A device follows its model
    devices: {flow: hono, over: mqtt, serial: HN-1, interval: 5s, credential: password}
    phases:
      - name: sends
        do: [preregister, power_on]
        for: 60s
        expect: [follows_model]
"""
KURA = """
    scenario: A device follows its model
    devices: {flow: kura, over: mqtt, serial: KU-1, interval: 5s, credential: bootstrap}
    phases:
      - name: provisions itself
        do: power_on
        for: 60s
        expect: [follows_model]
"""
NAMES = {THINGSBOARD: "thingsboard/x", HONO: "hono/x", BUDGET: "hono/x", KURA: "kura/x"}
UNTOLD = (
    "thingsboard/nameless", "hono/clones", "hono/expired", "hono/psk", "hono/strangers[over=coap", "kura/clones",
    "kura/two_connections",
)  # fmt: skip
"""Devices that do not say who they are, so that nobody can tell whose a message is, and those of which a server is told
nothing: by handshakes that fail, or since they know by themselves that they shall not come."""
LONG = frozenset(
    {"thingsboard/boot_storm", "hono/factory_line", "kura/factory_line", "kura/reconnect_storm", "kura/reconnect_law"}
)
DEVIATIONS = [
    (HAWKBIT, deviating.skips_attributes, "poll GET", "configData"),
    (HAWKBIT, deviating.never_closes, "deploymentBase GET", "feedback-closed"),
    (HAWKBIT, deviating.skips_the_document_of_progress, "download GET", "feedback-proceeding"),
    (HAWKBIT, deviating.reports_before_it_downloads, "feedback-downloaded POST", "download GET"),
    (HAWKBIT, deviating.names_another_action, "feedback-proceeding POST", "deploymentBase/1/feedback"),
    (HAWKBIT, deviating.names_another_tenant, "poll GET /default/", "path /DEFAULT/"),
    (HAWKBIT, deviating.reports_failure, "feedback-closed POST", "status.result.finished success, not failure"),
    (HAWKBIT, deviating.downloads_twice, "download GET", "feedback-downloaded"),
    (HAWKBIT, deviating.polls_too_fast, "poll GET", "not before 5.000 s"),
    (HAWKBIT, deviating.falls_silent, "nothing for 4", "poll within 5.000 s"),
    (HAWKBIT, deviating.shows_no_token, "deploymentBase GET", "header:Authorization"),
    (HAWKBIT, deviating.closes_twice, "feedback-closed POST", "poll GET"),
    (HAWKBIT, broken_devices.ignores_sleep, "poll GET", "not before 5.000 s"),
    (HAWKBIT, broken_devices.takes_files_on_trust, "", ""),
    (HAWKBIT, deviating.hears_nothing, "poll GET", "configData"),
    (REFUSED, broken_devices.hot_retry, "poll GET", "not before 5.000 s"),
    (BUDGET, deviating.knows_no_budget, "telemetry POST", "not before 30.000 s"),
    (BREAKER, deviating.knows_no_breaker, "poll GET", "not before 60.000 s"),
    (BREAKER, deviating.knows_no_budget, "", ""),
    (THINGSBOARD, broken_thingsboard_devices.talks_too_early, "telemetry PUBLISH", "hang-up DISCONNECT"),
    (THINGSBOARD, deviating.publishes_before_it_asks, "telemetry PUBLISH", "provision-request PUBLISH"),
    (THINGSBOARD, deviating.subscribes_to_nothing, "provision-request PUBLISH", "provision-subscribe"),
    (THINGSBOARD, broken_thingsboard_devices.asks_twice, "provision-request PUBLISH", "hang-up DISCONNECT"),
    (THINGSBOARD, broken_thingsboard_devices.stays, "nothing for", "hang-up within"),
    (THINGSBOARD, broken_thingsboard_devices.sends_no_key, "provision-request PUBLISH", "body:provisionDeviceKey"),
    (THINGSBOARD, broken_thingsboard_devices.every_second, "", ""),
    (HONO, broken_hono_devices.falls_silent, "nothing for", "telemetry within"),
    (HONO, broken_hono_devices.says_it_twice, "telemetry PUBLISH", "telemetry (not before"),
    (HONO, broken_hono_devices.another_name, "login CONNECT", "user_name"),
    (HONO, broken_hono_devices.waits_for_nothing, "", ""),
    (KURA, broken_kura_devices.small_letters, "login CONNECT", "user_name"),
    (KURA, broken_kura_devices.asks_before_it_listens, "provision-request PUBLISH", "provision-subscribe SUBSCRIBE"),
    (KURA, deviating.confirms_twice, "provision-confirm PUBLISH", "hang-up DISCONNECT"),
    (KURA, deviating.never_confirms, "nothing for 45", "within 0.000 s"),
    (KURA, deviating.is_never_born, "telemetry PUBLISH", "birth PUBLISH"),
    (KURA, deviating.measures_twice, "telemetry PUBLISH", "telemetry (not before 5.000 s"),
    (KURA, deviating.measures_nothing, "nothing for", "telemetry within"),
    (KURA, broken_kura_devices.without_a_will, "", ""),
]
"""Scenario, device, what came (nothing: it follows its model here), and a part of what was permitted."""


def judged(folder: Path, body: str, change: Change) -> tuple[Report, CheckResult]:
    name = NAMES.get(body, "hawkbit/x")
    report = run_once(folder, "", name=name, head=body, behaviour=change)
    check = next(check for check in report.phases[0].checks if check.title == "follows_model")
    return report, check


@pytest.mark.parametrize(
    ("body", "change", "came", "permitted"), DEVIATIONS, ids=[f"{n}-{row[2]}" for n, row in enumerate(DEVIATIONS)]
)
def test_a_device_is_found_where_it_leaves_its_model(
    body: str, change: Change, came: str, permitted: str, tmp_path: Path
) -> None:
    _, check = judged(tmp_path, body, change)
    if not came:
        assert check.verdict is Verdict.PASSED, check
        return
    assert check.finding is not None, check
    assert check.finding.got.startswith(came)
    assert permitted in check.finding.expected
    assert 1 <= len(check.finding.evidence) <= 6
    if body == KURA and permitted.startswith("telemetry"):
        return  # no row of Kura speaks of when a gateway measures
    assert check.finding.clause.startswith(("hawkbit#V", "thingsboard#D", "hono#D", "kura#G"))


OWN = {"hawkbit": HAWKBIT, "refused": REFUSED, "budget": BUDGET, "breaker": BREAKER,
       "thingsboard": THINGSBOARD, "hono": HONO, "kura": KURA}  # fmt: skip
TOLERANCES = [
    (name, how) for name in OWN for how in ("messages", "tolerant", "strict") if (name, how) != ("kura", "strict")
]
"""A gateway says in BIRTH how long it has been on, which nobody else can know to the millisecond."""


@pytest.mark.parametrize(("device", "tolerance"), TOLERANCES)
def test_our_own_device_follows_its_model_at_every_tolerance(device: str, tolerance: str, tmp_path: Path) -> None:
    body = OWN[device]
    head = body.replace("[follows_model]", f"[{{follows_model: {{tolerance: {tolerance}}}}}]")
    name = NAMES.get(body, "hawkbit/x")
    report = run_once(tmp_path, "", name=name, head=head)
    assert report.verdict is Verdict.PASSED, report
    (check,) = report.phases[0].checks
    assert check.measured.endswith("of 1 device followed")


def test_messages_alone_say_nothing_of_times_and_fields(tmp_path: Path) -> None:
    head = HAWKBIT.replace("[follows_model]", "[{follows_model: {tolerance: messages}}]")
    for change in (deviating.polls_too_fast, deviating.reports_failure):
        assert run_once(tmp_path, "", head=head, behaviour=change).verdict is Verdict.PASSED


def test_a_stored_trace_says_what_was_found(tmp_path: Path) -> None:
    report, check = judged(tmp_path, HAWKBIT, deviating.never_closes)
    again, _ = replay(Path(report.trace_file), tmp_path / "scenarios")
    assert again.verdict is Verdict.FAILED
    (found,) = (one for one in again.phases[0].checks if one.title == "follows_model")
    assert check.finding is not None
    assert found.finding is not None
    assert check.finding.got in found.finding.got


def with_check(expanded: Expanded, tolerance: str) -> Expanded:
    """The same run, whose last phase asks for it too."""
    scenario = expanded.scenario
    check = models_for(scenario.platform).check.model_validate({"follows_model": {"tolerance": tolerance}})
    last = scenario.phases[-1].model_copy(update={"expect": (*scenario.phases[-1].expect, check)})
    return replace(expanded, scenario=scenario.model_copy(update={"phases": (*scenario.phases[:-1], last)}))


def diverged(expanded: Expanded, folder: Path, *, real_time: bool) -> list[object]:
    options = RunOptions(results=folder, real_time=real_time)
    report = asyncio.run(run(with_check(expanded, "tolerant"), options))
    assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.FAILED), report
    checks = [check for phase in report.phases for check in phase.checks if check.title.startswith("follows_model")]
    assert checks or report.verdict is Verdict.SKIPPED
    return [check.finding for check in checks if check.finding is not None]


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["hawkbit", "thingsboard", "hono", "kura"])
def test_our_own_devices_follow_their_model(platform: str, tmp_path: Path) -> None:
    """In every fourth run of a scenario; `make soak` has all."""
    follow_their_model(platform, tmp_path, every=4)


def follow_their_model(platform: str, tmp_path: Path, every: int) -> None:
    told = [one for one in plan([platform], SCENARIOS) if not one.name.startswith(UNTOLD)]
    runs = [one for one in told if one.scenario.id not in LONG][::every]
    assert len(runs) * every > 30
    assert {one.name: found for one in runs if (found := diverged(one, tmp_path, real_time=False))} == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "hawkbit/cut_download",
        "hawkbit/token_rotation",
        "hawkbit/cancelled_before_install",
        "thingsboard/credentials",
        "thingsboard/gateway",
        "thingsboard/lost_reply",
        "hono/gateway",
        "hono/tenant_disabled",
    ],
)
def test_our_own_devices_follow_their_model_over_sockets(name: str, tmp_path: Path) -> None:
    runs = plan([name], SCENARIOS)
    assert {one.name: found for one in runs if (found := diverged(one, tmp_path, real_time=True))} == {}
