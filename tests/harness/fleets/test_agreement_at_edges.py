"""Power that fails, connections that end and answers that come too late find devices in the middle of something: the
array engine says of it what the exact engine says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.verdict import Report, Verdict
from tests.harness.fleets.test_agreement import on, said
from tests.harness.runs import expanded

HAWKBIT = """
    scenario: Devices that poll
    devices: {flow: hawkbit, count: 20, serial: "D-{n}", credential: gateway_token, backoff: {policy: fixed, base: 3s}}
    server: {settings: {pollingTime: "00:00:10"}}
"""
HONO = """
    scenario: Devices that hold a connection
    devices: {flow: hono, over: mqtt, count: 20, serial: "D-{n}", interval: 10s, timeout: 15s,
              backoff: {policy: fixed, base: 3s}}
    server: {capacity: {requests_per_s: RATE}}
"""
THINGSBOARD = """
    scenario: Devices that provision themselves
    devices: {flow: thingsboard, over: OVER, count: 20, serial: "D-{n}", interval: 10s, timeout: 2s,
              backoff: {policy: fixed, base: 3s}}
    server: {settings: {provisionType: ALLOW_CREATE_NEW_DEVICES}, capacity: {requests_per_s: RATE}}
"""
POWER = """
    phases:
      - name: all are there
        do: {power_on: {spread: 1s}}
        for: 20s
        expect: [{reaches: {stage: online}}]
      - name: whose power fails is not there until it is back
        do: {power_cycle: {off: 3s}}
        within: 60s
        expect: [{reaches: {stage: online}}]
      - name: who has polled has been there
        do: [{wait: 12s}, power_cut]
        for: 5s
        expect: [{reaches: {stage: online}}]
"""
CUT_FOR_GOOD = """
    phases:
      - name: all are there
        do: {power_on: {spread: 1s}}
        for: 20s
        expect: [{reaches: {stage: online}}]
      - name: nobody is
        do: power_cut
        for: 20s
        expect: [{reaches: {stage: online, devices: 1}}]
"""
LOST_WHILE_WAITING = """
    phases:
      - name: the connection ends while most wait for their login
        do: {power_on: {spread: 0s}}
        faults: [{fault: outage, at: 3s, for: 10s}]
        for: 5s
        expect: [{time_to_online: {p50: 5s}}]
"""
LOST_IN_AN_ACTION = """
    phases:
      - name: all are there
        do: {power_on: {spread: 1s}}
        for: 20s
        expect: [{reaches: {stage: online}}]
      - name: the connection ends while the director waits
        do: {wait: 5s}
        faults: [{fault: outage, at: 2s, for: 30s}]
        for: 1s
        expect: [{reaches: {stage: backing_off}}]
      - name: all come back
        for: 60s
        expect: [{time_to_online: {p50: 50s}}, {rate: {at_most: 1000, of: "*", curve: true}}]
"""
CYCLES_WITHOUT_A_SERVER = """
    phases:
      - name: power fails three times before anybody was let in
        faults: [{fault: outage, for: 35s}]
        do: [{power_on: {spread: 1s}}, {wait: 10s}, {power_cycle: {off: 1s}}, {wait: 10s}, {power_cycle: {off: 1s}}]
        for: 10s
        expect: [{reaches: {stage: backing_off}}]
      - name: each says what it has to say once
        for: 30s
        expect: [{rate: {of: telemetry, at_most: 1000, curve: true}}]
"""
FIRST_CONTACT = """
    phases:
      - name: the fleet starts
        do: {power_on: {spread: 1s}}
        for: 60s
        expect: [{time_to_online: {at_most: 60s}}]
"""
CASES = {
    "power": (HAWKBIT, POWER, Verdict.PASSED),
    "cut_for_good": (HAWKBIT, CUT_FOR_GOOD, Verdict.FAILED),
    "lost_while_waiting": (HONO.replace("RATE", "3"), LOST_WHILE_WAITING, Verdict.FAILED),
    "lost_in_an_action": (HONO.replace("RATE", "50.3"), LOST_IN_AN_ACTION, Verdict.PASSED),
    "cycles": (HONO.replace("RATE", "50.3"), CYCLES_WITHOUT_A_SERVER, Verdict.PASSED),
}


def both(folder: Path, head: str, phases: str) -> tuple[Report, Report]:
    flow = head.split("flow: ")[1].split(",")[0]
    one = expanded(folder, phases, f"{flow}/x", head)
    return on("exact", one), on("cohort", one)


@pytest.mark.parametrize("case", CASES)
def test_both_engines_say_the_same(tmp_path: Path, case: str) -> None:
    head, phases, verdict = CASES[case]
    exact, cohort = both(tmp_path, head, phases)

    assert exact.verdict is verdict
    assert said(cohort) == said(exact)


@pytest.mark.parametrize("over", ["http", "mqtt"])
@pytest.mark.parametrize(("rate", "verdict"), [("500", Verdict.PASSED), ("5", Verdict.FAILED)])
def test_who_never_saw_its_credentials_stays_outside(tmp_path: Path, over: str, rate: str, verdict: Verdict) -> None:
    """ThingsBoard provisions a name once: with five requests a second most answers come after two seconds."""
    exact, cohort = both(tmp_path, THINGSBOARD.replace("OVER", over).replace("RATE", rate), FIRST_CONTACT)

    assert (exact.verdict, cohort.verdict) == (verdict, verdict)


def test_who_names_nothing_gets_in_with_another_name(tmp_path: Path) -> None:
    head = THINGSBOARD.replace("over: OVER", "over: http, names_itself: false").replace("RATE", "5")
    exact, cohort = both(tmp_path, head, FIRST_CONTACT)

    assert (exact.verdict, cohort.verdict) == (Verdict.PASSED, Verdict.PASSED)


def test_who_has_provisioned_itself_is_not_online_yet(tmp_path: Path) -> None:
    phases = FIRST_CONTACT.replace("time_to_online: {at_most: 60s}", "reaches: {stage: online}").replace("1s", "0s")
    _, cohort = both(tmp_path, THINGSBOARD.replace("OVER", "http").replace("RATE", "1000"), phases)

    (measured,) = [check.measured for check in cohort.phases[0].checks]
    # 20 provision themselves in 20 ms, and wait their turn once more.
    assert measured == "20 devices after 0.023 s to 0.042 s"
