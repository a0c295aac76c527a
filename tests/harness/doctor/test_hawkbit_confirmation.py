"""A target whose update waits for its device's word: said with the cause and the remedy, which works."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from fleetrig.harness.doctor.diagnosis import Admission
from fleetrig.harness.platforms.hawkbit.doctor.confirmation import waiting_in
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from tests.harness.doctor.conftest import Doctor, Server, flat
from tests.harness.doctor.facts_builder import LET_IN, answer, given, names, target_token

FLOW = "/system/configs/user.confirmation.flow.enabled"
ASKED = {"_links": {"confirmationBase": {"href": "http://h/DEFAULT/controller/v1/gw-17/confirmationBase/120?c=-5"}}}


def polled(document: object) -> Any:
    body = {"config": {"polling": {"sleep": "00:05:00"}}, **(document if isinstance(document, dict) else {})}
    return answer(200, json.dumps(body).encode(), Content_Type="application/hal+json")


def test_the_poll_shows_it() -> None:
    page = judge(given(target_token(), polled(ASKED)))
    assert page.outcome is Admission.LET_IN
    (one,) = [one for one in page.diagnoses if one.name == "waits-for-confirmation"]
    assert "Action 120 of gw-17 waits" in one.cause
    assert "/rest/v1/targets/gw-17/actions/120/confirmation" in "\n".join(one.command)


def test_the_account_shows_it() -> None:
    assert "waits-for-confirmation" in names(judge(given(target_token(), LET_IN, waits="7")), notes=True)


@pytest.mark.parametrize(
    "links", [{}, {"_links": 5}, {"_links": {"confirmationBase": []}}, {"_links": {"confirmationBase": {"href": 7}}}]
)
def test_nothing_waits(links: dict[str, Any]) -> None:
    assert "waits-for-confirmation" not in names(judge(given(target_token(), polled(links))), notes=True)


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        ({"content": [{"id": 3, "status": "finished"}, {"id": 2, "status": "wait_for_confirmation"}]}, "2"),
        ({"content": [{"id": 3, "status": "pending", "detailStatus": "wait_for_confirmation"}]}, "3"),
        ({"content": [{"id": 3, "status": "running"}]}, ""),
        ({"content": 5}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_actions_of_both_generations(actions: object, found: str) -> None:
    assert waiting_in(actions) == found


def assigned(server: Server) -> int:
    """An update for gw-17, which is asked first; its action."""
    module = server.mgmt("POST", "/softwaremodules", [{"name": "fw", "version": "1", "type": "os"}]).json()[0]["id"]
    body = [{"name": "fw", "version": "1", "type": "os", "modules": [{"id": module}]}]
    chosen = server.mgmt("POST", "/distributionsets", body).json()[0]["id"]
    done = server.mgmt("POST", f"/distributionsets/{chosen}/assignedTargets", [{"id": "gw-17"}]).json()
    return int(done["assignedActions"][0]["id"])


@pytest.mark.slow
def test_the_remedy_works(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")
    server.configure(target=True)
    assert server.mgmt("PUT", FLOW, {"value": True}).status == 204
    try:
        action = assigned(server)
    finally:
        server.mgmt("DELETE", FLOW)
    code, page = doctor(server.url, "--target-token", "env:TOKEN")
    assert code == 0
    assert f"Action {action} of gw-17 waits until the device confirms it" in flat(page)
    command = re.search(r"curl (?s:.*?)confirmation'?\n", page)
    assert command is not None
    text = command[0].replace("127.0.0.1:PPPPP", server.url.removeprefix("http://"))
    subprocess.run(["sh", "-c", text.replace("-u admin", "-u admin:admin -s -f")], check=True, timeout=30)
    assert server.mgmt("GET", f"/targets/gw-17/actions/{action}").json()["status"] == "running"
