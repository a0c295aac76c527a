"""Devices with one mistake each: our own flow, with what it hears, or what it does, changed in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, split_url
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Ask, Downloaded, Effect, Flow, NoReply, Outcome, Pause, Reply
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitMake, hawkbit
from tests.harness.broken_devices import make

Hears = Callable[[Effect, Outcome], Outcome]
Does = Callable[[Effect], Effect]


def device(hears: Hears = lambda _, outcome: outcome, does: Does = lambda effect: effect) -> HawkbitMake:
    """The standard device behind a filter."""

    @make
    def program(
        settings: HawkbitSettings,
        credential: Credential | None,
        identity: DeviceIdentity,
        remembered: Mapping[str, Json],
    ) -> Flow:
        flow = hawkbit(settings, credential, identity, remembered)
        effect = next(flow)
        while True:
            effect = does(effect)
            outcome = yield effect
            effect = flow.send(hears(effect, outcome))

    return program


def status_of(outcome: Outcome) -> int | None:
    return outcome.envelope.status if isinstance(outcome, Reply) else None


def body_of(outcome: Outcome) -> bytes:
    return body_bytes(outcome.envelope.body) if isinstance(outcome, Reply) else b""


def told(outcome: Outcome, change: Callable[[Any], Any]) -> Outcome:
    """A good answer with another JSON document in it."""
    if not isinstance(outcome, Reply) or outcome.envelope.status != 200:
        return outcome
    try:
        document = change(json.loads(body_bytes(outcome.envelope.body)))
    except ValueError:
        return outcome
    body = json.dumps(document).encode()
    return Reply(HttpResponse(200, outcome.envelope.headers, body), outcome.after_s)


def is_feedback(effect: Effect) -> bool:
    return isinstance(effect, Ask) and effect.name.startswith("feedback-")


def pausing(why: str, seconds: float) -> Does:
    return lambda effect: Pause(seconds, seconds, why) if isinstance(effect, Pause) and effect.why == why else effect


def _plain_hashes(_: Effect, outcome: Outcome) -> Outcome:
    return replace(outcome, hashes={}) if isinstance(outcome, Downloaded) else outcome


def _eager(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document["deployment"] |= {"download": "forced", "update": "forced", "maintenanceWindow": "available"}
        return document

    return told(outcome, change) if isinstance(effect, Ask) and effect.name == "deploymentBase" else outcome


def _early(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        if document["deployment"]["download"] == "skip":
            document["deployment"]["download"] = "attempt"
        return document

    return told(outcome, change) if isinstance(effect, Ask) and effect.name == "deploymentBase" else outcome


def _deaf_to_410(effect: Effect, outcome: Outcome) -> Outcome:
    return Reply(HttpResponse(200), 0.0) if is_feedback(effect) and status_of(outcome) == 410 else outcome


def _gives_reports_up(effect: Effect, outcome: Outcome) -> Outcome:
    return Reply(HttpResponse(410), 0.0) if is_feedback(effect) and (status_of(outcome) or 500) >= 400 else outcome


def _blind_to_cancels(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document.get("_links", {}).pop("cancelAction", None)
        return document

    return told(outcome, change) if isinstance(effect, Ask) and effect.name == "poll" else outcome


def _gives_downloads_up(_: Effect, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Downloaded) and outcome.cut:
        return replace(outcome, status=404, stored_bytes=0, received_bytes=0, cut=False)
    return outcome


def _believes_dates(effect: Effect, outcome: Outcome) -> Outcome:
    date = outcome.envelope.header("Date") if isinstance(outcome, Reply) else None
    return NoReply("malformed", outcome.after_s) if date is not None and ("1999" in date or "2098" in date) else outcome


def _pedantic(_: Effect, outcome: Outcome) -> Outcome:
    return NoReply("malformed", outcome.after_s) if b'"future"' in body_of(outcome) else outcome


def _own_url(effect: Effect) -> Effect:
    if isinstance(effect, Ask) and effect.name == "configData":
        origin = effect.request.origin.replace("elsewhere.", "").replace("localhost", "127.0.0.1")
        return effect._replace(
            request=replace(effect.request, origin=origin, target=effect.request.target.removeprefix("/elsewhere"))
        )
    return effect


@make
def hangs(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Waits for ever for an answer that does not come (breaks V09)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        if isinstance(outcome, NoReply) and outcome.why == "timeout":
            yield Pause(1e7, 1e7, "hangs")
        effect = flow.send(outcome)


@make
def dies(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Ends when a poll document has no interval (breaks V11)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        is_poll = isinstance(effect, Ask) and effect.name == "poll"
        if is_poll and status_of(outcome) == 200 and b'"sleep":"0' not in body_of(outcome):
            return
        effect = flow.send(outcome)


@make
def follows_redirects(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Takes its token wherever it is sent (breaks V31)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        while isinstance(effect, Ask) and isinstance(outcome, Reply) and 300 <= outcome.envelope.status < 400:
            origin, target = split_url(outcome.envelope.header("Location") or "")
            request = HttpRequest("GET", origin, target, effect.request.headers)
            outcome = yield effect._replace(request=request)
        effect = flow.send(outcome)


@make
def says_it_twice(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Closes each action twice (breaks V27)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        if isinstance(effect, Ask) and effect.name == "feedback-closed":
            yield effect
        effect = flow.send(outcome)


@make
def forgets(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Knows nothing of what it has installed once that is reported (breaks V25)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        if isinstance(effect, Ask) and effect.name == "feedback-closed" and status_of(outcome) == 200:
            flow = hawkbit(settings, credential, identity, {"stage": "enrolled"})
            effect = next(flow)
            continue
        effect = flow.send(outcome)


@make
def tells_attributes_once(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Sends its attributes the first time it is asked, and never again (breaks V33)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect, told_before = next(flow), False
    while True:
        if isinstance(effect, Ask) and effect.name == "configData":
            outcome = Reply(HttpResponse(200), 0.0) if told_before else (yield effect)
            told_before = True
        else:
            outcome = yield effect
        effect = flow.send(outcome)


@make
def gives_up(
    settings: HawkbitSettings, credential: Credential | None, identity: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Ends when it is refused (breaks V05)."""
    flow = hawkbit(settings, credential, identity, remembered)
    effect = next(flow)
    while True:
        outcome = yield effect
        if status_of(outcome) in (401, 403, 404) and isinstance(effect, Ask) and effect.name == "poll":
            return
        effect = flow.send(outcome)


trusts_files = device(_plain_hashes)
eager = device(_eager)
early = device(_early)
deaf_to_410 = device(_deaf_to_410)
gives_reports_up = device(_gives_reports_up)
blind_to_cancels = device(_blind_to_cancels)
gives_downloads_up = device(_gives_downloads_up)
believes_dates = device(_believes_dates)
pedantic = device(_pedantic)
knows_better = device(does=_own_url)
restless = device(does=pausing("poll interval", 0.2))
hot = device(does=pausing("backoff", 0.05))
monotonous = device(does=pausing("backoff", 1.0))
