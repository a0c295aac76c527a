"""Long walks: any answer at any effect, and power cuts in between. Whatever a server says, the rules below hold.

No move may be illegal: that would be a ModelError, which nothing here catches. Each walk is drawn from its own seed.
"""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)
from fleetrig.simulator.effects import (
    Ask,
    Await,
    Connect,
    Disconnect,
    Done,
    Effect,
    Enter,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    Tell,
)
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, OwnCertificate
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.simulator.flows.thingsboard.hand import COAP, FAILURE, HTTP, KEY, MQTT, MQTTS, NOT_FOUND, SUCCESS

STEPS = 400
WALKS = 60
BASIC = {"clientId": "c", "userName": "u", "password": "p"}
DOCUMENTS: list[Any] = [
    SUCCESS, SUCCESS, SUCCESS, NOT_FOUND, FAILURE, FAILURE, [], None, "x", {"status": "SUCCESS"},
    {"status": "SUCCESS", "credentialsType": "MQTT_BASIC", "credentialsValue": BASIC},
    {"status": "SUCCESS", "credentialsType": "X509_CERTIFICATE", "credentialsValue": "MIIB"},
]  # fmt: skip
WHYS = ("refused", "reset", "timeout", "closed", "truncated", "malformed", "tls", "unreachable")
GIVES_UP = {"not_found", "failure", "lost_answer", "credentials_lost", "credentials_refused", "credentials_unfit"}


def makes() -> list[ThingsBoardDevice]:
    def make(url: str, own: Credentials | None = None, **settings: Any) -> ThingsBoardDevice:
        return ThingsBoardDevice(ThingsBoardSettings(url, **settings), KEY, own)

    return [
        make(MQTT),
        make(HTTP),
        make(COAP),
        make(HTTP, telemetry_url=MQTTS, own=OwnCertificate("leaf")),
        make(MQTT, children=("k",), telemetry_messages=3, start_spread_s=5.0),
        ThingsBoardDevice(ThingsBoardSettings(MQTTS), None),
    ]


def outcome(effect: Effect, draw: Random, luck: float) -> Outcome:
    """Anything that can become of an effect; `luck` is how often it is good."""
    body = json.dumps(draw.choice(DOCUMENTS)).encode()
    if isinstance(effect, Connect | Ask | Await | Tell) and draw.random() < 0.1:
        return NoReply(draw.choice(WHYS), 0.1)
    is_good = draw.random() < luck
    ack = MqttPublishAck(PublishAckKind.PUBACK, 1, 0 if is_good else 0x83)
    match effect:
        case Connect():
            return Reply(MqttConnack(0 if is_good else draw.choice((2, 5, 0x87, 0x88))), 0.1)
        case Ask(request=HttpRequest()):
            return Reply(HttpResponse(200 if is_good else draw.choice((401, 401, 403, 500)), (), body), 0.1)
        case Ask(request=CoapRequest()):
            code = "2.01" if is_good else draw.choice(("4.00", "4.01", "4.01"))
            return Reply(CoapResponse(code, body) if draw.random() < 0.9 else CoapReset(), 0.1)
        case Ask(request=MqttPublish()):
            return Reply(ack, 0.1)
        case Ask():
            return Reply(MqttPingresp(), 0.1)
        case Await("idle"):
            return NoReply("timeout", 1.0) if is_good else Reply(MqttDisconnect(0x98), 0.1)
        case Await():
            return Reply(MqttPublish("/provision/response", body, 1, packet_id=3) if is_good else ack, 0.1)
        case Pause(at_least_s):
            return Done(at_least_s)
        case _:
            return Done()


class Walk:
    """One device, and what is watched of it."""

    def __init__(self, make: ThingsBoardDevice, seed: int) -> None:
        self.draw = Random(seed)
        self.luck = self.draw.choice((0.2, 0.7, 0.9))
        self.agent = Agent(DeviceIdentity("dev-1"), make)
        self.calls = 0
        """Connections and requests since it last let time pass."""
        self.is_connected = False
        self.endings: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    def go(self) -> None:
        effect = self.agent.power_on()
        for _ in range(STEPS):
            if effect is None or self.draw.random() < 0.02:
                self.note_end(effect)
                effect = self.agent.power_on()
                continue
            self.watch(effect)
            if isinstance(effect, Remember | Enter):
                effect = self.agent.resume(self.agent.settle(effect))
            else:
                came = outcome(effect, self.draw, self.luck)
                self.is_connected = self.is_connected and not isinstance(effect, Disconnect)
                effect = self.agent.resume(came)

    def note_end(self, effect: Effect | None) -> None:
        if effect is not None:
            self.agent.power_cut()
        elif self.agent.stage == "refused":
            fault = str(self.agent.remembered["fault"])
            assert fault in GIVES_UP
            self.endings[fault] += 1
        else:
            self.endings[self.agent.stage] += 1
        self.calls, self.is_connected = 0, False

    def watch(self, effect: Effect) -> None:
        self.seen[effect_name(effect)] += 1
        match effect:
            case Pause(at_least_s, at_most_s, why):
                assert 1.0 <= at_least_s <= at_most_s <= 300.0 or why == "start spread"
                assert not self.is_connected, "a connected device does not pause"
                self.calls = 0
            case Await(at_least_s=at_least_s):
                assert at_least_s >= 1.0
                self.calls = 0 if effect.name == "idle" else self.calls
            case Connect():
                assert not self.is_connected, "one connection at a time"
                self.is_connected = True
                self.calls += 1
            case Ask():
                self.calls += 1
            case Tell("provision-request"):
                assert self.agent.remembered["asked"] is True, "remembered before the server is told"
            case Tell("provision-leave"):
                assert {"stage", "credentials"} <= self.agent.remembered.keys() or ("asked" in self.agent.remembered), (
                    "stored before it leaves"
                )
            case Enter("enrolled" | "online"):
                assert self.agent.remembered["stage"] == "enrolled"
                assert "credentials" in self.agent.remembered
            case _:
                pass
        assert self.calls <= 12, "never a spin"


@pytest.mark.slow
@pytest.mark.parametrize("which", range(len(makes())))
def test_any_answer_and_any_power_cut(which: int) -> None:
    endings: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for seed in range(WALKS):
        walk = Walk(makes()[which], seed)
        walk.go()
        endings += walk.endings
        seen += walk.seen
    assert {"enter-online", "pause-backoff", "enter-refused"} <= seen.keys()
    if which < 3:
        assert {"not_found", "lost_answer", "credentials_refused", "credentials_unfit"} <= endings.keys()
