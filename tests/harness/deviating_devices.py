"""Devices that each leave their model in one place, and the message by which that shows: what an oracle must name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.effects import Ask, Done, Download, Effect, NoReply, Outcome, Pause, Reply, Tell
from tests.harness.broken_devices import Change, Does, changing, is_ask, stateless

WELL: Outcome = Reply(HttpResponse(200), 0.0)


def leaving_out(name: str, instead: Outcome = WELL) -> Change:
    """Never does that, and goes on as if it had gone well."""

    def change(behaviour: Any) -> Any:
        def changed(device: Any, remembered: Any) -> Any:
            flow = behaviour(device, remembered)
            effect = next(flow, None)
            while effect is not None:
                outcome = instead if getattr(effect, "name", "") == name else (yield effect)
                try:
                    effect = flow.send(outcome)
                except StopIteration:
                    return

        return changed

    return change


def _request(name: str, change: Callable[[HttpRequest], HttpRequest]) -> Change:
    """Another request in place of those of that name (`*`: of all)."""

    def does(effect: Effect) -> Effect:
        if isinstance(effect, Ask | Download) and name in ("*", effect.name):
            assert isinstance(effect.request, HttpRequest)
            return effect._replace(request=change(effect.request))
        return effect

    return changing(does)


def _pauses(change: Callable[[Pause], Pause]) -> Does:
    return lambda effect: change(effect) if isinstance(effect, Pause) else effect


def _again(name: str) -> Change:
    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        if getattr(effect, "name", "") == name:
            outcome = yield effect
        return outcome

    return stateless(follows)


def _first(name: str, before: Callable[[Effect], Effect]) -> Change:
    """Does something else first."""

    def change(behaviour: Any) -> Any:
        def changed(device: Any, remembered: Any) -> Any:
            flow = behaviour(device, remembered)
            effect = next(flow)
            while True:
                if getattr(effect, "name", "") == name:
                    yield before(effect)
                effect = flow.send((yield effect))

        return changed

    return change


def _early_report(effect: Effect) -> Effect:
    """It has downloaded nothing yet, and says so all the same."""
    assert isinstance(effect, Download)
    path = effect.request.path.partition("/softwaremodules/")[0]
    body = b'{"status":{"execution":"downloaded","result":{"finished":"none"}}}'
    headers = (*effect.request.headers, ("Content-Type", "application/json"))
    target = f"{path}/deploymentBase/1/feedback"
    return Ask("feedback-downloaded", HttpRequest("POST", effect.request.origin, target, headers, body), 5.0)


def _other_action(request: HttpRequest) -> HttpRequest:
    return replace(request, target=request.target.replace("/deploymentBase/1/", "/deploymentBase/7/"))


def _other_tenant(request: HttpRequest) -> HttpRequest:
    return replace(request, target=request.target.replace("/DEFAULT/", "/default/"))


def _failed(request: HttpRequest) -> HttpRequest:
    assert isinstance(request.body, bytes)
    return replace(request, body=request.body.replace(b'"success"', b'"failure"'))


def _telemetry_first(_: Effect) -> Effect:
    return Tell("telemetry", MqttPublish("v1/devices/me/telemetry", b"{}"))


def _no_longer_than(usual_s: float, instead_s: float) -> Callable[[Pause], Pause]:
    """Waits `instead_s` after a failure where the model waits for `usual_s` at least."""

    def change(one: Pause) -> Pause:
        is_long = one.why == "backoff" and one.at_least_s == usual_s
        return one._replace(at_least_s=instead_s, at_most_s=instead_s) if is_long else one

    return change


skips_attributes = leaving_out("configData")
never_closes = leaving_out("feedback-closed")
skips_the_document_of_progress = leaving_out("feedback-proceeding")
reports_before_it_downloads = _first("download", _early_report)
names_another_action = _request("feedback-proceeding", _other_action)
names_another_tenant = _request("poll", _other_tenant)
reports_failure = _request("feedback-closed", _failed)
downloads_twice = _again("download")
polls_too_fast = changing(_pauses(lambda one: one._replace(at_least_s=0.2, at_most_s=0.2)))
falls_silent = changing(_pauses(lambda one: one._replace(at_least_s=1e6, at_most_s=1e6)))
knows_no_budget = changing(_pauses(_no_longer_than(30.0, 4.0)))
knows_no_breaker = changing(_pauses(_no_longer_than(60.0, 4.0)))
shows_no_token = _request("deploymentBase", lambda one: replace(one, headers=one.headers[1:]))
closes_twice = _again("feedback-closed")
publishes_before_it_asks = _first("provision-request", _telemetry_first)
stays_in_the_session = leaving_out("provision-leave", Done())
subscribes_to_nothing = leaving_out("provision-subscribe", Done())
hears_nothing = changing(hears=lambda effect, outcome: NoReply("timeout", 0.0) if is_ask(effect, "poll") else outcome)
measures_twice = _again("telemetry")
confirms_twice = _again("provision-confirm")
is_never_born = leaving_out("birth", Done())
measures_nothing = leaving_out("telemetry", Done())
never_confirms = leaving_out("provision-confirm", Done())
