"""Every kind of envelope survives the way into a trace line and back, whatever stands in it, and no secret does."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from random import Random
from typing import Any, get_args

import pytest

from fleetrig.simulator.contract.coap import CoapMessage, CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.envelope_json import (
    HEAD_BYTES,
    KINDS,
    WHOLE_BYTES,
    envelope_from_json,
    envelope_to_json,
)
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import from_line, to_line
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable

EXAMPLES_OF_EACH = 200
TEXTS = ("", "a", "dev/ü/#", '"{\\}"\n\0', "𝄞 + x=%20", "\x7f", "null")
BLOBS = (b"", b"text", '{"a": "ü"}'.encode(), bytes(range(256)), b"\xff", b"\x00", b'{"base64": "eA=="}')
SECRET = "0123456789abcdef"


PROPERTY_VALUES = [0, 7, "text", b"text", b"\xff", ("a", "b")]

CHOICES: dict[str, Sequence[Any]] = {
    **dict.fromkeys(("payload", "token", "head"), BLOBS),
    "password": (b"", b"password:4f2a", b"unknown:3/32"),
    **dict.fromkeys(("topic", "topic_filter", "client_id", "user_name", "method", "origin", "target"), TEXTS),
    **dict.fromkeys(("retain", "dup", "clean_start", "session_present", "confirmable", "separate", "no_local",
                     "retain_as_published"), (False, True)),
    "body": [*BLOBS, FileSlice("", 0, 9), (b"--a", FileSlice("", 0, 1), b"\xff")],
    "version": list(MqttVersion),
    "kind": list(PublishAckKind),
    "flaw": list(Flaw),
    "why": TEXTS,
    "observe": [0, 1, 16_777_215],
}  # fmt: skip
"""By the name of the field; numbers for all others."""


class Draw:
    """Envelopes; the seed says which. Each field has its default as often as not."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def envelope(self, kind: type[Any]) -> Any:
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        names = [field.name for field in fields(kind) if field.name in needed or self._random.random() < 0.5]
        return kind(**{name: self.of(kind, name) for name in names})

    def of(self, kind: type[Any], name: str) -> Any:
        match name:
            case "headers":
                return self.some(lambda: (self.one(TEXTS), self.one(TEXTS)))
            case "properties":
                return self.some(lambda: (self.one(TEXTS), self.one(PROPERTY_VALUES)))
            case "options":
                return self.some(lambda: (self.one([0, 11, 65535]), self.one(BLOBS)))
            case "codes" | "topic_filters":
                return self.some(lambda: self.one([0, 1, 128, 255] if name == "codes" else TEXTS))
            case "subscriptions":
                return self.some(lambda: self.envelope(Subscription))
            case "will":
                return self.envelope(MqttWill)
            case "code" if kind.__name__ == "CoapResponse":
                return self.one(["2.05", "4.04"])
            case _:
                return self.one(CHOICES.get(name, [0, 1, 2, 65_535]))

    def one(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def some(self, make: Callable[[], Any]) -> tuple[Any, ...]:
        return tuple(make() for _ in range(self._random.randrange(4)))


ALL_KINDS = [HttpRequest, HttpResponse, *KINDS.values()]


def test_all_kinds_of_envelope_are_known() -> None:
    assert {*get_args(MqttPacket), *get_args(CoapMessage), HttpRequest, HttpResponse, Undecodable} == set(ALL_KINDS)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_there_and_back(kind: type[Any]) -> None:
    for seed in range(EXAMPLES_OF_EACH):
        envelope: Envelope = Draw(seed).envelope(kind)
        event = TraceEvent(1, 2, "d", Lane.SERVER, "received", envelope, session=seed)
        line = to_line(event, Secrets())
        assert line.isascii()
        found = from_line(line)
        assert found == event
        assert isinstance(found.envelope, kind)


BYTES = SECRET.encode()


@pytest.mark.parametrize(
    "envelope",
    [
        MqttConnect(SECRET, SECRET, BYTES, will=MqttWill(f"a/{SECRET}", BYTES)),
        MqttConnect("c", "u", b"\xff" + BYTES, version=MqttVersion.V5, properties=(("user", (SECRET, SECRET)),)),
        MqttPublish(f"devices/{SECRET}/up", json.dumps({"token": SECRET}).encode(), properties=(("a", BYTES),)),
        MqttSubscribe((Subscription(f"{SECRET}/#"),)),
        MqttUnsubscribe((f"{SECRET}/#",)),
        CoapRequest("POST", "coap://h", f"/api/v1/{SECRET}/telemetry", BYTES, ((1, BYTES),)),
        CoapResponse("2.05", b"\xff" + BYTES),
        HttpRequest("GET", "http://h", f"/?token={SECRET}", (("A", SECRET),), BYTES),
    ],
)
def test_secrets_are_masked_by_value_in_every_field(envelope: Envelope) -> None:
    secrets = Secrets()
    secrets.learn("token", SECRET)
    line = json.dumps(envelope_to_json(envelope, secrets))
    assert SECRET not in line
    assert SECRET not in repr(envelope_from_json(json.loads(line)))
    assert SECRET in repr(envelope_from_json(envelope_to_json(envelope, Secrets())))


def test_only_what_differs_from_the_default_is_written() -> None:
    assert envelope_to_json(MqttConnect("gw-7"), Secrets()) == {"connect": {"client_id": "gw-7"}}
    assert envelope_to_json(MqttPingreq(), Secrets()) == {"pingreq": {}}
    assert envelope_to_json(MqttPublish("t", b"\xff", 1), Secrets()) == {
        "publish": {"topic": "t", "payload": {"base64": "/w=="}, "qos": 1}
    }


@pytest.mark.parametrize(
    "found",
    [{}, {"lounge": {}}, {"connect": {"colour": 1}}, {"publish": {}}, {"publish": {"topic": "a", "payload": 1}},
     {"publish": {"topic": "a", "properties": [["a", None]]}}, {"publish_ack": {"kind": "PUBNO", "packet_id": 1}},
     {"pingreq": {}, "pingresp": {}}, {"connect": {"password": {"base64": "?"}}}],
)  # fmt: skip
def test_what_is_no_envelope(found: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        envelope_from_json(found)
    line = json.dumps({"at_us": 1, "seq": 1, "lane": "server", "kind": "received", "envelope": found})
    with pytest.raises(ValueError, match="no line of a trace"):
        from_line(line)


def body_in_trace(body: bytes, secrets: Secrets) -> Any:
    return envelope_to_json(HttpResponse(200, (), body), secrets)["response"]["body"]


@pytest.mark.parametrize("unit", [b"x", "ü".encode(), "𝄞".encode(), b"\xff"], ids=["ascii", "two", "four", "binary"])
def test_of_a_long_body_the_trace_keeps_the_head_the_size_and_the_digest(unit: bytes) -> None:
    body = unit * (WHOLE_BYTES // len(unit) + 1)
    head, rest = body_in_trace(body, Secrets())
    shown = base64.b64decode(head["base64"]) if isinstance(head, dict) else head.encode()
    assert body.startswith(shown)
    assert HEAD_BYTES - 4 < len(shown) <= HEAD_BYTES
    assert rest == {"more_bytes": len(body) - HEAD_BYTES, "sha256": hashlib.sha256(body).hexdigest()}


def test_a_body_at_the_bound_is_whole() -> None:
    assert body_in_trace(b"x" * WHOLE_BYTES, Secrets()) == "x" * WHOLE_BYTES


@pytest.mark.parametrize("at", range(HEAD_BYTES - 40, HEAD_BYTES + 2_400, 7))
@pytest.mark.parametrize("filler", [b" ", b"\xff"], ids=["text", "binary"])
def test_half_a_secret_at_the_end_of_the_head_is_masked_too(at: int, filler: bytes) -> None:
    secrets = Secrets()
    secrets.learn("token", SECRET)
    head, _ = body_in_trace(filler * at + SECRET.encode() + filler * WHOLE_BYTES, secrets)
    shown = base64.b64decode(head["base64"]) if isinstance(head, dict) else head.encode()
    assert SECRET[:6].encode() not in shown


def test_a_long_body_is_read_back_as_its_head_and_as_long_as_it_was() -> None:
    found = envelope_from_json(envelope_to_json(HttpResponse(200, (), b"x" * 100_000), Secrets()))
    assert isinstance(found, HttpResponse)
    assert body_length(found.body) == 100_000
