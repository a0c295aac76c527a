"""Being asked before an update: rows V36 and V37, auto-confirmation, and what survives a power cut."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.effects import Pause
from fleetrig.simulator.flows.hawkbit.confirmation_policy import ConfirmationPolicy, Consent
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from tests.simulator.flows.played import BASE, URL, Played, cancel, deployment, polled

HREF = "confirmationBase/12?c=-5"
ASKED = polled("00:00:05", confirmationBase=HREF)


def settings(**policy: Any) -> HawkbitSettings:
    return HawkbitSettings(URL, confirmation=ConfirmationPolicy(**policy))


def question(action_id: str = "12") -> dict[str, Any]:
    plan = deployment(action_id)
    return {"id": action_id, "confirmation": plan["deployment"]}


def asked(device: Played, action_id: str = "12") -> Played:
    """The device has read what it is asked."""
    device.poll(polled("00:00:05", confirmationBase=f"confirmationBase/{action_id}?c=-5"))
    assert (device.name, device.request.method) == ("confirmationBase", "GET")
    device.reply(200, question(action_id))
    return device


def test_it_confirms_at_once_and_once() -> None:
    device = asked(Played())
    assert device.name == "feedback-confirmed"
    assert device.agent.remembered["confirmation"] == ["12", "confirmed", False]  # before it is told
    assert (device.request.method, device.request.url) == ("POST", f"{BASE}/confirmationBase/12/feedback")
    assert device.body == {"confirmation": "confirmed"}
    device.reply()
    assert device.agent.remembered["confirmation"] == ["12", "confirmed", True]
    assert device.pause == Pause(5.0, 5.0, "poll interval")
    device.done()
    assert asked(device).name == "pause-poll-interval"
    assert device.asked() == ["confirmationBase", "feedback-confirmed", "confirmationBase"]


def test_it_denies_with_code_and_details() -> None:
    device = asked(Played(settings(answer=Consent.DENIED, code=-3, details=("not now", "später"))))
    assert device.name == "feedback-denied"
    assert device.body == {"confirmation": "denied", "code": -3, "details": ["not now", "später"]}
    device.reply()
    device.done()
    assert asked(device).name == "pause-poll-interval", "the server goes on asking, and knows the answer"


def test_it_says_nothing_where_an_operator_shall() -> None:
    device = Played(settings(answer=None))
    device.poll(ASKED)
    assert device.name == "pause-poll-interval"


def test_it_polls_while_somebody_thinks() -> None:
    device = asked(Played(settings(after_s=12.0)))
    assert device.pause.why == "confirmation"
    assert device.pause.at_least_s == pytest.approx(5.0, abs=0.1)
    device.done()
    device.poll(ASKED)
    device.done()
    device.poll(ASKED)
    assert device.pause.at_least_s == pytest.approx(2.0, abs=0.1)
    device.done()
    assert device.name == "feedback-confirmed"


@pytest.mark.parametrize(
    "links", [{}, {"deploymentBase": "deploymentBase/12?c=1"}, {"confirmationBase": "confirmationBase/13?c=1"}]
)
def test_a_question_that_is_gone_is_not_answered(links: dict[str, str]) -> None:
    """An operator has confirmed in the device's place, or given another update."""
    device = asked(Played(settings(after_s=12.0)))
    device.done()
    device.poll(polled("00:00:05", **links))
    assert device.name == "pause-poll-interval"


def test_a_cancel_while_somebody_thinks() -> None:
    device = asked(Played(settings(after_s=12.0)))
    device.done()
    device.poll(polled("00:00:05", cancelAction="cancelAction/12"))
    device.reply(200, cancel())
    assert device.request.url == f"{BASE}/cancelAction/12/feedback"
    device.reply()
    assert device.name == "pause-poll-interval"


def test_a_busy_server_is_left_alone_all_the_same() -> None:
    device = Played(settings(after_s=2.0))
    device.poll(ASKED)
    device.reply(200, question())
    device.done()
    device.reply(503, headers=(("Retry-After", "40"),))
    assert device.pause.at_least_s >= 40


def test_an_answer_that_was_not_heard_is_repeated_with_the_next_poll() -> None:
    device = asked(Played(settings(answer=Consent.DENIED)))
    while device.name != "poll":
        if device.name == "feedback-denied":
            device.reply(500)
        else:
            device.done()
    assert device.agent.remembered["confirmation"] == ["12", "denied", False]
    assert asked(device).name == "feedback-denied"


@pytest.mark.parametrize("status", [404, 410, 400])
def test_an_answer_that_nobody_wants_is_not_repeated(status: int) -> None:
    device = asked(Played())
    device.reply(status)
    device.done()
    assert asked(device).name == "pause-poll-interval"


@pytest.mark.parametrize(
    "document", [b"", b"[]", {"id": "12"}, {"id": [], "confirmation": {}}, {"confirmation": {}}, b"{" * 9]
)
def test_a_question_that_cannot_be_read_changes_nothing(document: object) -> None:
    device = Played()
    device.poll(ASKED)
    device.reply(200, document)
    assert device.name == "pause-poll-interval"
    assert "confirmation" not in device.agent.remembered


def test_a_power_cut_before_the_answer_was_heard_repeats_the_same_one() -> None:
    device = asked(Played(settings(after_s=2.0)))
    device.done()
    assert device.name == "feedback-confirmed"
    device.power_cycle()
    assert asked(device).name == "feedback-confirmed", "nobody has to think twice"


def test_a_power_cut_after_the_denial_was_heard_keeps_silence() -> None:
    device = asked(Played(settings(answer=Consent.DENIED)))
    device.reply()
    device.power_cycle()
    assert asked(device).name == "pause-poll-interval"


def test_the_next_action_is_another_question() -> None:
    device = asked(Played(settings(answer=Consent.DENIED)))
    device.reply()
    device.done()
    assert asked(device, "13").request.url == f"{BASE}/confirmationBase/13/feedback"


def test_another_policy_is_another_answer() -> None:
    device = asked(Played(settings(answer=Consent.DENIED)))
    device.reply()
    behaviour = Played(settings()).agent._behaviour
    device.agent.reprogram(behaviour)
    device.power_cycle()
    assert asked(device).name == "feedback-confirmed"


# -- auto-confirmation


def state(*, active: bool) -> dict[str, Any]:
    relation = "deactivateAutoConfirm" if active else "activateAutoConfirm"
    links = {relation: {"href": f"{BASE}/confirmationBase/{relation}"}}
    return {"autoConfirm": {"active": active}, "_links": links}


def test_auto_confirmation_is_switched_on_once() -> None:
    device = Played(settings(auto_confirm=True, details=("by the line",)))
    device.poll(polled("00:00:05"))
    assert device.request.url == f"{BASE}/confirmationBase"
    device.reply(200, state(active=False))
    assert (device.request.method, device.request.url) == ("POST", f"{BASE}/confirmationBase/activateAutoConfirm")
    assert device.body == {"initiator": "dev-1", "remark": "by the line"}
    device.reply()
    device.done()
    device.poll(polled("00:00:05"))
    assert device.name == "pause-poll-interval"
    device.power_cycle()
    device.poll(polled("00:00:05"))
    device.reply(200, state(active=True))
    assert device.name == "pause-poll-interval", "it is on already"


def test_auto_confirmation_is_switched_off() -> None:
    device = Played(settings(auto_confirm=False))
    device.poll(polled("00:00:05"))
    device.reply(200, state(active=True))
    assert device.request.url == f"{BASE}/confirmationBase/deactivateAutoConfirm"
    device.reply()
    device.done()
    assert asked(device).name == "feedback-confirmed", "then it answers by itself"


@pytest.mark.parametrize("status", [500, 404, 503])
def test_a_switch_that_did_not_work_is_tried_again(status: int) -> None:
    device = Played(settings(auto_confirm=True))
    device.poll(polled("00:00:05"))
    device.reply(200, state(active=False))
    device.reply(status)
    device.until("poll")
    device.poll(polled("00:00:05"))
    assert device.request.url == f"{BASE}/confirmationBase"


def test_somebody_has_switched_it_off_meanwhile() -> None:
    device = Played(settings(auto_confirm=True))
    device.poll(polled("00:00:05"))
    device.reply(200, state(active=True))
    device.done()
    device.poll(ASKED)
    assert device.request.url == f"{BASE}/confirmationBase"
    device.reply(200, state(active=False))
    assert device.name == "activateAutoConfirm"
    device.reply(409)
    assert device.name == "pause-poll-interval"


def test_nobody_thinks_backwards() -> None:
    with pytest.raises(UsageError, match="0 s or more"):
        ConfirmationPolicy(after_s=-1)
