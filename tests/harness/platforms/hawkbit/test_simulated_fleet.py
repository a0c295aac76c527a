"""What the live table reads in hawkBit's messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hawkbit.simulated_fleet import READINGS, check_listed, consent_of
from fleetrig.harness.report.fleet_readings import NOTHING, Reading
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.flows.hawkbit.confirmation_policy import Consent

OK = HttpResponse(200)
BASE = "/DEFAULT/controller/v1/SIM-1"


def answer(document: object) -> HttpResponse:
    return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(document).encode())


def report(path: str, finished: str) -> HttpRequest:
    body = {"status": {"execution": "closed", "result": {"finished": finished}}}
    return HttpRequest("POST", "http://h", f"{BASE}{path}", (), json.dumps(body).encode())


@pytest.mark.parametrize(("status", "is_good"), [(200, True), (304, True), (400, False), (401, False), (503, False)])
def test_refusals_and_failures_are_no_good_answers(status: int, is_good: bool) -> None:
    assert READINGS.is_good("poll", HttpResponse(status, (), b"{}")) is is_good


@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>"])
def test_a_poll_that_is_answered_without_a_document_is_none(body: bytes) -> None:
    page = HttpResponse(200, (), body)
    assert not READINGS.is_good("poll", page)
    assert READINGS.word("poll", page) == "200 without a poll document"
    assert READINGS.is_good("configData", page)
    assert READINGS.word("configData", page) == "200"
    assert READINGS.word("poll", HttpResponse(200, (), b"{}")) == "200"


def test_a_poll_names_the_interval() -> None:
    document = {"config": {"polling": {"sleep": "00:01:30"}}}
    assert READINGS.read("poll", None, answer(document)) == Reading(interval_s=90)
    assert READINGS.read("poll", None, HttpResponse(304)) == NOTHING


def test_a_deployment_names_the_version() -> None:
    document = {"id": "7", "deployment": {"chunks": [{"version": "2.0"}, {"version": "1.0"}]}}
    assert READINGS.read("deploymentBase", None, answer(document)) == Reading(version="2.0")
    assert READINGS.read("deploymentBase", None, answer({})) == Reading(version="")


def test_attributes_count_once_they_are_accepted() -> None:
    assert READINGS.read("configData", None, OK).has_sent_attributes


@pytest.mark.parametrize(("finished", "passed"), [("success", True), ("failure", False)])
def test_the_last_report_of_an_update_says_how_it_ended(finished: str, passed: bool) -> None:
    path = "/deploymentBase/7/feedback"
    reading = READINGS.read("feedback-closed", report(path, finished), OK)
    assert reading == Reading(update=f"{BASE}{path}", update_passed=passed)


def test_the_end_of_a_cancel_is_no_update() -> None:
    assert READINGS.read("feedback-closed", report("/cancelAction/7/feedback", "success"), OK) == NOTHING
    assert READINGS.read("feedback-closed", report("/deploymentBase/7/feedback", "none"), OK) == NOTHING


def test_units_that_hawkbit_would_refuse() -> None:
    listed = [Unit("A", token="t", line=2), Unit("plant/7", token="t", line=3), Unit("B", line=5)]
    with pytest.raises(UsageError) as refused:
        check_listed(listed, Path("line.csv"), with_tokens=True)
    first, second = str(refused.value).splitlines()
    assert first.startswith("line.csv:3: hawkBit's URL firewall answers 400 to every request of a device called 'plan")
    assert second == "line.csv:5: B has no token; expected the columns serial and token"


def test_a_list_of_mistakes_ends() -> None:
    listed = [Unit(f"plant/{n}", token="t", line=n) for n in range(50)]
    with pytest.raises(UsageError, match=r"and 40 more lines of line\.csv") as refused:
        check_listed(listed, Path("line.csv"), with_tokens=False)
    assert len(str(refused.value).splitlines()) == 11


def test_what_devices_say_is_hawkbits_own_word() -> None:
    assert [consent_of(word, "--confirmation") for word in ("confirmed", "denied", "none")] == [*Consent, None]
    with pytest.raises(UsageError, match=r"--confirmation 'confirm': expected confirmed, denied or none"):
        consent_of("confirm", "--confirmation")
