"""What a device may have made of the answers that the server saw itself give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from fleetrig.simulator.contract.bodies import Hashing, body_bytes
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length, parts_of
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttPingreq,
    MqttPingresp,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
)
from fleetrig.simulator.effects import (
    REPLY_LIMIT_BYTES,
    Ask,
    Connect,
    Done,
    Download,
    Downloaded,
    Effect,
    NoReply,
    Outcome,
    Reply,
    Request,
    TimedEffect,
)

MOST_HASHED_BYTES: Final = 16 * 1024 * 1024
TRUNCATED: Final = "truncated"
WHYS: Final = {"silence": "timeout", "half": "closed"}
"""What a server does -> what a device notices, where the words differ."""
WRONG_FILE: Final = {"sha1": "other", "md5": "other", "sha256": "other"}


class ToldDevice(NamedTuple):
    """What went back to a device, and how it ended when it did not arrive whole (`why`)."""

    envelope: Envelope | None
    why: str = ""
    at_us: int = 0
    """When the server let it go: no device has it before."""


def outcomes_of(effect: TimedEffect, answers: Sequence[ToldDevice], *, is_distorted: bool) -> list[Outcome]:
    """All that the device may have been told, the likeliest first. `is_distorted`: a fault had its hand in it."""
    match effect:
        case Connect(envelope=None):
            return [Done()]
        case Connect():
            return _replied(answer_to(effect, answers), answers, is_distorted=is_distorted)
        case Ask():
            return _replied(answer_to(effect, answers), answers, is_distorted=is_distorted)
        case Download():
            return _downloaded(effect, answers, is_distorted=is_distorted)
        case _:
            return [Done()]


def answer_to(effect: Effect, answers: Sequence[ToldDevice]) -> ToldDevice | None:
    match effect:
        case Connect():
            return _first(answers, (MqttConnack,))
        case Ask(request=request):
            return _first(answers, answer_types(request))
        case _:
            return None


def answer_types(request: Request) -> tuple[type, ...]:
    match request:
        case HttpRequest():
            return (HttpResponse,)
        case CoapRequest():
            return (CoapResponse, CoapReset)
        case MqttSubscribe():
            return (MqttSuback,)
        case MqttUnsubscribe():
            return (MqttUnsuback,)
        case MqttPingreq():
            return (MqttPingresp,)
        case _:
            return (MqttPublishAck,)


def without_answer(effect: Effect | None, answers: Sequence[ToldDevice]) -> list[ToldDevice]:
    """What else came than the answer to a request."""
    left = list(answers)
    if isinstance(effect, Ask) and (found := _first(answers, answer_types(effect.request))) is not None:
        left.remove(found)
    return left


def _first(answers: Sequence[ToldDevice], kinds: tuple[type, ...]) -> ToldDevice | None:
    return next((answer for answer in answers if isinstance(answer.envelope, kinds)), None)


def _replied(found: ToldDevice | None, answers: Sequence[ToldDevice], *, is_distorted: bool) -> list[Outcome]:
    none: list[Outcome] = [NoReply(why, 0.0) for why in _whys(answers)]
    if found is None or found.why or found.envelope is None:
        return none
    reply: list[Outcome] = [Reply(_whole(found.envelope), 0.0)]
    return [*reply, *none] if is_distorted else reply


def _whys(answers: Sequence[ToldDevice]) -> tuple[str, ...]:
    """How it can have been left without an answer."""
    said = tuple(dict.fromkeys(WHYS.get(answer.why, answer.why) for answer in answers if answer.why))
    return said or ("timeout", "closed")


def _whole(envelope: Envelope) -> Envelope:
    """With its body in memory, as devices get it."""
    if isinstance(envelope, HttpResponse) and not isinstance(envelope.body, bytes):
        small = body_length(envelope.body) <= REPLY_LIMIT_BYTES
        return HttpResponse(envelope.status, envelope.headers, body_bytes(envelope.body) if small else b"")
    return envelope


def _downloaded(effect: Download, answers: Sequence[ToldDevice], *, is_distorted: bool) -> list[Outcome]:
    found = _first(answers, (HttpResponse,))
    if found is None or not isinstance(found.envelope, HttpResponse):
        return [NoReply(why, 0.0) for why in _whys(answers)]
    response = found.envelope
    if response.status not in (200, 206):
        return [Downloaded(response.status, response.headers, 0, 0, {}, cut=False)]
    whole = _whole_file(effect, response, _hashes(response))
    wrong, cut = _whole_file(effect, response, WRONG_FILE), _cut(effect, response)
    if found.why == TRUNCATED:
        return [cut, wrong]
    if found.why:
        return [NoReply(why, 0.0) for why in _whys(answers)]
    if is_distorted:
        return [whole, cut, wrong, NoReply("timeout", 0.0)]
    return [whole] if response.status == 200 else [whole, wrong]  # what was pieced together only the device has seen


def _hashes(response: HttpResponse) -> Mapping[str, str]:
    """Of the file, where the answer has all of it at hand; empty, and so never wrong, where it has not."""
    if response.status != 200 or body_length(response.body) > MOST_HASHED_BYTES:
        return {}
    hashing = Hashing()
    try:
        for part in parts_of(response.body):
            hashing.add(part)
    except OSError:
        return {}
    return hashing.hexdigests()


def _whole_file(effect: Download, response: HttpResponse, hashes: Mapping[str, str]) -> Downloaded:
    """The file that was wanted, in its length; `hashes` that are empty are right."""
    begun_at = effect.from_byte if response.status == 206 else 0
    received = body_length(response.body)
    stored = begun_at + received if effect.at_most_bytes is None else effect.at_most_bytes
    return Downloaded(response.status, response.headers, stored - begun_at, stored, hashes, cut=False)


def _cut(effect: Download, response: HttpResponse) -> Downloaded:
    """A part of it; how much came through, only the device knows."""
    begun_at = effect.from_byte if response.status == 206 else 0
    received = body_length(response.body) // 2
    return Downloaded(response.status, response.headers, received, begun_at + received, {}, cut=True)


def said_elsewhere(effect: TimedEffect) -> Outcome:
    """What comes of a request of which the server cannot tell whose it is: it went well."""
    if isinstance(effect, Download):
        return Downloaded(200, (), 0, effect.from_byte, {}, cut=False)
    return Reply(HttpResponse(200), 0.0)


def later(outcome: Outcome, after_s: float) -> Outcome:
    """The outcome, as one that took so long."""
    match outcome:
        case Reply(envelope, _):
            return Reply(envelope, after_s)
        case NoReply(why, _):
            return NoReply(why, after_s)
        case _:
            return outcome
