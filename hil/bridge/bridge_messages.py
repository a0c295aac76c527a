"""What a board asks over the bridge and what it is answered, as JSON: docs/bridge.md has the fields. Pure.

Envelopes have the form of the trace (`contract/envelope_json.py`) and are written here in clear: it is the board's own
credential that goes to the board's own server. What is kept of them is masked, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.envelope_json import WHOLE_BYTES, envelope_from_json, envelope_to_json
from fleetrig.simulator.contract.http import Body, HttpRequest, HttpResponse, body_length, parts_of
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
)

Do = Literal["ask", "connect", "tell", "await", "disconnect"]
DOS: Final[tuple[Do, ...]] = get_args(Do)

WITHIN_S: Final = 30.0
MOST_WITHIN_S: Final = 600.0
"""A board that waits for longer asks again: nothing else goes over its line meanwhile."""
MOST_PATTERNS: Final = 32
KEYS: Final = frozenset({"do", "envelope", "where", "patterns", "within_s"})


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """What the board wants done. `where` is for `connect`, globs in `patterns` for `await`, `envelope` for the rest."""

    do: Do
    envelope: Envelope | None = None
    where: str = ""
    patterns: tuple[str, ...] = ()
    within_s: float = WITHIN_S


@dataclass(frozen=True, slots=True)
class BridgeAnswer:
    """An envelope, or why there is none: `timeout`, `refused` and so on. Neither: it is done, and has no answer.

    `wrong` says what the board must change in what it asks.
    """

    envelope: Envelope | None = None
    failed: str = ""
    wrong: str = ""


class NoRequest(ValueError):
    """The board sent what is no request; `str()` is for the author of its firmware."""


def read_request(message: bytes) -> BridgeRequest:
    """Raises NoRequest."""
    document = _document(message)
    unknown = sorted(set(document) - KEYS)
    if unknown:
        raise NoRequest(f"nobody knows the key {unknown[0]!r}; a request has {', '.join(sorted(KEYS))}")
    do = document.get("do")
    if do not in DOS:
        raise NoRequest(f"do is {do!r}; expected one of {', '.join(DOS)}")
    envelope = _envelope(document["envelope"]) if "envelope" in document else None
    request = BridgeRequest(do, envelope, _where(document), _patterns(document), _within_s(document))
    return _complete(request)


def answer_json(answer: BridgeAnswer) -> bytes:
    """The message that tells the board."""
    document: dict[str, Any] = {}
    match answer:
        case BridgeAnswer(wrong=str() as wrong) if wrong:
            document["wrong"] = wrong
        case BridgeAnswer(failed=str() as failed) if failed:
            document["failed"] = failed
        case BridgeAnswer(envelope=None):
            document["done"] = True
        case _:
            assert answer.envelope is not None
            document["envelope"] = clear_json(answer.envelope)
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def clear_json(envelope: Envelope) -> dict[str, Any]:
    """An envelope with all it has, credentials included. Bodies must be bytes."""
    match envelope:
        case HttpRequest(body=body) | HttpResponse(body=body) if body_length(body) > WHOLE_BYTES:
            envelope = replace(envelope, body=_in_blocks(body))
        case _:
            pass
    return envelope_to_json(envelope, IN_CLEAR)


class _InClear(Secrets):
    """Hides nothing."""

    def hide(self, text: str) -> str:
        return text

    def hide_header(self, name: str, value: str) -> str:
        return value

    def hide_credential(self, value: str) -> str:
        return value

    def hide_body(self, text: str, target: str) -> str:
        return text

    def hide_bytes(self, data: bytes) -> bytes:
        return data


IN_CLEAR: Final = _InClear()


def _in_blocks(body: Body) -> Body:
    """The writer cuts long parts, so that a trace stays small; whole ones of this size it leaves alone."""
    whole = _whole(body)
    return tuple(whole[at : at + WHOLE_BYTES] for at in range(0, len(whole), WHOLE_BYTES))


def _whole(body: Body) -> bytes:
    parts = [part for part in parts_of(body) if isinstance(part, bytes)]
    if len(parts) != len(parts_of(body)):
        raise NoRequest("a body is text, {base64: ...}, or a list of those; a board has no files here")
    return b"".join(parts)


def _document(message: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(message.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NoRequest(f"this is no JSON in UTF-8: {error}") from None
    if not isinstance(document, dict):
        raise NoRequest('a request is an object: {"do": "ask", "envelope": {...}}')
    return document


def _envelope(found: Any) -> Envelope:
    try:
        envelope = envelope_from_json(found)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NoRequest(f"that is no envelope ({type(error).__name__}: {error}); docs/bridge.md shows them") from None
    if isinstance(envelope, HttpRequest | HttpResponse):
        envelope = replace(envelope, body=_whole(envelope.body))
    return envelope


def _where(document: Mapping[str, Any]) -> str:
    where = document.get("where", "")
    if not isinstance(where, str):
        raise NoRequest(f"where is {where!r}; expected an address: mqtt://HOST:PORT")
    return where


def _patterns(document: Mapping[str, Any]) -> tuple[str, ...]:
    patterns = document.get("patterns", [])
    if not isinstance(patterns, list) or len(patterns) > MOST_PATTERNS or not all(type(one) is str for one in patterns):
        raise NoRequest(f'patterns: expected at most {MOST_PATTERNS} texts: ["PUBLISH v1/devices/me/*"]')
    return tuple(patterns)


def _within_s(document: Mapping[str, Any]) -> float:
    within_s = document.get("within_s", WITHIN_S)
    if type(within_s) not in (int, float) or not 0 <= within_s <= MOST_WITHIN_S:
        raise NoRequest(f"within_s is {within_s!r}; expected 0 to {MOST_WITHIN_S:g} seconds")
    return float(within_s)


def _complete(request: BridgeRequest) -> BridgeRequest:
    """The request, which has what it needs and nothing that cannot be sent so."""
    match request:
        case BridgeRequest(do="connect", where=""):
            raise NoRequest("connect needs where: mqtt://HOST:PORT")
        case BridgeRequest(do="await", patterns=()):
            raise NoRequest('await needs patterns: ["PUBLISH v1/devices/me/*"]')
        case BridgeRequest(do="ask" | "tell", envelope=None):
            raise NoRequest(f"{request.do} needs an envelope")
        case BridgeRequest(envelope=None):
            return request
        case BridgeRequest(do="ask", envelope=MqttPublish(qos=0)):
            raise NoRequest("a PUBLISH with QoS 0 has no answer: tell")
        case BridgeRequest(do=do, envelope=envelope) if not isinstance(envelope, SENT_BY.get(do, ())):
            raise NoRequest(f"{do} sends no {type(envelope).__name__}")
        case _:
            return request


SENT_BY: Final[Mapping[str, tuple[type, ...]]] = {
    "ask": (HttpRequest, CoapRequest, MqttSubscribe, MqttUnsubscribe, MqttPublish, MqttPublishAck, MqttPingreq),
    "connect": (MqttConnect,),
    "tell": (CoapRequest, CoapReset, MqttPublish, MqttPublishAck, MqttPingreq, MqttDisconnect, MqttAuth),
}
"""What a device may send each way."""
