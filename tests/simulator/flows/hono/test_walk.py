"""Long walks: any answer at any effect, and power cuts in between. Whatever a server says, the rules below hold.

No move may be illegal: that would be a ModelError, which nothing here catches. Each walk is drawn from its own seed.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity, UserPassword
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
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
    Request,
    Tell,
)
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.life import Complaint
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings
from tests.simulator.flows.hono.hand import COAPS, HTTP, HTTPS, LOGIN, MQTT, MQTTS

STEPS = 400
WALKS = 60
WHYS = ("refused", "reset", "timeout", "closed", "truncated", "malformed", "tls", "unreachable")
STATUSES = (400, 401, 401, 403, 403, 404, 409, 413, 429, 500, 503)
COMMAND = (("hono-command", "setInterval"), ("hono-cmd-req-id", "7"))
LOCATION = ((8, b"command_response"), (8, b"7"), (20, b"hono-command=on"))
TOPICS = ("command///req/7/on", "command///req//on", "command//e1/req/7/on", "command/odd")


def makes() -> list[HonoDevice]:
    def make(url: str, login: UserPassword | None = None, **settings: Any) -> HonoDevice:
        return HonoDevice(HonoSettings(url, **settings), login)

    return [
        make(HTTPS, ttd_s=5),
        make(MQTTS, ttd_s=5),
        make(COAPS, ttd_s=5),
        make(HTTP, LOGIN, edge_devices=("e1", "e2"), endpoint=Endpoint.EVENT),
        make(MQTT, LOGIN, edge_devices=("e1", "e2"), start_spread_s=5.0, ttd_s=5),
        make(COAPS, edge_devices=("e1",), telemetry_messages=3),
        make(MQTTS, at_least_once=False),
        make(COAPS, at_least_once=False),
    ]


def outcome(effect: Effect, draw: Random, luck: float) -> Outcome:
    """Anything that can become of an effect; `luck` is how often it is good."""
    if isinstance(effect, Connect | Ask | Await | Tell) and draw.random() < 0.1:
        return NoReply(draw.choice(WHYS), 0.1)
    is_good = draw.random() < luck
    match effect:
        case Connect():
            return Reply(MqttConnack(0 if is_good else draw.choice((1, 3, 4, 5, 0x80, 0x87, 0x97))), 0.1)
        case Ask(request=request):
            return Reply(answer(request, draw, is_good=is_good), 0.1)
        case Await("idle"):
            if draw.random() < 0.3 and len(effect.patterns) > 1:
                return Reply(MqttPublish(draw.choice(TOPICS), b"{}", 1, packet_id=3), 0.1)
            return NoReply("timeout", effect.at_least_s) if is_good else Reply(MqttDisconnect(0x98), 0.1)
        case Await():
            error = MqttPublish(f"error///telemetry/1/{draw.choice(STATUSES)}", b"{}")
            return Reply(MqttPublishAck(PublishAckKind.PUBACK, 1) if is_good else error, 0.1)
        case Pause(at_least_s):
            return Done(at_least_s)
        case _:
            return Done()


def answer(request: Request, draw: Random, *, is_good: bool) -> Envelope:
    status = draw.choice(STATUSES)
    has_command = draw.random() < 0.3
    match request:
        case HttpRequest() if is_good:
            return HttpResponse(200, COMMAND, b'{"seconds": 30}') if has_command else HttpResponse(202)
        case HttpRequest():
            return HttpResponse(status, (("Retry-After", "2"),))
        case CoapRequest() if is_good:
            return CoapResponse("2.04", b"x", LOCATION if has_command else ())
        case CoapRequest():
            return draw.choice((CoapResponse(f"{status // 100}.{status % 100:02}"), CoapReset()))
        case MqttSubscribe():
            return MqttSuback(1, (1 if is_good else 0x80,))
        case MqttPublish():
            return MqttPublishAck(PublishAckKind.PUBACK, 1, 0 if is_good else 0x80)
        case _:
            return MqttPingresp()


class Walk:
    """One device, and what is watched of it."""

    def __init__(self, make: HonoDevice, seed: int) -> None:
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
            self.endings[Complaint(str(self.agent.remembered["fault"]))] += 1
        else:
            self.endings[self.agent.stage] += 1
        self.calls, self.is_connected = 0, False

    def watch(self, effect: Effect) -> None:
        self.seen[effect_name(effect)] += 1
        match effect:
            case Pause(at_least_s, at_most_s, why):
                is_soon = why in ("start spread", "lost race")
                assert 1.0 <= at_least_s <= at_most_s <= 3600.0 or is_soon
                assert not self.is_connected, "a connected device does not pause"
                self.calls = 0
            case Await("idle", at_least_s=at_least_s):
                assert at_least_s > 0
                self.calls = 0
            case Connect():
                assert not self.is_connected, "one connection at a time"
                self.is_connected = True
                self.calls += 1
            case Ask():
                self.calls += 1
            case Enter("enrolled" | "online"):
                assert self.agent.remembered["stage"] == "enrolled", "remembered before it is told"
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
    assert {Complaint.NO_HANDSHAKE, Complaint.BAD_CREDENTIALS, Complaint.NOT_AUTHORIZED} & endings.keys()
