"""From a control message to its reply: which are requests, who handles them, and what goes back (spec 2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from typing import Final

from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura import codec
from fleetrig.simulator.flows.kura.command_handler import handle_command
from fleetrig.simulator.flows.kura.configuration_handler import handle_configuration
from fleetrig.simulator.flows.kura.deployment_handler import handle_deployment
from fleetrig.simulator.flows.kura.key_handler import handle_keys, handle_keys_v2
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import IGNORED_APPS, is_publishable, read_control, substituted
from fleetrig.simulator.flows.kura.payload import KuraPayload, int32, string
from fleetrig.simulator.flows.kura.recorded_handler import SLOW_S, handle_recorded, is_slow
from fleetrig.simulator.flows.kura.requests import (
    BAD_REQUEST,
    ERROR,
    EXCEPTION_MESSAGE,
    METHODS,
    REQUEST_ID,
    REQUESTER,
    RESPONSE_CODE,
    Answer,
    Handler,
    Request,
    RequestRefused,
)
from fleetrig.simulator.flows.kura.signing import accepts
from fleetrig.simulator.flows.kura.store import REPLIES

HANDLERS: Final[Mapping[str, Handler]] = {
    "CONF-V1": handle_configuration,
    "CMD-V1": handle_command,
    "DEPLOY-V2": handle_deployment,
    "KEYS-V1": handle_keys,
    "KEYS-V2": handle_keys_v2,
}
REPLY_WORD: Final = "REPLY"
REPLY_MARK: Final = f"{REPLY_WORD}/"


def dispatch(life: GatewayLife, publish: MqttPublish, *, must_be_signed: bool) -> Generator[Effect, Outcome, None]:
    """What came on a control topic. What is no request for anybody here is passed over without a word."""
    topic = read_control(publish.topic, life.cloud.control_prefix)
    if topic is None or topic.app_id in IGNORED_APPS:
        return
    handler = HANDLERS.get(topic.app_id)
    if handler is None and topic.app_id in life.settings.applications:
        handler = handle_recorded
    if handler is None or not topic.app_topic:
        return
    if topic.app_topic.startswith(f"{topic.app_id}/{REPLY_WORD}"):
        return  # what a real gateway takes for a reply, which is none
    if topic.app_topic.startswith(REPLY_MARK) and not life.has_quirk("reply-answered"):
        return
    payload = codec.from_wire(publish.payload, encoding=life.cloud.payload_encoding)
    request = None if payload is None else read_request(topic.app_id, topic.app_topic, payload)
    if request is None:
        return
    if must_be_signed and not (yield from accepts(life, topic, request.payload)):
        return
    work_on(life, handler, request)


def read_request(app_id: str, app_topic: str, payload: KuraPayload) -> Request | None:
    """None without the two ids, both of the type STRING; they may be empty."""
    request_id, requester = payload.text(REQUEST_ID), payload.text(REQUESTER)
    if request_id is None or requester is None:
        return None
    method, *resources = app_topic.split("/")
    while resources and not resources[-1]:
        resources.pop()
    return Request(app_id, method, tuple(resources), payload, request_id, requester)


def work_on(life: GatewayLife, handler: Handler, request: Request) -> None:
    """One of two threads takes it as soon as it is free (G-46)."""
    takes_s = SLOW_S if handler is handle_recorded and is_slow(request) else 0.0
    first = life.workers.index(min(life.workers))
    life.workers[first] = max(life.now_s, life.workers[first]) + takes_s
    life.later(life.workers[first] - life.now_s, partial(_worked, life, handler, request))


def _worked(life: GatewayLife, handler: Handler, request: Request) -> Generator[Effect, Outcome, None]:
    answer = yield from answered(life, handler, request)
    if answer is not None:
        yield from send_reply(life, request, answer)


def answered(life: GatewayLife, handler: Handler, request: Request) -> Generator[Effect, Outcome, Answer | None]:
    """What the handler says, or what the framework makes of its refusal."""
    if request.method not in METHODS:
        return Answer(BAD_REQUEST)
    try:
        return (yield from handler(life, request))
    except UNREADABLE_BY_LIBRARY:
        return Answer(ERROR)  # some exception of the handler's own
    except RequestRefused as refusal:
        said = {} if refusal.text is None else {EXCEPTION_MESSAGE: string(refusal.text)}
        return Answer(refusal.code, said)


def send_reply(life: GatewayLife, request: Request, answer: Answer) -> Generator[Effect, Outcome, None]:
    """Priority 1, QoS 0; its topic names the requester, not this gateway."""
    at_ms = yield from life.clock_ms()
    payload = KuraPayload(at_ms, metrics={**answer.metrics, RESPONSE_CODE: int32(answer.code)}, body=answer.body)
    topic = f"{life.cloud.control_prefix}/#account-name/{request.requester}/{request.app_id}/REPLY/{request.request_id}"
    put_control(life, "reply", topic, payload)


def put_control(life: GatewayLife, name: str, topic: str, payload: KuraPayload) -> None:
    """Replies and notifications. What can never be published is dropped; a real gateway keeps it for good (2.5)."""
    data = codec.to_wire(payload, encoding=life.cloud.payload_encoding, gzips=life.cloud.encode_gzip)
    if is_publishable(substituted(topic, life.tokens)) or life.has_quirk("poisoned-queue"):
        life.store.put(name, topic, data, qos=0, priority=REPLIES)
