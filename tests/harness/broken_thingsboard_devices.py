"""ThingsBoard devices that each break one rule: our own flow, with what it does or what it hears changed in one place.

The names of the rules are those of the contract's device rows (D01 to D34).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublish, MqttSubscribe, Subscription
from fleetrig.simulator.effects import (
    Ask,
    Await,
    Behaviour,
    Connect,
    Disconnect,
    Done,
    Effect,
    Flow,
    NoReply,
    Outcome,
    Remember,
    Reply,
    Tell,
)
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.harness.broken_devices import Change, Ends, changing, pausing, stateless

FOR_EVER_S = 1e7
PLAIN = "mqtt://thingsboard.test:1883"
RESPONSE = "/provision/response"


def both(first: Change, second: Change) -> Change:
    return lambda behaviour: second(first(behaviour))


def set_up(**changes: Any) -> Change:
    """The same flow with other settings."""

    def change(behaviour: Behaviour) -> Behaviour:
        assert isinstance(behaviour, ThingsBoardDevice)
        settings: ThingsBoardSettings = replace(behaviour.settings, **changes)
        return replace(behaviour, settings=settings)

    return change


# What it is asked and answered


def is_provision(effect: Effect) -> bool:
    """Waits for the reply, over any transport."""
    return isinstance(effect, Ask | Await) and effect.name == "provision"


def body_of(outcome: Outcome) -> bytes:
    match outcome:
        case Reply(MqttPublish(payload=payload)) | Reply(CoapResponse(payload=payload)):
            return payload
        case Reply(HttpResponse(body=body)):
            return body_bytes(body)
        case _:
            return b""


def document_of(outcome: Outcome) -> dict[str, Any]:
    """The reply; empty for what is none."""
    try:
        document = json.loads(body_of(outcome))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def with_body(outcome: Outcome, body: bytes) -> Outcome:
    match outcome:
        case Reply(MqttPublish() as publish, after_s):
            return Reply(replace(publish, payload=body), after_s)
        case Reply(CoapResponse() as response, after_s):
            return Reply(replace(response, payload=body), after_s)
        case Reply(HttpResponse() as http, after_s):
            return Reply(replace(http, body=body), after_s)
        case _:
            return outcome


def rereading(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Takes replies for something else than they are."""

    def hears(effect: Effect, outcome: Outcome) -> Outcome:
        document = document_of(outcome) if is_provision(effect) else {}
        return with_body(outcome, json.dumps(change(document)).encode()) if document else outcome

    return changing(hears=hears)


def asking(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Asks for something else, over any transport."""

    def changed(body: bytes) -> bytes:
        return json.dumps(change(json.loads(body))).encode()

    def does(effect: Effect) -> Effect:
        match effect:
            case Tell("provision-request", MqttPublish() as publish):
                return effect._replace(envelope=replace(publish, payload=changed(publish.payload)))
            case Ask("provision", HttpRequest(body=bytes(body)) as http):
                return effect._replace(request=replace(http, body=changed(body)))
            case Ask("provision", CoapRequest() as coap):
                return effect._replace(request=replace(coap, payload=changed(coap.payload)))
            case _:
                return effect

    return changing(does)


def given(token: str) -> dict[str, Any]:
    return {"status": "SUCCESS", "credentialsType": "ACCESS_TOKEN", "credentialsValue": token}


# What it does


def _speaks(name: str, change: Callable[[Any], Any]) -> Change:
    """Another message in place of the one of that name."""

    def does(effect: Effect) -> Effect:
        if isinstance(effect, Tell | Connect) and effect.name == name:
            return effect._replace(envelope=change(effect.envelope))
        return effect

    return changing(does)


shows_its_secret = _speaks("provision-connect", lambda hello: replace(hello, password=b"a-secret"))
"""Has a password in the CONNECT of a session to provision (D01)."""
subscribes_to_all = _speaks("provision-subscribe", lambda _: MqttSubscribe((Subscription("/provision/#", 1),)))
"""A wildcard in place of the one topic (D02)."""
forgets_the_slash = _speaks("provision-request", lambda one: replace(one, topic="provision/request"))
sends_null = asking(lambda document: {**document, "token": None})
"""A member that it has nothing for (D04)."""
sends_no_key = asking(lambda document: {k: v for k, v in document.items() if k != "provisionDeviceKey"})
sends_numbers = asking(lambda document: {**document, "provisionDeviceKey": 7})
no_gateway = asking(lambda document: {k: v for k, v in document.items() if k != "gateway"})
"""Does not say that it is a gateway (D33)."""
nameless = asking(lambda document: {k: v for k, v in document.items() if k != "deviceName"})
"""Leaves it to the server to name it, though it has a name (D30)."""


def _renames(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "deviceName": document["deviceName"] + "-again"}


def renames_itself(behaviour: Behaviour) -> Behaviour:
    """Once FAILURE has come it asks under another name (D12)."""
    renamed = asking(_renames)(behaviour)

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        flow = behaviour(device, remembered)
        effect = next(flow)
        while True:
            outcome = yield effect
            if document_of(outcome).get("status") == "FAILURE":
                yield Disconnect()
                yield from renamed(device, {})
                return
            effect = flow.send(outcome)

    return changed


def _asks_twice(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(effect, Tell) and effect.name == "provision-request":
        yield effect
    return outcome


def _talks_too_early(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_provision(effect) and isinstance(effect, Await):
        yield Tell("telemetry", MqttPublish("v1/devices/me/telemetry", b"{}"))
    return outcome


def _stays(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_provision(effect) and isinstance(effect, Await):
        yield Await("idle", ("NOTHING",), FOR_EVER_S, FOR_EVER_S)
    return outcome


def _dies_with_its_session(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_provision(effect) and isinstance(effect, Await):
        ended = yield Await("idle", ("NOTHING",), 60.0, 60.0)
        if isinstance(ended, NoReply) and ended.why == "closed":
            raise Ends
    return outcome


asks_twice = stateless(_asks_twice)
talks_too_early = stateless(_talks_too_early)
"""Sends telemetry in the session to provision (D34)."""
stays = stateless(_stays)
"""Stays in the session to provision until the server ends it (D05)."""
dies_with_its_session = stateless(_dies_with_its_session)
"""Stays there too, and takes the end for a failure (D29)."""


def _waits_for_suback(effect: Effect) -> Effect:
    if isinstance(effect, Tell) and isinstance(effect.envelope, MqttSubscribe):
        return Ask(effect.name, effect.envelope, FOR_EVER_S)
    return effect


def _subscribed(effect: Effect, outcome: Outcome) -> Outcome:
    is_subscription = isinstance(effect, Ask) and isinstance(effect.request, MqttSubscribe)
    return Done() if is_subscription and isinstance(outcome, Reply) else outcome


waits_for_suback = changing(_waits_for_suback, _subscribed)
"""Asks only once its subscription is acknowledged (D03)."""


def _waits_for_ever(effect: Effect) -> Effect:
    match effect:
        case Await("provision"):
            return effect._replace(at_least_s=FOR_EVER_S, at_most_s=FOR_EVER_S)
        case Ask("provision"):
            return effect._replace(within_s=FOR_EVER_S)
        case _:
            return effect


waits_for_ever = changing(_waits_for_ever)
"""Sets no limit to the time that a reply may take (D17)."""
impatient = changing(
    lambda effect: effect._replace(within_s=0.6) if isinstance(effect, Ask) and is_provision(effect) else effect
)
"""Takes the acknowledgement for all that comes (D27)."""
hears_everything = changing(
    lambda effect: effect._replace(patterns=("PUBLISH *",)) if isinstance(effect, Await) else effect
)
"""Takes whatever is published to it for its reply (D23)."""


# What it makes of replies


def _refusal_as_token(document: dict[str, Any]) -> dict[str, Any]:
    return document if document["status"] == "SUCCESS" else given(document["errorMsg"])


keeps_refusals = rereading(_refusal_as_token)
"""Keeps what comes with FAILURE and NOT_FOUND for a token (D11, D12)."""
believes_codes = rereading(lambda document: given(str(document.get("credentialsValue", document.get("status")))))
"""Takes every 200 for a success (D25)."""
sees_tokens_only = rereading(lambda document: {**document, "credentialsType": "ACCESS_TOKEN"} if isinstance(
    document.get("credentialsValue"), str) else given(json.dumps(document.get("credentialsValue"))))  # fmt: skip
"""Takes whatever it is given for an access token (D08, D10)."""


def _small_n(document: dict[str, Any]) -> dict[str, Any]:
    parts = dict(document["credentialsValue"])
    return {**document, "credentialsValue": {**parts, "userName": parts.get("username")}}


reads_username = rereading(_small_n)
"""Looks for the user name under the name that it has in the request (D06)."""


def _cut_reply_as_token(effect: Effect, outcome: Outcome) -> Outcome:
    found = re.search(rb'"credentialsValue":"(\w+)', body_of(outcome)) if is_provision(effect) else None
    return outcome if found is None else with_body(outcome, json.dumps(given(found[1].decode())).encode())


takes_what_it_finds = changing(hears=_cut_reply_as_token)
"""Searches replies for a token in place of reading them (D23)."""


def _not_found_as_silence(effect: Effect, outcome: Outcome) -> Outcome:
    is_refused = is_provision(effect) and document_of(outcome).get("status") in ("NOT_FOUND", "FAILURE")
    return NoReply("timeout", 0.0) if is_refused else outcome


never_takes_no = both(changing(hears=_not_found_as_silence), pausing("backoff", 2.0))
"""Asks every two seconds, whatever the answer (D11, D12, D15)."""


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


KNOWN_MEMBERS = {"status", "errorMsg", "credentialsType", "credentialsValue"}
pedantic = dying(lambda effect, outcome: is_provision(effect) and not document_of(outcome).keys() <= KNOWN_MEMBERS)
"""Is not prepared for members that it does not know (D09)."""
needs_a_text = dying(lambda effect, outcome: is_provision(effect) and document_of(outcome).keys() == {"status"})
"""Is not prepared for a refusal without `errorMsg` (D13)."""
dies_of_no_json = dying(
    lambda effect, outcome: body_of(outcome) != b"" and is_provision(effect) and not document_of(outcome)
)
has_room_for_a_kilobyte = dying(lambda effect, outcome: is_provision(effect) and len(body_of(outcome)) > 1024)
"""(D22)"""
dies_when_refused = dying(_is_refused_connect)
"""(D16)"""
dies_of_silence = dying(lambda effect, outcome: is_provision(effect) and isinstance(outcome, NoReply))
"""(D14, D26)"""


def _hears_twice(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_provision(effect) and isinstance(effect, Await) and isinstance(outcome, Reply):
        again = yield Await("provision", (f"PUBLISH {RESPONSE}",), 1.0, 1.0)
        if isinstance(again, Reply):
            raise Ends
    return outcome


hears_twice = stateless(_hears_twice)
"""Is not prepared for a reply that comes again (D18)."""


# What it remembers


def _writes_nothing(effect: Effect) -> Effect:
    is_found = isinstance(effect, Remember) and "credentials" in effect.what
    return Remember({"asked": None}) if is_found else effect


forgetful = changing(_writes_nothing)
"""Stores nothing of what it is given (D20)."""


def rash(behaviour: Behaviour) -> Behaviour:
    """Takes itself for provisioned once it has asked (D19)."""

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        made_up: dict[str, Json] = {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", "made-up"]}
        return behaviour(device, made_up if remembered.get("asked") else remembered)

    return changed


def stubborn(behaviour: Behaviour) -> Behaviour:
    """Has a second place where its credentials survive a factory reset (D30)."""
    kept: dict[str, dict[str, Json]] = {}

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        mine = kept.setdefault(device.serial, {})
        flow = behaviour(device, {**mine, **remembered})
        effect = next(flow)
        while True:
            if isinstance(effect, Remember) and "credentials" in effect.what:
                mine.update(effect.what)
            outcome = yield effect
            effect = flow.send(outcome)

    return changed


# How it waits

every_second = pausing("backoff", 1.0)
"""Tries again every second (D14, D16, D26)."""
monotonous = pausing("backoff", 4.0)
"""Always waits for the same time."""
hammers = pausing("backoff", 0.05)
re_provisions_for_ever = both(
    set_up(provisions_anew=1_000, failure_tries=1_000, login_tries=1), pausing("backoff", 2.0)
)
"""Asks for new credentials as often as the old ones are refused (D21)."""
logs_in_for_ever = both(set_up(login_tries=1_000), every_second)


def _gives_up_tls(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(effect, Connect) and isinstance(outcome, NoReply) and outcome.why == "tls":
        return (yield effect._replace(where=PLAIN))
    return outcome


trusts_everybody = stateless(_gives_up_tls)
"""Goes on without TLS where TLS comes to nothing (D24)."""
