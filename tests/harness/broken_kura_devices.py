"""Gateways that each break one rule: our own flow, with what it does or what it hears changed in one place.

The names of the rules are those of the contract's device rows (G01 to G52).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttSuback
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
from fleetrig.simulator.flows.kura import codec, protobuf
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.payload import KuraPayload, int32
from fleetrig.simulator.flows.kura.settings import KuraSettings
from tests.harness.broken_devices import Change, Does, Ends, Hears, changing, stateless

RESPONSE_CODE = "response.code"
Instead = Callable[[Effect], Outcome | None]
"""What it takes for the outcome of an effect that it leaves away; None: it performs it."""
Settings = Callable[[KuraSettings], KuraSettings]


def set_up(change: Settings) -> Change:
    """The same flow with other settings."""

    def changed(behaviour: Behaviour) -> Behaviour:
        assert isinstance(behaviour, KuraGateway)
        return KuraGateway(change(behaviour.settings))

    return changed


def provisioning(**values: Any) -> Change:
    return set_up(lambda own: replace(own, provisioning=replace(own.provisioning, **values)))


def data_service(**values: Any) -> Change:
    return set_up(lambda own: replace(own, data=replace(own.data, **values)))


def transport(**values: Any) -> Change:
    return set_up(lambda own: replace(own, transport=replace(own.transport, **values)))


def of_its_own(**values: Any) -> Change:
    return set_up(lambda own: replace(own, **values))


def leaving_away(instead: Callable[[], Instead]) -> Change:
    """`instead` is made anew for each power cycle, so that it can remember."""

    def change(behaviour: Behaviour) -> Behaviour:
        def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
            flow, taken = behaviour(device, remembered), instead()
            effect = next(flow)
            while True:
                outcome = taken(effect)
                effect = flow.send((yield effect) if outcome is None else outcome)

        return changed

    return change


def never_saying(name: str, times_before: int = 0) -> Change:
    """Keeps such messages to itself, from the first on or from a later one."""

    def fresh() -> Instead:
        left = [times_before]

        def instead(effect: Effect) -> Outcome | None:
            if not isinstance(effect, Tell) or effect.name != name:
                return None
            left[0] -= 1
            return Done() if left[0] < 0 else None

        return instead

    return leaving_away(fresh)


def publishing(name: str, change: Callable[[MqttPublish], MqttPublish]) -> Does:
    def does(effect: Effect) -> Effect:
        match effect:
            case Tell(name=found, envelope=MqttPublish() as publish) if found == name:
                return effect._replace(envelope=change(publish))
            case _:
                return effect

    return does


def payload_of(publish: MqttPublish) -> KuraPayload:
    payload = codec.from_wire(publish.payload, encoding="kura-protobuf")
    assert payload is not None
    return payload


# Its names and its settings

enabled_unasked = provisioning(enabled=True)
"""(G01)"""
never_gives_up = provisioning(retry_max_attempts=-1)
"""(G08)"""
gives_up = provisioning(retry_max_attempts=1)
"""Takes a no for an answer, and anything else too (G09, G16, G33)."""
patient = provisioning(timeout_s=1_000)
"""Waits for ever, and takes what comes (G11, G12, G14)."""
in_a_hurry = provisioning(retry_interval_s=1)
"""(G08, G16)"""
trusts_every_root = provisioning(ca_authentication=False)
"""(G19)"""
trusts_no_root = provisioning(ca_authentication=True)
"""(G22)"""
obeys_everybody = of_its_own(signed_control="never")
"""(G25, G27)"""
obeys_nobody = of_its_own(signed_control="always")
"""(G28)"""
never_rolls_back = of_its_own(most_target_failures=10_000)
"""(G31)"""
comes_back_at_once = data_service(retry_interval_s=1)
"""(G39)"""
all_together = of_its_own(quirks=frozenset({"no-jitter"}))
"""(G38)"""
without_a_will = transport(lwt_topic="")
"""(G41)"""
answers_for_others = of_its_own(applications=("NONE-V1",))
"""(G42)"""
nameless = set_up(lambda own: replace(own, hardware=replace(own.hardware, serial_number="")))
"""(G49)"""
small_letters = changing(
    lambda effect: (
        effect._replace(envelope=replace(effect.envelope, user_name=str(effect.envelope.user_name).lower()))
        if isinstance(effect, Connect) and effect.name == "provision-connect" and effect.envelope is not None
        else effect
    )
)
"""Writes its MAC as nobody expects it (G02)."""


def forgets(behaviour: Behaviour) -> Behaviour:
    """What it was given is gone when it comes back (G06)."""
    return lambda device, _: behaviour(device, {})


# What it says, and when


def asks_before_it_listens(behaviour: Behaviour) -> Behaviour:
    """Subscribes once its request is out (G04)."""

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        flow, held = behaviour(device, remembered), list[Effect]()
        effect = next(flow)
        while True:
            if isinstance(effect, Ask) and effect.name == "provision-subscribe":
                held.append(effect)
                effect = flow.send(Reply(MqttSuback(1, (1,)), 0.0))
                continue
            outcome = yield effect
            if held and isinstance(effect, Tell) and effect.name == "provision-request":
                yield held.pop()
            effect = flow.send(outcome)

    return changed


leaves_silently = never_saying("dc")
"""(G29, G40)"""
deaf = never_saying("reply")
"""(G26, G28)"""
answers_once = never_saying("reply", times_before=1)
"""(G46)"""
confirms_once = never_saying("provision-confirm", times_before=1)
"""(G34)"""
born_carelessly = changing(publishing("birth", lambda publish: replace(publish, qos=0, packet_id=0)))
"""BIRTH with QoS 0 (G49)."""


def _always_content(publish: MqttPublish) -> MqttPublish:
    payload = payload_of(publish)
    content = replace(payload, metrics={**payload.metrics, RESPONSE_CODE: int32(200)})
    return replace(publish, payload=protobuf.encode(content))


always_content = changing(publishing("reply", _always_content))
"""Says 200 to everything (G42, G44)."""


def slow_to_answer(behaviour: Behaviour) -> Behaviour:
    """Lets its answers wait, as long as telemetry does (G51)."""

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        flow = behaviour(device, remembered)
        effect = next(flow)
        while True:
            if isinstance(effect, Tell) and effect.name == "reply":
                yield Await("idle", ("NOTHING",), 20.0, 20.0)
            effect = flow.send((yield effect))

    return changed


# What it makes of what comes


def _from_anywhere() -> Hears:
    """Takes what comes under REPLY for the answer to its last request."""
    asked = [""]

    def hears(effect: Effect, outcome: Outcome) -> Outcome:
        match effect, outcome:
            case Tell(name="provision-request", envelope=MqttPublish() as publish), _:
                asked[0] = str(payload_of(publish).text("request.id"))
            case Await(name="provision"), Reply(MqttPublish(topic=topic) as publish, after_s) if "/REPLY/" in topic:
                mine = f"{topic.rpartition('/')[0]}/{asked[0]}"
                return Reply(replace(publish, topic=mine), after_s)
        return outcome

    return hears


takes_any_answer = changing(hears=_from_anywhere())
"""(G15)"""


def _without_waiting(_: Effect, outcome: Outcome) -> Outcome:
    match outcome:
        case Reply(MqttPublish(topic=topic) as publish, after_s) if "/PROV-SIM1/REPLY/" in topic:
            payload = codec.from_wire(publish.payload, encoding="kura-protobuf")
            if payload is None:
                return outcome
            kept = {name: value for name, value in payload.metrics.items() if name != "prov.retry-after"}
            return Reply(replace(publish, payload=protobuf.encode(replace(payload, metrics=kept))), after_s)
        case _:
            return outcome


comes_back_too_early = changing(hears=_without_waiting)
"""Does not hear for how long it is asked to wait (G17)."""


def _commits_at_once() -> Instead:
    """Gives itself the permission (G07)."""
    said = list[MqttPublish]()

    def instead(effect: Effect) -> Outcome | None:
        match effect:
            case Tell(name="provision-confirm", envelope=MqttPublish() as publish):
                said.append(publish)
            case Await(name="provision-confirmed") if said:
                confirm = said.pop()
                base, request = confirm.topic.partition("/POST/")[0], payload_of(confirm).text("request.id")
                good = protobuf.encode(KuraPayload(metrics={RESPONSE_CODE: int32(200)}))
                return Reply(MqttPublish(f"{base}/REPLY/{request}", good), 0.0)
        return None

    return instead


commits_at_once = leaving_away(_commits_at_once)


def _dies_of_garbage(_: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    yield from ()
    match outcome:
        case Reply(MqttPublish(payload=b"no payload at all")):
            raise Ends
        case _:
            return outcome


dies_of_garbage = stateless(_dies_of_garbage)
"""(G15)"""


def _gives_up_tls(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(outcome, NoReply) and outcome.why == "tls" and isinstance(effect, Connect):
        return (yield effect._replace(where="mqtt://kura.test:1883"))
    return outcome


trusts_everybody = stateless(_gives_up_tls)
"""Goes on without TLS where TLS comes to nothing (G24)."""


# How it is managed

forgets_to_list = never_saying("reply", times_before=4)
"""Answers while certificates are loaded, and not when it is asked what it has (G48)."""


def _without_a_list(publish: MqttPublish) -> MqttPublish:
    payload = payload_of(publish)
    body = b"[]" if (payload.body or b"").startswith(b"[") else payload.body
    return replace(publish, payload=protobuf.encode(replace(payload, body=body)))


lists_nothing = changing(publishing("reply", _without_a_list))
"""Has no keystores, nor anything in them, when it is asked (G48)."""


def _shown_instead(_: Effect, outcome: Outcome) -> Outcome:
    match outcome:
        case Reply(MqttPublish(topic=topic) as publish, after_s) if "/DEL/keystores" in topic:
            return Reply(replace(publish, topic=topic.replace("/DEL/", "/GET/")), after_s)
        case _:
            return outcome


deletes_nothing = changing(hears=_shown_instead)
"""Says 200 to a deletion, and keeps what it has (G48)."""


def _with_nothing(publish: MqttPublish) -> MqttPublish:
    payload = payload_of(publish)
    body = (payload.body or b"").replace(b">7<", b">0<")
    return replace(publish, payload=protobuf.encode(replace(payload, body=body)))


takes_nothing_for_a_number = changing(publishing("reply", _with_nothing))
"""Has what it was told, though nobody can make no attempt (G10)."""
CHECK_ON = re.compile(rb'(name="ca-authentication"[^>]*><esf:value>)true')


def _check_switched_off(_: Effect, outcome: Outcome) -> Outcome:
    match outcome:
        case Reply(MqttPublish(topic=topic) as publish, after_s) if "/CONF-V1/PUT/" in topic:
            payload = payload_of(publish)
            body = CHECK_ON.sub(rb"\1false", payload.body or b"")
            return Reply(replace(publish, payload=protobuf.encode(replace(payload, body=body))), after_s)
        case _:
            return outcome


def checks_no_chain(behaviour: Behaviour) -> Behaviour:
    """Goes to whoever asks it to (G30)."""
    return changing(hears=_check_switched_off)(obeys_everybody(behaviour))
