"""Cancels, before, during and after an installation, and actions that vanish: rows V21, V22 and V26."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.simulator.effects import Apply
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from tests.simulator.flows.played import BASE, URL, Played, cancel, deployment, polled

LONG = HawkbitSettings(URL, install_s=20.0)
OFFERED = polled("00:00:05", deploymentBase="deploymentBase/12?c=1")
CANCELLED = polled("00:00:05", cancelAction="cancelAction/12")


def installing(settings: HawkbitSettings = LONG) -> Played:
    """A device in the middle of its installation, at the poll that it makes meanwhile."""
    device = Played(settings)
    device.poll(OFFERED)
    device.reply(200, deployment())
    device.until("apply")
    for _ in range(5):
        assert isinstance(device.effect, Apply)
        device.done()
    assert device.name == "poll"
    return device


def said(device: Played) -> tuple[str, str, str]:
    """Where the report goes, and what it says."""
    status = device.body["status"]
    return device.request.url.removeprefix(BASE + "/"), status["execution"], status["result"]["finished"]


def test_v21_a_cancel_before_anything_was_done() -> None:
    device = Played()
    device.poll(CANCELLED)
    assert device.request.url == f"{BASE}/cancelAction/12"
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")
    device.reply()
    assert device.name == "pause-poll-interval"
    assert "apply" not in device.log


def test_v21_a_cancel_while_the_window_is_closed() -> None:
    device = Played()
    device.poll(OFFERED)
    device.reply(200, deployment(update="skip", window="unavailable"))
    device.until("poll")
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")


def test_v21_a_cancel_during_a_long_download() -> None:
    device = Played()
    device.poll(OFFERED)
    device.reply(200, deployment(files=2))
    device.until("download")
    device.no_reply()
    device.done(after_s=6.0)
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")
    device.until("poll")
    assert "apply" not in device.log
    assert "feedback-downloaded" not in device.log


def test_v21_the_last_look_before_the_installation() -> None:
    device = Played(HawkbitSettings(URL, install_s=1.0, install_stops=False))
    device.poll(OFFERED, after_s=6.0)
    device.reply(200, deployment())
    device.reply()
    device.poll(OFFERED)
    device.downloaded()
    device.reply(200, after_s=6.0)
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")
    device.until("poll")
    assert "apply" not in device.log


def test_v22_a_cancel_stops_an_installation_that_can_be_stopped() -> None:
    device = installing()
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")
    device.reply()
    assert device.stage == "online"
    assert device.name == "pause-poll-interval"
    assert device.log.count("apply") == 5
    assert "feedback-closed" in device.log
    assert device.agent.remembered["progress"] == "announced"


def test_v22_a_make_that_cannot_stop_rejects_and_finishes() -> None:
    device = installing(replace(LONG, install_stops=False))
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "rejected", "none")
    device.reply()
    assert isinstance(device.effect, Apply)
    for _ in range(5):
        device.done()
    device.poll(OFFERED)
    device.until("feedback-closed")
    assert said(device) == ("deploymentBase/12/feedback", "closed", "success")


def test_a_cancel_after_the_installation_is_rejected_and_the_report_repeated() -> None:
    device = Played()
    device.poll(OFFERED)
    device.reply(200, deployment())
    device.until("feedback-closed")
    device.reply(401)
    device.until("poll")
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "rejected", "none")
    device.until("poll")
    device.poll(OFFERED)
    device.reply(200, deployment())
    assert said(device) == ("deploymentBase/12/feedback", "closed", "success")


def test_a_failed_installation_can_still_be_cancelled() -> None:
    device = Played(HawkbitSettings(URL, install_fails=True))
    device.poll(OFFERED)
    device.reply(200, deployment())
    device.until("feedback-closed")
    device.reply(401)
    device.until("poll")
    device.poll(CANCELLED)
    device.reply(200, cancel())
    assert said(device) == ("cancelAction/12/feedback", "closed", "success")


def test_a_cancel_of_another_action_stops_nothing() -> None:
    device = installing()
    device.poll(polled("00:00:05", cancelAction="cancelAction/11"))
    device.reply(200, cancel("11"))
    assert said(device) == ("cancelAction/11/feedback", "closed", "success")
    device.reply()
    assert isinstance(device.effect, Apply)


@pytest.mark.parametrize("status", [404, 401, 500])
def test_a_cancel_that_cannot_be_read_stops_nothing(status: int) -> None:
    device = installing()
    device.poll(CANCELLED)
    device.reply(status)
    assert isinstance(device.effect, Apply)
    device = Played()
    device.poll(CANCELLED)
    device.reply(status)
    assert device.name == "pause-poll-interval"


@pytest.mark.parametrize("links", [{}, {"deploymentBase": "deploymentBase/13?c=1"}])
def test_v26_an_action_that_is_gone_or_replaced_is_dropped(links: dict[str, str]) -> None:
    device = installing()
    device.poll(polled("00:00:05", **links))
    assert device.name == "pause-poll-interval"
    assert device.stage == "online"
    assert "feedback-closed" not in device.log


@pytest.mark.parametrize("links", [{}, {"deploymentBase": "deploymentBase/13?c=1"}])
def test_v26_a_make_that_cannot_stop_finishes_and_reports(links: dict[str, str]) -> None:
    device = installing(replace(LONG, install_stops=False))
    device.poll(polled("00:10:00", **links))
    assert isinstance(device.effect, Apply)
    device.until("feedback-closed")


def test_the_same_action_with_another_query_goes_on() -> None:
    """`c` changes when a soft action is made a forced one (§2.1)."""
    device = installing()
    device.poll(polled("00:00:05", deploymentBase="deploymentBase/12?c=99"))
    assert isinstance(device.effect, Apply)


@pytest.mark.parametrize("failure", [401, 500, 304, "timeout"])
def test_a_failed_look_stops_nothing(failure: int | str) -> None:
    device = installing()
    device.reply(failure) if isinstance(failure, int) else device.no_reply(failure)
    assert isinstance(device.effect, Apply)
    assert device.stage == "updating"


def test_looks_come_as_often_as_polls_would_and_take_over_their_interval() -> None:
    device = installing()
    device.poll(polled("00:00:10", deploymentBase="deploymentBase/12?c=1"))
    for _ in range(10):
        assert isinstance(device.effect, Apply)
        device.done()
    assert device.name == "poll"


def test_looks_heed_a_server_that_wants_to_be_left_alone() -> None:
    device = installing()
    device.reply(429, headers=(("Retry-After", "8"),))
    for _ in range(8):
        assert isinstance(device.effect, Apply)
        device.done()
    assert device.name == "poll"
