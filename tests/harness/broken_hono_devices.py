"""Hono devices that each break one rule: our own flow, with what it does or what it hears changed in one place.

The names of the rules are those of the contract's device rows (D01 to D16).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublish, MqttPublishAck, MqttSubscribe, PublishAckKind
from fleetrig.simulator.effects import (
    Ask,
    Await,
    Behaviour,
    Connect,
    Done,
    Effect,
    Flow,
    NoReply,
    Outcome,
    Reply,
    Tell,
)
from fleetrig.simulator.flows.hono.flow import HonoDevice
from tests.harness.broken_devices import Change, Does, Ends, changing, pausing, stateless

FOR_EVER_S = 1e7
PLAIN = {"https": "http://hono.test:8080", "mqtts": "mqtt://hono.test:1883", "coaps": "coap://hono.test:5683"}


def both(first: Change, second: Change) -> Change:
    return lambda behaviour: second(first(behaviour))


def set_up(**changes: Any) -> Change:
    """The same flow with other settings."""

    def change(behaviour: Behaviour) -> Behaviour:
        assert isinstance(behaviour, HonoDevice)
        return replace(behaviour, settings=replace(behaviour.settings, **changes))

    return change


def elsewhere(place: Callable[[str], str]) -> Does:
    """Goes to another place."""

    def does(effect: Effect) -> Effect:
        match effect:
            case Connect():
                return effect._replace(where=place(effect.where))
            case Ask(request=HttpRequest() | CoapRequest() as request):
                return effect._replace(request=replace(request, origin=place(request.origin)))
            case _:
                return effect

    return does


def _plain(where: str) -> str:
    return PLAIN.get(where.partition("://")[0], where)


# What it shows

shows_nothing = changing(elsewhere(_plain))
"""Goes where no certificate is asked for (D01)."""
names_nobody = changing(elsewhere(lambda where: where.replace("://fleetrig.", "://")))
"""Asks for the host without its tenant (D03)."""


def _gives_up_tls(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(outcome, NoReply) and outcome.why == "tls" and isinstance(effect, Connect | Ask):
        return (yield elsewhere(_plain)(effect))
    return outcome


trusts_everybody = stateless(_gives_up_tls)
"""Goes on without TLS where TLS comes to nothing (D02)."""


def forgets_itself(behaviour: Behaviour) -> Behaviour:
    """Its certificate is gone when it comes back (D05, D13)."""
    without = shows_nothing(behaviour)

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return (without if remembered else behaviour)(device, remembered)

    return changed


# How it waits

every_second = pausing("backoff", 1.0)
hammers = pausing("backoff", 0.05)
monotonous = pausing("backoff", 4.0)
"""Always waits for the same time."""
knocks_for_ever = both(set_up(refused_tries=1_000), every_second)
"""(D04, D05, D09)"""
all_at_once = pausing("lost race", 1.0)
"""Comes back after a lost race with all others who lost it (D06)."""
impatient = set_up(timeout_s=1.0)
"""Opens another connection while the first is still being let in (D11)."""


def in_a_hurry(behaviour: Behaviour) -> Behaviour:
    """Does not hear for how long it is asked to wait (D07)."""
    assert isinstance(behaviour, HonoDevice)
    deaf = replace(behaviour.settings.backoff, honours_retry_after=False)
    return replace(behaviour, settings=replace(behaviour.settings, backoff=deaf))


# What it makes of answers


def taking(status: int, another: int, name: str = "*") -> Change:
    """Takes a status for another one."""

    def hears(effect: Effect, outcome: Outcome) -> Outcome:
        match outcome:
            case Reply(HttpResponse(status=came) as response, after_s) if came == status and isinstance(effect, Ask):
                return Reply(replace(response, status=another), after_s) if name in ("*", effect.name) else outcome
            case _:
                return outcome

    return changing(hears=hears)


takes_races_for_failures = taking(409, 500)
"""(D06)"""
gives_all_up_for_one = taking(404, 503, "gateway-telemetry")
"""A gateway that tries again for the one that was refused, and for nobody else (D14)."""


def _without_headers(_: Effect, outcome: Outcome) -> Outcome:
    match outcome:
        case Reply(HttpResponse(status=200), after_s):
            return Reply(HttpResponse(202), after_s)
        case _:
            return outcome


deaf_to_commands = changing(hears=_without_headers)
"""(D15)"""
answers_elsewhere = changing(
    lambda effect: (
        effect._replace(request=replace(effect.request, target="/command/response/1?hono-cmd-status=200"))
        if isinstance(effect, Ask) and effect.name == "command-response" and isinstance(effect.request, HttpRequest)
        else effect
    )
)
"""(D15)"""


def dying(when: Callable[[Effect, Outcome], bool]) -> Change:
    """Ends when that happens, as a program that is not prepared for it."""

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        yield from ()
        if when(effect, outcome):
            raise Ends
        return outcome

    return stateless(follows)


def _is_refused_connect(_: Effect, outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and isinstance(outcome.envelope, MqttConnack) and outcome.envelope.code != 0


dies_when_refused = dying(_is_refused_connect)
"""(D07)"""
dies_when_thrown_out = dying(lambda _, outcome: isinstance(outcome, NoReply) and outcome.why == "closed")
"""(D10)"""


def _falls_silent(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(effect, Ask) and isinstance(effect.request, MqttPublish):
        yield Await("idle", ("NOTHING",), FOR_EVER_S, FOR_EVER_S)
    return outcome


falls_silent = stateless(_falls_silent)
"""Says one thing and no more (D12)."""


def _says_it_twice(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(effect, Ask) and effect.name == "telemetry":
        yield effect
    return outcome


says_it_twice = stateless(_says_it_twice)
another_name = changing(
    lambda effect: (
        effect._replace(envelope=replace(effect.envelope, user_name="nobody@fleetrig"))
        if isinstance(effect, Connect) and effect.envelope is not None
        else effect
    )
)
"""Logs in as somebody else."""


# How it speaks MQTT

at_most_once = set_up(at_least_once=False)
"""QoS 0 (D16)."""


def _waits_for_nothing(effect: Effect) -> Effect:
    if isinstance(effect, Ask) and isinstance(effect.request, MqttPublish):
        return Tell(effect.name, effect.request)
    return effect


def _acknowledges_itself(effect: Effect, outcome: Outcome) -> Outcome:
    is_told = isinstance(effect, Tell) and isinstance(effect.envelope, MqttPublish) and isinstance(outcome, Done)
    return Reply(MqttPublishAck(PublishAckKind.PUBACK, 1), 0.0) if is_told else outcome


waits_for_nothing = changing(_waits_for_nothing, _acknowledges_itself)
"""Takes what it has sent for accepted (D16)."""


def _hears_no_errors(effect: Effect) -> Effect:
    match effect:
        case Ask(request=MqttSubscribe(subscriptions=wanted) as subscribe):
            others = tuple(one for one in wanted if not one.topic_filter.startswith("error/"))
            kept = others or (replace(wanted[0], topic_filter="command///req/#"),)
            return effect._replace(request=replace(subscribe, subscriptions=kept))
        case _:
            return effect


hears_no_errors = changing(_hears_no_errors)
"""A gateway that does not subscribe to errors, so that each of them ends its connection (D14)."""
