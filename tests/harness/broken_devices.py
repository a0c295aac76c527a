"""hawkBit devices that each break one rule: our own flow, with one habit changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Ask, Done, Download, Effect, Flow, Outcome, Pause, Reply
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitMake, hawkbit
from fleetrig.simulator.flows.hawkbit.messages import attributes_request, poll_request

QUICK = Pause(0.05, 0.05, "hot")


def make(program: Callable[..., Flow]) -> HawkbitMake:
    """A make of device from (settings, credential, identity, remembered) -> flow."""
    return lambda settings, credential: partial(program, settings, credential)


def changing(change: Callable[[Effect], Effect]) -> HawkbitMake:
    """The standard device with some of its effects replaced."""

    @make
    def program(
        settings: HawkbitSettings, credential: Credential | None, device: DeviceIdentity, remembered: Mapping[str, Json]
    ) -> Flow:
        flow = hawkbit(settings, credential, device, remembered)
        effect = next(flow)
        while True:
            outcome = yield change(effect)
            effect = flow.send(outcome)

    return program


def _hot(effect: Effect) -> Effect:
    return QUICK if isinstance(effect, Pause) and effect.why == "backoff" else effect


def _restless(effect: Effect) -> Effect:
    return Pause(0.2, 0.2, effect.why) if isinstance(effect, Pause) and effect.why == "poll interval" else effect


hot_retry = changing(_hot)
"""Tries again at once after every failure (breaks V05, V07, V08)."""

ignores_sleep = changing(_restless)
"""Polls five times a second, whatever the server says (breaks V01)."""


@make
def resends_attributes(
    settings: HawkbitSettings, credential: Credential | None, device: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Sends its attributes after every poll, asked or not (breaks V04)."""
    flow = hawkbit(settings, credential, device, remembered)
    href = poll_request(settings.server_url, device, credential).url + "/configData"
    effect, outcome = next(flow), None
    while True:
        outcome = yield effect
        if isinstance(effect, Ask) and effect.name == "poll" and _accepted(outcome):
            request = attributes_request(href, credential, "merge", settings.attributes)
            yield Ask("configData", request, settings.timeout_s)
        effect = flow.send(outcome)


@make
def installs_anyway(
    settings: HawkbitSettings, credential: Credential | None, device: DeviceIdentity, remembered: Mapping[str, Json]
) -> Flow:
    """Fetches the image again when its final report was not answered (breaks V25)."""
    flow = hawkbit(settings, credential, device, remembered)
    effect, download = next(flow), None
    while True:
        outcome = yield effect
        if isinstance(effect, Download):
            download = effect
        elif isinstance(effect, Ask) and effect.name == "feedback-closed" and not _accepted(outcome) and download:
            yield download
        effect = flow.send(outcome)


def _accepted(outcome: Outcome) -> bool:
    match outcome:
        case Reply(HttpResponse(status=200)):
            return True
        case _:
            return False


__all__ = ["Done", "hot_retry", "ignores_sleep", "installs_anyway", "resends_attributes"]
