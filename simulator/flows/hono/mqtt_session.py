"""Over MQTT: log in once, publish, hear commands and errors meanwhile (spec 4.2)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Final

from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPingreq, MqttPublish, MqttPublishAck
from fleetrig.simulator.effects import (
    Await,
    Connect,
    Disconnect,
    Effect,
    NoReply,
    Outcome,
    Reply,
    acknowledge,
    ask,
    connect,
    tell,
    wait_for,
)
from fleetrig.simulator.flows.hono.command import carry_out, from_mqtt
from fleetrig.simulator.flows.hono.heard import ACCEPTED, NOTHING, Heard, from_connack, from_silence
from fleetrig.simulator.flows.hono.life import OWN, HonoLife
from fleetrig.simulator.flows.hono.messages import data_over_mqtt, hello, result_over_mqtt, subscription

FAILED_FROM: Final = 0x80
IDLE_SHARE: Final = 0.5
"""A device without anything to say pings after this part of its keep-alive."""
COMMAND: Final = "PUBLISH command/*"
ERROR: Final = "PUBLISH error/*"
END: Final = "DISCONNECT*"
ACK: Final = "PUBACK*"

Talking = Generator[Effect, Outcome, Heard | None]
"""Ends with trouble, or with None when nothing is wrong."""


def mqtt_session(life: HonoLife) -> Talking:
    trouble = yield from logged_in(life)
    if trouble is None:
        yield from life.came_through()
        trouble = yield from conversation(life)
        if trouble is None:
            yield from tell("leave", MqttDisconnect())
    yield Disconnect()
    return trouble


def logged_in(life: HonoLife) -> Talking:
    """One CONNECT, and its CONNACK is waited for however slow the server is to let it in (D11)."""
    settings = life.settings
    answer = yield from connect(Connect("login", settings.url, hello(life), settings.timeout_s))
    match answer:
        case Reply(MqttConnack() as connack):
            heard = from_connack(connack)
            return None if heard.is_good else heard
        case NoReply():
            return from_silence(answer)
        case _:
            raise AssertionError(f"a CONNECT was answered with {answer!r}")


def conversation(life: HonoLife) -> Talking:
    trouble = yield from subscribed(life)
    while trouble is None:
        trouble = yield from one_round(life)
        if trouble is None and life.is_done:
            return None
        if trouble is None:
            trouble = yield from idle(life)
    return trouble


def subscribed(life: HonoLife) -> Talking:
    wanted = subscription(life)
    if wanted is None:
        return None
    answer = yield from ask("subscribe", wanted, life.settings.timeout_s)
    if isinstance(answer, NoReply):
        return from_silence(answer)
    refused = any(code >= FAILED_FROM for code in answer.envelope.codes)
    return Heard(NOTHING, answer.envelope.line) if refused else None


def one_round(life: HonoLife) -> Talking:
    for device_id in life.due():
        heard = yield from published(life, device_id)
        if not life.settle(device_id, heard):
            return heard
    return None


def published(life: HonoLife, device_id: str) -> Generator[Effect, Outcome, Heard]:
    """QoS 1 is accepted with its PUBACK, and not before (D16)."""
    endpoint = life.settings.endpoint
    name = endpoint.value if device_id == OWN else f"gateway-{endpoint}"
    publish = data_over_mqtt(life, device_id)
    if publish.qos == 0:
        sent = yield from tell(name, publish)
        return from_silence(sent) if isinstance(sent, NoReply) else ACCEPTED
    if life.settings.edge_devices is not None:
        return (yield from published_by_gateway(life, name, publish))
    answer = yield from ask(name, publish, life.settings.timeout_s)
    return from_silence(answer) if isinstance(answer, NoReply) else of_puback(answer.envelope)


def of_puback(ack: MqttPublishAck) -> Heard:
    return ACCEPTED if ack.code < FAILED_FROM else Heard(NOTHING, ack.line)


def published_by_gateway(life: HonoLife, name: str, publish: MqttPublish) -> Generator[Effect, Outcome, Heard]:
    """What went wrong is published to it before the PUBACK, or before the connection ends (D14)."""
    timeout_s = life.settings.timeout_s
    told: Heard | None = None
    sent = yield from tell(name, publish)
    if isinstance(sent, NoReply):
        return from_silence(sent)
    while True:
        came = yield from wait_for(Await(name, (ACK, ERROR, END), timeout_s, timeout_s))
        match came:
            case NoReply():
                return told or from_silence(came)
            case Reply(MqttPublishAck() as ack):
                return told or of_puback(ack)
            case Reply(MqttPublish() as error):
                told = read_error(error)
            case Reply(envelope):
                return told or Heard(NOTHING, envelope.line)


def read_error(error: MqttPublish) -> Heard:
    """Its code stands at the end of the topic, `error///telemetry/7/404`, and in its document."""
    code = error.topic.rpartition("/")[2]
    if not (code.isascii() and code.isdigit() and len(code) == len("404")):
        code = _code_in(error.payload)
    return Heard(int(code), f"error {code}") if code else Heard(NOTHING, error.line)


def _code_in(payload: bytes) -> str:
    try:
        code = json.loads(payload)["code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return str(code) if isinstance(code, int) and 100 <= code < 600 else ""


def idle(life: HonoLife) -> Talking:
    """Until the next message; carries out commands and pings meanwhile, so that neither takes the other for dead."""
    left_s = life.pace_s
    patterns = (END,) if life.settings.ttd_s is None else (END, COMMAND)
    trouble: Heard | None = None
    while left_s > 0 and trouble is None:
        slice_s = min(left_s, life.settings.keep_alive_s * IDLE_SHARE)
        came = yield from wait_for(Await("idle", patterns, slice_s, slice_s, left_s=left_s - slice_s))
        match came:
            case Reply(MqttPublish() as publish, after_s):
                trouble = yield from commanded(life, publish)
                left_s = min(left_s - after_s, life.pace_s)
            case Reply(envelope):
                return Heard(NOTHING, envelope.line)
            case NoReply("timeout"):
                left_s -= slice_s
                trouble = (yield from pinged(life)) if left_s > 0 else None
            case NoReply():
                return from_silence(came)
    return trouble


def pinged(life: HonoLife) -> Talking:
    answer = yield from ask("ping", MqttPingreq(), life.settings.timeout_s)
    return from_silence(answer) if isinstance(answer, NoReply) else None


def commanded(life: HonoLife, publish: MqttPublish) -> Talking:
    """Acknowledged at once, since the adapter waits for that only a moment; then done and answered (D15)."""
    yield from acknowledge(publish)
    command = from_mqtt(publish)
    if command is None:
        return None
    result = carry_out(life, command)
    if not command.request_id:
        return None
    answer = yield from ask("command-response", result_over_mqtt(command, result), life.settings.timeout_s)
    return from_silence(answer) if isinstance(answer, NoReply) else None
