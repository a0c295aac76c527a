"""Asking for credentials over MQTT, HTTP or CoAP, and what a device makes of the answer (spec 1.3 to 1.6)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

from fleetrig.simulator.contract.coap import CoapReset, CoapResponse
from fleetrig.simulator.contract.http import Body, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPublish
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
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.life import UNFIT, Fault, Life
from fleetrig.simulator.flows.thingsboard.messages import (
    RESPONSE_TOPIC,
    ProvisionReply,
    Status,
    provision_coap,
    provision_connect,
    provision_document,
    provision_post,
    provision_publish,
    read_reply,
    response_subscription,
)
from fleetrig.simulator.flows.thingsboard.protobuf import encode_request
from fleetrig.simulator.flows.thingsboard.sessions import session_of
from fleetrig.simulator.flows.thingsboard.settings import COAP_SCHEMES, MQTT_SCHEMES, scheme_of
from fleetrig.simulator.stages import Stage

NEVER_LEFT: Final = frozenset({"refused", "unreachable", "tls"})
"""There was no connection, so no request either."""
UNDECIDED_HTTP: Final = frozenset({500, 502, 504})
UNDECIDED_COAP: Final = frozenset({"2.01", "5.00", "5.02", "5.04"})
"""After an internal time-out the device may exist all the same (S98)."""
ENDINGS: Final = ("DISCONNECT*", "PUBACK ?*")
"""With which MQTT 5 says that nothing will come."""
REASONS: Final = {
    Fault.LOST_ANSWER: "FAILURE after an answer that did not come: a dead end",
    Fault.CREDENTIALS_LOST: "FAILURE to a device that has lost what it was given: a dead end",
    Fault.CREDENTIALS_UNFIT: UNFIT,
}


class NoDecision(NamedTuple):
    """No usable reply; the server `may_have` provisioned the device."""

    why: str
    may_have: bool = True


Deciding = Generator[Effect, Outcome, ProvisionReply | NoDecision]


def provision(life: Life, key: ProvisionKey) -> Generator[Effect, Outcome, bool]:
    """Asks until there are credentials; False when only people can help."""
    document = written(life, key)
    failures = 0
    while True:
        asked_before = life.has_asked
        answer = yield from decided(life, document)
        if not (isinstance(answer, NoDecision) and answer.may_have):
            yield from life.note_asked(asked=asked_before and life.has_asked)
        if isinstance(answer, NoDecision):
            yield from life.back_off(Stage.BACKING_OFF, answer.why)
        elif life.credentials is not None:
            return True
        else:
            failures += 1
            why = f"{answer.status}: {answer.said}"
            is_last = failures >= life.settings.failure_tries
            fault = fault_of(answer.status, asked_before=asked_before, has_lost=life.has_lost, is_last=is_last)
            if fault is not None:
                yield from life.give_up(fault, REASONS.get(fault, why))
                return False
            yield from life.back_off(Stage.REFUSED, why)
        yield from life.enter(Stage.ENROLLING, "try again")


def written(life: Life, key: ProvisionKey) -> bytes:
    """The request; it is the same each time, so that no device takes another name (D12)."""
    settings = life.settings
    write = encode_request if settings.asks_in_protobuf else provision_document
    name = life.device.serial if settings.names_itself else ""
    return write(key, life.own, name, is_gateway=settings.children is not None)


def fault_of(status: Status, *, asked_before: bool, has_lost: bool, is_last: bool) -> Fault | None:
    """What a reply that brought nothing to keep says; None when it may be asked again."""
    match status:
        case Status.SUCCESS:
            return Fault.CREDENTIALS_UNFIT
        case Status.NOT_FOUND:
            return Fault.NOT_FOUND
        case Status.FAILURE if asked_before:
            return Fault.LOST_ANSWER
        case Status.FAILURE if has_lost:
            return Fault.CREDENTIALS_LOST
        case Status.FAILURE:
            return Fault.FAILURE if is_last else None


def decided(life: Life, document: bytes) -> Deciding:
    """One request, by the transport of the URL."""
    scheme = scheme_of(life.settings.provision_url)
    if scheme in MQTT_SCHEMES:
        return over_mqtt(life, document)
    return over_coap(life, document) if scheme in COAP_SCHEMES else over_http(life, document)


def over_mqtt(life: Life, document: bytes) -> Deciding:
    """A session of its own. The device leaves it as soon as it has its answer (D05), and without one, too."""
    settings = life.settings
    hello = provision_connect(settings.mqtt_version)
    answer = yield from connect(Connect("provision-connect", settings.provision_url, hello, settings.timeout_s))
    match answer:
        case Reply(MqttConnack(code=0)):
            decision = yield from requested(life, document)
        case Reply(connack):
            decision = NoDecision(connack.line, may_have=False)
        case NoReply(why):
            decision = NoDecision(why, may_have=False)
        case _:
            raise AssertionError(f"a CONNECT was answered with {answer!r}")
    if isinstance(decision, ProvisionReply):
        yield from tell("provision-leave", MqttDisconnect())
    yield Disconnect()
    return decision


def requested(life: Life, document: bytes) -> Deciding:
    """Nothing but this request is published here (D34), and no acknowledgement waited for (D03)."""
    timeout_s = life.settings.timeout_s
    sent = yield from tell("provision-subscribe", response_subscription())
    if isinstance(sent, NoReply):
        return NoDecision(sent.why, may_have=False)
    yield from life.note_asked(asked=True)
    yield from tell("provision-request", provision_publish(document))
    patterns = (f"PUBLISH {RESPONSE_TOPIC}", *ENDINGS)
    came = yield from wait_for(Await("provision", patterns, timeout_s, timeout_s))
    if isinstance(came, NoReply):
        return NoDecision(came.why)
    if not isinstance(came.envelope, MqttPublish):
        return NoDecision(came.envelope.line)
    reply = yield from taken(life, came.envelope.payload)
    yield from acknowledge(came.envelope)
    return reply


def over_http(life: Life, document: bytes) -> Deciding:
    """The body decides, not the code: FAILURE comes with 200 too (D25)."""
    settings = life.settings
    yield from life.note_asked(asked=True)
    answer = yield from ask("provision", provision_post(settings.provision_url, document), settings.timeout_s)
    match answer:
        case NoReply(why):
            return NoDecision(why, may_have=why not in NEVER_LEFT)
        case Reply(HttpResponse(status=200) as response):
            return (yield from taken(life, response.body))
        case Reply(response):
            return NoDecision(f"HTTP {response.status}", may_have=response.status in UNDECIDED_HTTP)


def over_coap(life: Life, document: bytes) -> Deciding:
    """4.00 has a reply in it, and calls it text (D28)."""
    settings = life.settings
    yield from life.note_asked(asked=True)
    answer = yield from ask("provision", provision_coap(settings.provision_url, document), settings.timeout_s)
    decision = yield from read_coap(life, answer)
    yield Disconnect()
    return decision


def read_coap(life: Life, answer: Reply[CoapResponse | CoapReset] | NoReply) -> Deciding:
    match answer:
        case NoReply(why):
            return NoDecision(why, may_have=why not in NEVER_LEFT)
        case Reply(CoapResponse("2.01" | "4.00", payload)) if payload:
            return (yield from taken(life, payload))
        case Reply(response):
            return NoDecision(f"CoAP {response.line}", may_have=response.line in UNDECIDED_COAP)


def taken(life: Life, body: Body) -> Deciding:
    """Credentials are written down before anything else happens, the end of the session included.

    Those that it could not use it does not keep: somebody may have changed them when it asks again.
    """
    reply = read_reply(body, is_protobuf=life.settings.asks_in_protobuf)
    if reply is None:
        return NoDecision("a reply that is of no use")
    if reply.credentials is not None and session_of(life.settings, reply.credentials) is not None:
        yield from life.keep(reply.credentials)
    return reply
