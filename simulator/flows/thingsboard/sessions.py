"""Sessions with what a device was given: log in, send telemetry, notice when that is accepted no more (spec 3)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Final, NamedTuple

from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPingreq, MqttPublish
from fleetrig.simulator.effects import (
    Await,
    Connect,
    Disconnect,
    Effect,
    NoReply,
    Outcome,
    Pause,
    Reply,
    ask,
    connect,
    tell,
    wait_for,
)
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, Credentials, MqttBasic, OwnCertificate
from fleetrig.simulator.flows.thingsboard.life import Life
from fleetrig.simulator.flows.thingsboard.messages import (
    child_connect,
    children_telemetry,
    login_connect,
    telemetry_coap,
    telemetry_post,
    telemetry_publish,
)
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings, scheme_of

REFUSED_LOGINS: Final = frozenset({2, 4, 5, 0x84, 0x85, 0x86, 0x87})
"""Codes of a CONNACK that speak of the device; others speak of the server (spec 3.1)."""
ACCEPTED_HTTP: Final = 200
ACCEPTED_COAP: Final = "2.01"
REFUSED_COAP: Final = "4.01"
REFUSED_HTTP: Final = frozenset({401, 403})
FAILED_FROM: Final = 0x80
IDLE_SHARE: Final = 0.5
"""A device without anything to say pings after this part of its keep-alive."""


class Refused(NamedTuple):
    """The server does not accept the credentials."""

    why: str


Trouble = str | Refused | None
"""None: nothing is wrong."""
Talking = Generator[Effect, Outcome, Trouble]
Session = Callable[[Life], Talking]
"""Ends with trouble, or with None when the device has sent all that it wanted to."""


def session_of(settings: ThingsBoardSettings, credentials: Credentials) -> Session | None:
    """How such credentials are used at the place of telemetry; None when they cannot be."""
    match scheme_of(settings.telemetry_place), credentials:
        case ("mqtts", _) | ("mqtt", AccessToken() | MqttBasic()):
            return partial(mqtt_session, credentials)
        case "http" | "https", AccessToken():
            return partial(posting_session, partial(post_http, credentials))
        case "coap" | "coaps", AccessToken():
            return partial(posting_session, partial(post_coap, credentials))
        case "coaps", OwnCertificate():
            return partial(posting_session, partial(post_coap, credentials))
        case _:
            return None


def mqtt_session(credentials: Credentials, life: Life) -> Talking:
    trouble = yield from logged_in(life, credentials)
    if trouble is None:
        yield from life.came_through()
        trouble = yield from telemetry_over_mqtt(life)
        if trouble is None:
            yield from tell("leave", MqttDisconnect())
    yield Disconnect()
    return trouble


def logged_in(life: Life, credentials: Credentials) -> Talking:
    settings = life.settings
    hello = login_connect(credentials, life.device.serial, settings.mqtt_version, settings.keep_alive_s)
    answer = yield from connect(Connect("login", settings.telemetry_place, hello, settings.timeout_s))
    match answer:
        case Reply(MqttConnack(code=0)):
            return None
        case Reply(connack):
            return Refused(connack.line) if connack.code in REFUSED_LOGINS else connack.line
        case NoReply(why):
            return why
        case _:
            raise AssertionError(f"a CONNECT was answered with {answer!r}")


def telemetry_over_mqtt(life: Life) -> Talking:
    for child in life.settings.children or ():
        trouble = yield from published(life, "gateway-connect", child_connect(child))
        if trouble is not None:
            return trouble
    while True:
        for name, publish in messages(life.settings):
            trouble = yield from published(life, name, publish)
            if trouble is not None:
                return trouble
        life.accepted()
        if life.is_done:
            return None
        trouble = yield from idle(life)
        if trouble is not None:
            return trouble


def messages(settings: ThingsBoardSettings) -> Iterator[tuple[str, MqttPublish]]:
    """Of one round: the device's own, and as a gateway those of its children."""
    yield "telemetry", telemetry_publish(settings.telemetry)
    if settings.children:
        yield "gateway-telemetry", children_telemetry(settings.children, settings.telemetry)


def published(life: Life, name: str, publish: MqttPublish) -> Talking:
    answer = yield from ask(name, publish, life.settings.timeout_s)
    if isinstance(answer, NoReply):
        return answer.why
    return answer.envelope.line if answer.envelope.code >= FAILED_FROM else None


def idle(life: Life) -> Talking:
    """Until the next telemetry; pings meanwhile, so that neither side takes the other for dead."""
    left_s = life.settings.telemetry_interval_s
    while True:
        slice_s = min(left_s, life.settings.keep_alive_s * IDLE_SHARE)
        came = yield from wait_for(Await("idle", ("DISCONNECT*",), slice_s, slice_s, left_s=left_s - slice_s))
        if not isinstance(came, NoReply):
            return came.envelope.line
        if came.why != "timeout":
            return came.why
        left_s -= slice_s
        if left_s <= 0:
            return None
        answer = yield from ask("ping", MqttPingreq(), life.settings.timeout_s)
        if isinstance(answer, NoReply):
            return answer.why


def posting_session(post: Callable[[Life], Talking], life: Life) -> Talking:
    """Over HTTP and CoAP there is no login: the first telemetry shows what the credentials are worth."""
    while True:
        trouble = yield from post(life)
        if trouble is None:
            yield from life.came_through()
            life.accepted()
        if trouble is not None or life.is_done:
            yield Disconnect()
            return trouble
        yield Pause(life.settings.telemetry_interval_s, life.settings.telemetry_interval_s, "telemetry interval")


def post_http(token: AccessToken, life: Life) -> Talking:
    settings = life.settings
    request = telemetry_post(settings.telemetry_place, token, settings.telemetry)
    answer = yield from ask("telemetry", request, settings.timeout_s)
    if isinstance(answer, NoReply):
        return answer.why
    status = answer.envelope.status
    if status == ACCEPTED_HTTP:
        return None
    return Refused(f"HTTP {status}") if status in REFUSED_HTTP else f"HTTP {status}"


def post_coap(credentials: AccessToken | OwnCertificate, life: Life) -> Talking:
    settings = life.settings
    request = telemetry_coap(settings.telemetry_place, credentials, settings.telemetry)
    answer = yield from ask("telemetry", request, settings.timeout_s)
    if isinstance(answer, NoReply):
        return answer.why
    code = answer.envelope.line
    if code == ACCEPTED_COAP:
        return None
    return Refused(f"CoAP {code}") if code == REFUSED_COAP else f"CoAP {code}"
