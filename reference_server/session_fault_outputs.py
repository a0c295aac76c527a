"""What a session's peer gets in place of a platform's answer, by the fault that is the reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.fault_plan import DEFAULT_DELAY_S, DEFAULT_STATUS, shows_as
from fleetrig.reference_server.http_rewrite import rewritten_body
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send, Unheard, WireForm
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish, MqttVersion

SERVER_UNAVAILABLE: Final = {MqttVersion.V31: 3, MqttVersion.V311: 3, MqttVersion.V5: 0x88}
ALL_COPIES: Final = 1_000
"""More than anybody sends of one message."""

MAX_AGE: Final = 14
"""CoAP's option for how long an answer holds; of a 5.03, when to ask again (RFC 7252 §5.9.3.4)."""


def blocked_reply(fault: Fault, session: int, envelope: Envelope) -> tuple[Output, ...]:
    """What the peer gets in place of the platform's answer."""
    match fault.kind, envelope:
        case FaultKind.CONNECT_REFUSED, MqttConnect():
            code = fault.number("code")
            refusal = MqttConnack(SERVER_UNAVAILABLE[envelope.version] if code is None else int(code))
            return (Send(session, refusal), Close(session))
        case ((FaultKind.OUTAGE | FaultKind.CAPACITY), _) if fault.shows_as is Ending.SILENCE:
            # A CoAP request without an answer would be acknowledged in time.
            return (Unheard(session),) if isinstance(envelope, CoapRequest) else ()
        case FaultKind.CAPACITY, MqttConnect():
            return (Send(session, MqttConnack(SERVER_UNAVAILABLE[envelope.version])), Close(session))
        case FaultKind.CAPACITY, envelope if not isinstance(envelope, CoapRequest):
            return (Close(session),)  # of all packets only CONNECT can be told that the server is busy
        case ((FaultKind.OVERLOAD | FaultKind.CAPACITY), CoapRequest()):
            return (Send(session, _overloaded(fault, envelope)),)
        case FaultKind.COAP_RESET, CoapRequest():
            return (Send(session, CoapReset(envelope.token)),)
        case FaultKind.LOST_DATAGRAM, CoapRequest():
            return (Unheard(session, _copies(fault)),)
        case FaultKind.OUTAGE, _:
            return outage_outputs(fault, session)
        case FaultKind.CONNECT_UNANSWERED, _:
            return ()
        case _:
            raise ModelError(f"the fault {fault.kind} does not block {envelope.line}")


def _overloaded(fault: Fault, request: CoapRequest) -> CoapResponse:
    """`status` 429 becomes 4.29."""
    status, retry_after_s = int(fault.number("status") or DEFAULT_STATUS), fault.number("retry_after_s")
    number = int(retry_after_s) if retry_after_s is not None else None
    options = () if number is None else ((MAX_AGE, number.to_bytes((number.bit_length() + 7) // 8, "big")),)
    return CoapResponse(f"{status // 100}.{status % 100:02}", options=options, token=request.token)


def lost_reply_outputs(lost_reply: Fault, answer: Send) -> tuple[Send | Close, ...]:
    """A CoAP request without an answer would be acknowledged in time: its answer is lost again and again."""
    ending = shows_as(lost_reply)
    if ending is not Ending.SILENCE:
        return (Close(answer.session, ending),)
    is_coap = isinstance(answer.envelope, CoapResponse)
    return (replace(answer, form=WireForm.LOST, copies=ALL_COPIES),) if is_coap else ()


def outage_outputs(outage: Fault, session: int) -> tuple[Close, ...]:
    match shows_as(outage):
        case Ending.SILENCE:
            return ()
        case Ending.CLOSED:
            return (Close(session),)
        case _:
            return (Close(session, Ending.RESET),)


def distort(fault: Fault, output: Send, becomes: tuple[Send | Close, ...]) -> tuple[Send | Close, ...]:
    delay_s = fault.number("delay_s")
    match fault.kind:
        case FaultKind.REWRITE:
            return tuple(
                replace(one, envelope=_rewritten(fault, one.envelope)) if isinstance(one, Send) else one
                for one in becomes
            )
        case FaultKind.DUPLICATE_DELIVERY:
            late_us = output.delay_us + to_us(delay_s or 0.0)
            twice = _sends(becomes)[0]
            return (*becomes, replace(twice, envelope=_duplicate(twice.envelope), delay_us=late_us))
        case FaultKind.LATENCY:
            late_us = to_us(DEFAULT_DELAY_S if delay_s is None else delay_s)
            return tuple(replace(one, delay_us=one.delay_us + late_us) for one in becomes)
        case FaultKind.DROP_AFTER_CONNACK:
            last_us = max(one.delay_us for one in becomes)
            return (*becomes, Close(output.session, shows_as(fault), last_us + to_us(delay_s or 0.0)))
        case FaultKind.WITHHELD_ACK | FaultKind.WITHHELD_PINGRESP:
            return ()
        case FaultKind.MALFORMED_PACKET:
            return _in_form(becomes, WireForm.MALFORMED)
        case FaultKind.LOST_DATAGRAM:
            return tuple(replace(one, form=WireForm.LOST, copies=_copies(fault)) for one in _sends(becomes))
        case FaultKind.DUPLICATE_DATAGRAM:
            return _in_form(becomes, WireForm.TWICE)
        case FaultKind.HALF_PACKET:
            after_bytes = fault.number("after_bytes")
            first = replace(
                _sends(becomes)[0],
                form=WireForm.HALF,
                cut_after_bytes=None if after_bytes is None else int(after_bytes),
            )
            return (first, Close(output.session, shows_as(fault), first.delay_us))
        case _:
            raise ModelError(f"the fault {fault.kind} does not distort {output.envelope.line}")


def _sends(outputs: Sequence[Send | Close]) -> list[Send]:
    return [output for output in outputs if isinstance(output, Send)]


def _in_form(outputs: Sequence[Send | Close], form: WireForm) -> tuple[Send | Close, ...]:
    return tuple(replace(output, form=form) if isinstance(output, Send) else output for output in outputs)


def _rewritten(rewrite: Fault, envelope: Envelope) -> Envelope:
    match envelope:
        case MqttPublish():
            topic = rewrite.text("topic", envelope.topic)
            return replace(envelope, topic=topic, payload=rewritten_body(rewrite, envelope.payload))
        case CoapResponse():
            return replace(envelope, payload=rewritten_body(rewrite, envelope.payload))
        case _:
            return envelope


def _copies(lost_datagram: Fault) -> int:
    return int(lost_datagram.number("copies") or 1)


def _duplicate(envelope: Envelope) -> Envelope:
    """The envelope as it comes a second time: MQTT marks a duplicate, except with QoS 0, which has no such mark."""
    return replace(envelope, dup=True) if isinstance(envelope, MqttPublish) and envelope.qos else envelope
