"""A polling device towards every kind of server: rows V01 to V13 and V28 to V33, effect by effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.backoff import RETRY_AFTER_LIMIT_S, Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import GatewayToken
from fleetrig.simulator.effects import Pause
from fleetrig.simulator.flows.hawkbit.device import LONGEST_INTERVAL_S, HawkbitSettings
from tests.simulator.flows.played import TOKEN, URL, Played, deployment, polled

ATTRIBUTES = HawkbitSettings(URL, attributes={"hw": "2"})


def span(device: Played) -> tuple[float, float]:
    """The range of the pause that the device is at."""
    return device.pause.at_least_s, device.pause.at_most_s


def test_v01_polls_as_told_and_never_faster() -> None:
    device = Played(HawkbitSettings(URL, poll_jitter=0.1))
    for _ in range(10):
        device.poll(polled("00:00:05"))
        assert device.pause == Pause(5.0, 5.5, "poll interval")
        device.done()


def test_v02_a_new_interval_counts_from_the_next_cycle() -> None:
    device = Played()
    for seconds in (5, 10, 3600):
        device.poll(polled(f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"))
        assert span(device) == (seconds, seconds)
        device.done()


def test_first_contact_is_remembered_before_anything_else_is_done() -> None:
    device = Played(ATTRIBUTES)
    assert device.log == ["enter-enrolling", "poll"]
    device.poll(polled(configData="configData"))
    assert device.log[2:] == ["remember-stage", "enter-enrolled", "enter-online", "configData"]
    assert device.agent.remembered == {"stage": "enrolled"}
    assert device.stage == "online"


def test_a_steady_poller_has_nothing_to_tell() -> None:
    device = Played()
    device.poll(polled())
    before = len(device.log)
    for _ in range(3):
        device.done()
        device.poll(polled())
    assert device.log[before:] == ["poll", "pause-poll-interval"] * 3


def test_v03_attributes_go_once_to_the_link_as_given() -> None:
    href = "http://other-host.test:9000/odd//path/%2e?x=+1"
    device = Played(ATTRIBUTES, GatewayToken("gateway-key-0001"))
    device.poll(polled(configData=href))
    assert (device.request.method, device.request.url) == ("PUT", href)
    assert device.request.header("Authorization") == "GatewayToken gateway-key-0001"
    assert device.request.header("Content-Type") == "application/json"
    assert device.body == {"mode": "merge", "data": {"hw": "2"}}
    device.reply(200)
    device.done()
    device.poll(polled())
    assert device.name == "pause-poll-interval"
    assert device.asked() == ["configData"]


def test_v04_nobody_asked() -> None:
    device = Played(ATTRIBUTES)
    device.poll(polled())
    assert device.name == "pause-poll-interval"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_attributes_that_were_not_taken_are_sent_again_at_the_next_poll_and_no_sooner(status: int) -> None:
    device = Played(ATTRIBUTES)
    for _ in range(3):
        device.poll(polled(configData="configData"))
        assert device.name == "configData"
        device.reply(status)
        assert device.pause == Pause(5.0, 5.0, "poll interval")
        device.done()


def test_a_device_without_attributes_sends_none() -> None:
    device = Played()
    device.poll(polled(configData="configData"))
    assert device.name == "pause-poll-interval"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_v05_v06_a_refused_device_is_patient_and_recovers(status: int) -> None:
    device = Played(HawkbitSettings(URL, default_interval_s=30.0, backoff=Backoff(base_s=5.0, cap_s=300.0)))
    for _ in range(8):
        device.reply(status)
        assert device.stage == "refused"
        assert span(device)[0] >= 30.0
        assert span(device)[1] <= 300.0
        device.done()
        assert device.stage == "enrolling"
    device.poll(polled())
    assert device.stage == "online"


def test_v30_a_rotated_token_refuses_a_device_that_was_online() -> None:
    device = Played()
    device.poll(polled("00:01:00"))
    device.done()
    device.reply(401)
    assert device.stage == "refused"
    assert span(device)[0] >= 60.0
    device.done()
    assert device.stage == "refused"
    device.poll(polled())
    assert device.stage == "online"


@pytest.mark.parametrize("status", [429, 503])
def test_v07_a_server_that_names_a_time_is_left_alone(status: int) -> None:
    device = Played()
    device.reply(status, headers=(("retry-after", "90"),))
    assert span(device) == (90.0, 95.0)
    device.done()
    dates = (("Retry-After", "Sat, 21 Nov 2026 05:02:00 GMT"), ("Date", "Sat, 21 Nov 2026 05:00:00 GMT"))
    device.reply(status, headers=dates)
    assert span(device) == (120.0, 125.0)
    device.done()
    device.reply(status)
    assert span(device) == (10.0, 20.0)  # the third failure in a row, without a word
    device.done()
    device.reply(status, headers=(("Retry-After", "9" * 12),))
    assert span(device)[0] == RETRY_AFTER_LIMIT_S


def test_v07_holds_for_every_request() -> None:
    """What the server is busy with does not matter: it wants to be left alone."""
    device = Played(ATTRIBUTES)
    device.poll(polled(deploymentBase="deploymentBase/12?c=1", configData="configData"))
    device.reply(429, headers=(("Retry-After", "60"),))
    assert device.pause == Pause(60.0, 65.0, "asked to wait")
    device.done()
    assert device.name == "configData"
    device.reply(503, headers=(("Retry-After", "120"),))
    assert device.pause == Pause(120.0, 125.0, "poll interval")
    device.done()
    device.poll(polled())
    assert device.pause == Pause(5.0, 5.0, "poll interval")


def test_v07_a_make_that_cuts_its_waits_short_is_found_out() -> None:
    """Tests of the bench break single habits from outside; the flow must not make up for them."""
    device = Played()
    device.reply(503, headers=(("Retry-After", "600"),))
    device.done(after_s=0.05)
    assert device.name == "poll"


def test_v07_a_deaf_make_does_not_listen_anywhere() -> None:
    device = Played(HawkbitSettings(URL, attributes={"a": "1"}, backoff=Backoff(honours_retry_after=False)))
    device.reply(503, headers=(("Retry-After", "600"),))
    assert span(device) == (2.5, 5.0)
    device.done()
    device.poll(polled(configData="configData"))
    device.reply(503, headers=(("Retry-After", "600"),))
    assert device.pause == Pause(5.0, 5.0, "poll interval")


@pytest.mark.parametrize("failure", [500, 502, 503, "refused", "reset", "timeout", "closed", "truncated", "malformed"])
def test_v08_v09_delays_grow_up_to_the_cap_and_start_anew(failure: int | str) -> None:
    device = Played(HawkbitSettings(URL, backoff=Backoff(base_s=2.0, cap_s=20.0)))
    device.poll(polled())
    device.done()
    seen = []
    for _ in range(6):
        device.reply(failure) if isinstance(failure, int) else device.no_reply(failure)
        assert device.stage == "backing_off"
        seen.append(span(device))
        device.done()
    assert seen == [(1, 2), (2, 4), (4, 8), (8, 16), (10, 20), (10, 20)]
    device.poll(polled())
    device.done()
    device.no_reply()
    assert span(device) == (1, 2)


def test_decorrelated_jitter_goes_on_from_what_was_drawn() -> None:
    device = Played(HawkbitSettings(URL, backoff=Backoff(Policy.DECORRELATED_JITTER, base_s=5.0, cap_s=60.0)))
    device.no_reply()
    assert device.pause == Pause(5.0, 15.0, "backoff", 60.0)
    device.done(after_s=12.0)
    device.no_reply()
    assert device.pause == Pause(5.0, 36.0, "backoff", 60.0)
    device.power_cycle()
    device.no_reply()
    assert device.pause == Pause(5.0, 15.0, "backoff", 60.0)


def test_a_retry_budget_is_spent_refilled_and_full_again_at_power_on() -> None:
    backoff = Backoff(Policy.FIXED, base_s=5.0, budget=RetryBudget(share=0.5, burst=2))
    device = Played(HawkbitSettings(URL, default_interval_s=60.0, poll_jitter=0.5, backoff=backoff))

    def fails(times: int) -> list[tuple[float, float]]:
        seen = []
        for _ in range(times):
            device.no_reply()
            seen.append(span(device))
            device.done()
        return seen

    assert fails(3) == [(5, 5), (5, 5), (60, 90)]
    device.poll({})
    device.done()
    assert fails(2) == [(60, 90), (60, 90)], "half a token is none"
    device.poll({})
    device.done()
    assert fails(2) == [(5, 5), (60, 90)]
    device.power_cycle()
    assert fails(3) == [(5, 5), (5, 5), (60, 90)]


def test_reports_that_are_said_again_cost_tokens_too() -> None:
    backoff = Backoff(Policy.FIXED, base_s=5.0, budget=RetryBudget(share=0.1, burst=1))
    device = Played(HawkbitSettings(URL, default_interval_s=60.0, backoff=backoff))
    device.poll(polled("00:01:00", deploymentBase="deploymentBase/12"))
    device.reply(document=deployment())
    assert device.name == "feedback-proceeding"
    device.reply(500)
    assert device.pause == Pause(5.0, 5.0, "report retry")
    device.done()
    device.reply(500)
    assert device.pause == Pause(60.0, 60.0, "report retry")


def test_an_open_breaker_keeps_a_device_silent_until_an_answer_closes_it() -> None:
    backoff = Backoff(Policy.FIXED, base_s=5.0, breaker=CircuitBreaker(after=2, open_s=300.0, spread_s=60.0))
    device = Played(HawkbitSettings(URL, backoff=backoff))
    for expected in ((5, 5), (300, 360), (300, 360)):
        device.no_reply()
        assert span(device) == expected
        device.done()
    device.poll({})
    device.done()
    device.reply(503, headers=(("Retry-After", "600"),))
    assert span(device) == (600, 605)
    device.done()
    device.reply(503, headers=(("Retry-After", "20"),))
    assert span(device) == (300, 360), "open, and so silent for longer than was asked"


ODD_INTERVALS: list[Any] = ["", "99:99:99", "9999:59:59", "soon", "P" + "9" * 400 + "D", -1, 0, 5, None, [], {}]
ODD_DOCUMENTS: list[Any] = [
    {},
    {"config": {}},
    {"config": {"polling": {}}},
    *[polled(sleep) for sleep in ODD_INTERVALS],
]


@pytest.mark.parametrize("document", ODD_DOCUMENTS, ids=lambda document: json.dumps(document)[:60])
def test_v11_an_odd_interval_leaves_the_last_good_one(document: object) -> None:
    device = Played(HawkbitSettings(URL, default_interval_s=30.0))
    device.poll(document)
    assert span(device) == (30, 30)
    device.done()
    device.poll(polled("00:00:07"))
    device.done()
    device.poll(document)
    assert span(device) == (7, 7)
    assert device.stage == "online"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>Welcome to the airport</html>", b'{"config":', b"\xff"])
def test_v11_an_answer_that_is_no_document_is_a_failure(body: bytes) -> None:
    """Also at first contact: a captive portal does not enrol anybody."""
    device = Played()
    device.poll(body)
    assert device.stage == "backing_off"
    assert device.agent.remembered == {}
    assert span(device) == (2.5, 5)
    device.done()
    device.poll(polled("00:00:07"))
    device.done()
    device.poll(body)
    device.done()
    device.poll(polled(None))
    assert span(device) == (7, 7)


@pytest.mark.parametrize(("sleep", "seconds"), [("00:00:00", 1.0), ("PT0S", 1.0), ("PT24H", 86_400.0)])
def test_v11_v12_never_a_spin(sleep: str, seconds: float) -> None:
    device = Played()
    device.poll(polled(sleep))
    assert span(device) == (seconds, seconds)


@pytest.mark.parametrize("sleep", ["999:59:59", "P999999D", "PT999999H"])
def test_v11_never_silence_for_good(sleep: str) -> None:
    device = Played()
    device.poll(polled(sleep))
    assert span(device)[0] == LONGEST_INTERVAL_S


@pytest.mark.parametrize("seconds", [0.0, -5.0, 0.2, 1e12])
def test_a_default_interval_is_held_to_the_same_bounds(seconds: float) -> None:
    device = Played(HawkbitSettings(URL, default_interval_s=seconds))
    device.poll({})
    assert span(device)[0] in (1.0, LONGEST_INTERVAL_S)


def test_v13_what_is_not_known_is_ignored() -> None:
    document = polled(somethingNew="x", installedBase="installedBase/9", rollbackBase="rollbackBase/1?c=1")
    document |= {"more": {"deep": [1, 2]}, "config": document["config"] | {"other": True}}
    device = Played(ATTRIBUTES)
    device.poll(document)
    assert device.pause == Pause(5.0, 5.0, "poll interval")


def test_v28_not_modified_keeps_the_interval() -> None:
    device = Played()
    device.poll(polled("00:00:07"))
    device.done()
    device.reply(304)
    assert span(device) == (7, 7)
    assert device.stage == "online"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_v31_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    device = Played()
    device.reply(status, headers=(("Location", "http://elsewhere.test/"),))
    assert device.stage == "backing_off"
    device.done()
    assert device.request.url == f"{URL}/DEFAULT/controller/v1/dev-1"


def test_v33_a_deleted_target_sends_its_attributes_again() -> None:
    device = Played(ATTRIBUTES, GatewayToken("key-of-the-gateway"))
    for _ in range(2):  # the second time the server has forgotten everything
        device.poll(polled(configData="configData"))
        device.until("pause-poll-interval")
        device.done()
        device.poll(polled())
        device.done()
    assert device.asked() == ["configData", "configData"]


def test_a_restart_starts_from_what_is_remembered_and_nothing_else() -> None:
    device = Played(HawkbitSettings(URL, default_interval_s=30.0))
    device.poll(polled("00:00:07"))
    device.done()
    for _ in range(4):
        device.no_reply()
        device.done()
    device.power_cycle()
    assert device.stage == "enrolled"
    device.no_reply()
    assert span(device) == (2.5, 5)
    device.done()
    device.poll({})
    assert span(device) == (30, 30)


def test_v34_a_device_shows_its_token_nowhere_but_in_the_header() -> None:
    device = Played(ATTRIBUTES)
    device.poll(polled(configData="configData"))
    request = device.request
    assert TOKEN in str(request.header("Authorization"))
    assert TOKEN not in request.url + repr(request.body) + repr(device.agent.remembered)
    device.reply(401)
    assert TOKEN not in repr(device.effect) + "".join(device.log)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"server_url": "hawkbit:8080"}, "server URL: expected an absolute http"),
        ({"timeout_s": 0.0}, "timeout_s must be more than 0 s"),
        ({"timeout_s": float("nan")}, "timeout_s must be more than 0 s"),
        ({"install_slice_s": 0.0}, "install_slice_s must be more than 0 s"),
    ],
)
def test_settings_that_no_device_could_have(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        HawkbitSettings(**{"server_url": URL, **wrong})
