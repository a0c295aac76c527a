"""A scenario as a fleet for the array engine; and in words, why it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.fleets.disruptions import disruption_of
from fleetrig.harness.fleets.translation import NotACohort, all_traits, fleet_model
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.model import Breaker, Budget, Cohort, FleetModel, RetryRule, ServerModel, Unanswered
from tests.harness.runs import expanded

S = 1_000_000
HEAD = """
    scenario: A fleet
    devices: {flow: hawkbit, count: 1000, serial: "HB-{n}", credential: gateway_token}
    server: {settings: {pollingTime: "00:05:00"}}
"""
PHASES = """
    phases: [{name: all, do: power_on, for: 1m, expect: [{rate: {at_most: 5000}}]}]
"""
KURA = """
    scenario: Gateways
    devices: {flow: kura, over: mqtt, count: 1000, serial: "KU-{n}", credential: password, shared_user: true,
              telemetry_messages: 0}
    server: {capacity: {requests_per_s: 500, hits: "CONNECT *"}}
"""


LOGINS = PHASES.replace("rate: {", "rate: {of: login, ")


def scenario(folder: Path, head: str = HEAD, phases: str = PHASES) -> Scenario:
    return expanded(folder, phases, head=head).scenario


def model(folder: Path, head: str = HEAD, phases: str = PHASES) -> FleetModel:
    return fleet_model(scenario(folder, head, phases), 7)


def test_a_polling_fleet(tmp_path: Path) -> None:
    found = model(tmp_path)

    assert found == FleetModel(
        (Cohort("hawkbit", 1_000, (300 * S, 300 * S), RetryRule(Policy.EQUAL_JITTER, S, 30 * S, S, 5 * S)),),
        ServerModel(),
        7,
    )


def test_the_device_spreads_its_polls(tmp_path: Path) -> None:
    [cohort] = model(tmp_path, HEAD.replace("gateway_token}", "gateway_token, poll_jitter: 0.1}")).cohorts

    assert cohort.interval_us == (300 * S, 330 * S)


def test_the_server_spreads_them_and_rounds_down_to_seconds(tmp_path: Path) -> None:
    [cohort] = model(tmp_path, HEAD.replace("00:05:00", "00:05:00~10%")).cohorts

    assert cohort.interval_us == (269_500_000, 329_500_000)


def test_what_a_server_can_do(tmp_path: Path) -> None:
    capacity = 'capacity: {requests_per_s: 40, waiting: 2s, retry_after: 7500ms, hits: "* */controller/*"}'
    found = model(tmp_path, HEAD.replace('"00:05:00"}}', f'"00:05:00"}}, {capacity}}}'))

    assert found.server == ServerModel(25_000, 2 * S, 7 * S)


def test_a_capacity_for_others_is_none_for_these(tmp_path: Path) -> None:
    capacity = 'capacity: {requests_per_s: 40, hits: "* /rest/*"}'

    assert model(tmp_path, HEAD.replace('"00:05:00"}}', f'"00:05:00"}}, {capacity}}}')).server == ServerModel()


def test_several_makes_and_what_they_add_to_their_policies(tmp_path: Path) -> None:
    makes = (
        "cohorts: [{name: old, share: 30%, timeout: 4s, "
        "backoff: {policy: fixed, base: 9s, budget: {share: 20%, burst: 4}}}, "
        "{name: new, share: 70%, poll_jitter: 0.5, backoff: {breaker: {after: 3, open: 1m, spread: 2m}}}]"
    )
    old, new = model(tmp_path, HEAD.replace("gateway_token}", f"gateway_token, {makes}}}")).cohorts

    assert (old.name, old.count, old.timeout_us, old.retry.budget) == ("old", 300, 4 * S, Budget(4_000, 200))
    assert (old.retry.policy, old.retry.base_us) == (Policy.FIXED, 9 * S)
    assert (new.name, new.count, new.interval_us) == ("new", 700, (300 * S, 450 * S))
    assert new.retry.breaker == Breaker(3, 60 * S, 120 * S)


def test_gateways_of_kura_wait_whole_seconds_and_then_keep_a_fixed_rate(tmp_path: Path) -> None:
    """`simulator/flows/kura/data_service.py`: 0 to 11 s, of which 0 is made 1; then 60 s from start to start."""
    [cohort] = model(tmp_path, KURA, LOGINS).cohorts

    assert cohort.is_connected
    assert cohort.waits_to_start
    assert cohort.retry == RetryRule(
        Policy.FIXED, 60 * S - 2_000, floor_us=S, honours_retry_after=False, first_us=(0, 12 * S), first_step_us=S
    )


def faults(folder: Path, fault: str, head: str = HEAD) -> Scenario:
    return scenario(folder, head, PHASES.replace("do: power_on", f"do: power_on, faults: [{fault}]"))


@pytest.mark.parametrize(
    ("fault", "answer", "more"),
    [
        ("{fault: outage, at: 5s, for: 20m}", Unanswered.REFUSED, {"begin_us": 13 * S, "end_us": 1_213 * S}),
        ("{fault: outage, shows_as: silence}", Unanswered.SILENT, {"begin_us": 8 * S}),
        ("{fault: overload, status: 429, retry_after: 60s}", Unanswered.TURNED_AWAY, {"retry_after_us": 60 * S}),
        ("{fault: overload, share: 0.25}", Unanswered.TURNED_AWAY, {"share_milli": 250}),
        ('{fault: latency, delay: 2s, hits: "GET *"}', None, {"latency_us": 2 * S}),
    ],
)
def test_a_fault_counts_from_its_phase(
    tmp_path: Path, fault: str, answer: Unanswered | None, more: dict[str, Any]
) -> None:
    found = faults(tmp_path, fault)
    disruption = disruption_of(found.phases[0].faults[0], 8 * S, all_traits(found))

    assert disruption is not None
    assert disruption.answer is answer
    assert disruption == replace(disruption, **more)


@pytest.mark.parametrize(("given", "asked_us"), [("0s", None), ("900ms", None), ("1900ms", S)])
def test_retry_after_has_whole_seconds_and_zero_says_nothing(tmp_path: Path, given: str, asked_us: int | None) -> None:
    found = faults(tmp_path, f"{{fault: overload, retry_after: {given}}}")
    disruption = disruption_of(found.phases[0].faults[0], 0, all_traits(found))
    capacity = HEAD.replace('"00:05:00"}}', f'"00:05:00"}}, capacity: {{requests_per_s: 5, retry_after: {given}}}}}')

    assert disruption is not None
    assert disruption.retry_after_us == model(tmp_path, capacity).server.retry_after_us == asked_us


def test_a_fault_for_others_is_none_for_these(tmp_path: Path) -> None:
    found = faults(tmp_path, '{fault: outage, hits: "POST *"}')

    assert disruption_of(found.phases[0].faults[0], 0, all_traits(found)) is None


def test_an_outage_takes_connections_away(tmp_path: Path) -> None:
    found = scenario(
        tmp_path, KURA, LOGINS.replace("do: power_on", "do: power_on, faults: [{fault: outage, for: 30s}]")
    )
    disruption = disruption_of(found.phases[0].faults[0], 0, all_traits(found))

    assert disruption is not None
    assert disruption.drops_connections


REASONS = {
    "the check registry looks at single messages, or asks the server": "expect: [{registry: {in_state: registered}}]",
    "the check rate is about some of the devices": 'expect: [{rate: {at_most: 5, only: "HB-1"}}]',
    "the check rate is about download, and the array engine counts": "expect: [{rate: {of: download, at_most: 5}}]",
    "the check reaches is about the stage updating": "expect: [{reaches: {stage: updating}}]",
    "the action configure works on the server": 'do: {configure: {pollingTime: "00:01:00"}}',
    "the action power_on is about some of the devices": 'do: {power_on: {only: "HB-?"}}',
    "cuts the power at a point of a device's program": 'do: {power_on: {cut_at: "poll#1:sent"}}',
    "the fault lost_reply needs the protocol": "faults: [{fault: lost_reply}]",
    "the fault outage ends after so many requests": "faults: [{fault: outage, times: 5}]",
    "the fault overload has a share of 0.00025": "faults: [{fault: overload, share: 0.00025}]",
    "status 304 is no refusal": "faults: [{fault: overload, status: 304}]",
    "after status 404 devices do more than to wait": "faults: [{fault: overload, status: 404}]",
}


@pytest.mark.parametrize("why", REASONS)
def test_what_only_the_exact_engine_can_do_is_said(tmp_path: Path, why: str) -> None:
    key, _, value = REASONS[why].partition(": ")
    given = {"do": "power_on", "expect": "[{rate: {at_most: 5000}}]", key: value}
    phase = ", ".join(f"{name}: {text}" for name, text in given.items())

    with pytest.raises(NotACohort) as told:
        model(tmp_path, HEAD, f"phases: [{{name: all, for: 1m, {phase}}}]")
    assert why in str(told.value)


DEVICES = {
    "credential: target_token": "credential: target_token",
    "devices stand behind gateways": "credential: gateway_token, children: 2",
    "asked before an update": "credential: gateway_token, confirmation: {answer: confirmed}",
}


@pytest.mark.parametrize("why", DEVICES)
def test_so_is_what_it_cannot_do_of_devices(tmp_path: Path, why: str) -> None:
    with pytest.raises(NotACohort) as told:
        model(tmp_path, HEAD.replace("credential: gateway_token", DEVICES[why]))
    assert why in str(told.value)


def test_two_draws_for_one_interval_are_one_too_many(tmp_path: Path) -> None:
    head = HEAD.replace("00:05:00", "00:05:00~10%").replace("gateway_token}", "gateway_token, poll_jitter: 0.1}")

    with pytest.raises(NotACohort, match=r"both pollingTime .* and poll_jitter spread the intervals"):
        model(tmp_path, head)


@pytest.mark.parametrize("text", ["00:00:02~24%", "00:00:01", "23:00:00~4%"])
def test_intervals_within_the_bounds_of_the_server_are_known(tmp_path: Path, text: str) -> None:
    assert model(tmp_path, HEAD.replace("00:05:00", text)).cohorts[0].has_rhythm


@pytest.mark.parametrize("text", ["00:00:02~49%", "00:00:00", "PT24H", "23:00:00~5%"])
def test_those_that_the_server_would_cut_off_or_refuse_are_not(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotACohort, match="not always between 1s and 86399s, the bounds of the server"):
        model(tmp_path, HEAD.replace("00:05:00", text))


SERVERS = {
    "authentication.gatewaytoken.enabled": '"00:05:00", authentication.gatewaytoken.enabled: false}}',
    "hawkbit.server.security.dos.filter.enabled": '"00:05:00"}, properties: '
    "{hawkbit.server.security.dos.filter.enabled: true}}",
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_may_refuse_them_is_for_the_exact_engine(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotACohort, match=f"server: {name} may change what devices are told"):
        model(tmp_path, HEAD.replace('"00:05:00"}}', SERVERS[name]))


def test_settings_about_updates_do_not_matter(tmp_path: Path) -> None:
    more = '"00:05:00", rollout.approval.enabled: true, authentication.gatewaytoken.enabled: true}}'
    assert model(tmp_path, HEAD.replace('"00:05:00"}}', more)).count == model(tmp_path, HEAD).count


@pytest.mark.parametrize("phase", ["do: power_on, for: 200h", "do: [power_on, {wait: 199h}], for: 1h"])
def test_what_takes_longer_than_keys_can_tell_is_said_before_it_runs(tmp_path: Path, phase: str) -> None:
    head = HEAD.replace("count: 1000", "count: 9000000")
    phases = f"phases: [{{name: all, {phase}, expect: [{{rate: {{at_most: 5000}}}}]}}]"
    with pytest.raises(NotACohort, match=r"9,000,000 devices can be simulated for 5\.4 days, not for 8\.3"):
        model(tmp_path, head, phases)
    assert model(tmp_path, head, phases.replace("200h", "20h").replace("199h", "19h")).count == 9_000_000


def test_devices_that_ask_without_a_pause_are_for_the_exact_engine(tmp_path: Path) -> None:
    head = """
    scenario: A loop
    devices: {flow: hono, over: http, count: 2, serial: "D-{n}", interval: 0s}
    """
    with pytest.raises(NotACohort, match="ask without a pause"):
        model(tmp_path, head, PHASES.replace("rate: {", "rate: {of: telemetry, "))


def test_a_capacity_that_tells_requests_apart_is_for_the_exact_engine(tmp_path: Path) -> None:
    head = HEAD.replace("gateway_token}", 'gateway_token, attributes: {hw: "2"}}').replace(
        '"00:05:00"}}', '"00:05:00"}, capacity: {requests_per_s: 5, hits: "GET *"}}'
    )

    with pytest.raises(NotACohort, match=r"server.capacity hits 'GET \*', which tells some requests"):
        model(tmp_path, head)
