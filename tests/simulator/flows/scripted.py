"""A device whose every answer a test gives: no driver, no server, no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)
from fleetrig.simulator.effects import (
    Ask,
    Await,
    ClockReading,
    Connect,
    Disconnect,
    Done,
    DrawnToken,
    DrawToken,
    Effect,
    Enter,
    NoReply,
    Outcome,
    Pause,
    ReadClock,
    Remember,
    Reply,
    Tell,
)
from fleetrig.simulator.transports.inbox import fits

SILENT = (Tell, Disconnect)


class ScriptedDevice:
    """Stops at every effect that needs an answer; what goes without one is noted in `log` and in `told`."""

    def __init__(self, agent: Agent, remembered: Mapping[str, Json] | None = None) -> None:
        self.agent = agent
        if remembered is not None:
            self.agent.settle(Remember(remembered))
        self.log: list[str] = []
        self.told: list[Envelope] = []
        self.entered: list[tuple[str, str]] = []
        """Stage and why."""
        self.effect: Effect | None = None
        self.tells: Outcome = Done()
        """What becomes of all that has no answer."""
        self.clock_us = VIRTUAL_EPOCH_US
        self.tokens = 0
        self.power_on()

    @property
    def name(self) -> str:
        return "" if self.effect is None else effect_name(self.effect)

    @property
    def has_ended(self) -> bool:
        return self.effect is None

    @property
    def stage(self) -> str:
        return self.agent.stage.value

    @property
    def memory(self) -> Mapping[str, Json]:
        return self.agent.remembered

    @property
    def pause(self) -> Pause:
        assert isinstance(self.effect, Pause), self.effect
        return self.effect

    @property
    def hello(self) -> MqttConnect:
        assert isinstance(self.effect, Connect), self.effect
        assert self.effect.envelope is not None
        return self.effect.envelope

    @property
    def request(self) -> Any:
        assert isinstance(self.effect, Ask), self.effect
        return self.effect.request

    def power_on(self) -> None:
        self._settle(self.agent.power_on())

    def power_cycle(self) -> None:
        if self.agent.is_on:
            self.agent.power_cut()
        self.told.clear()
        self.power_on()

    def give(self, outcome: Outcome) -> None:
        if isinstance(self.effect, Await) and isinstance(outcome, Reply):
            assert fits(outcome.envelope, self.effect.patterns), "it does not wait for that"
        self._settle(self.agent.resume(outcome))

    def no_reply(self, why: str = "timeout") -> None:
        self.give(NoReply(why, 1.0))

    def connack(self, code: int = 0) -> None:
        assert isinstance(self.effect, Connect), self.effect
        self.give(Reply(MqttConnack(code), 0.01))

    def puback(self, code: int = 0) -> None:
        assert isinstance(self.request, MqttPublish), self.effect
        self.give(Reply(MqttPublishAck(PublishAckKind.PUBACK, 1, code), 0.01))

    def pong(self) -> None:
        assert isinstance(self.request, MqttPingreq), self.effect
        self.give(Reply(MqttPingresp(), 0.01))

    def http(self, status: int = 200, document: object = None, headers: Headers = ()) -> None:
        assert isinstance(self.request, HttpRequest), self.effect
        self.give(Reply(HttpResponse(status, headers, as_bytes(document)), 0.01))

    def coap(self, code: str, document: object = None, options: CoapOptions = ()) -> None:
        assert isinstance(self.request, CoapRequest), self.effect
        self.give(Reply(CoapResponse(code, as_bytes(document), options), 0.01))

    def waited(self) -> None:
        self.give(Done(self.pause.at_least_s))

    def published(self, topic: str, document: object = None, qos: int = 1) -> None:
        """The server has sent it a PUBLISH."""
        assert isinstance(self.effect, Await), self.effect
        self.give(Reply(MqttPublish(topic, as_bytes(document), qos, packet_id=7 if qos else 0), 0.01))

    def _settle(self, effect: Effect | None) -> None:
        while effect is not None:
            self.log.append(effect_name(effect))
            if isinstance(effect, Remember | Enter):
                if isinstance(effect, Enter):
                    self.entered.append((effect.stage.value, effect.why))
                effect = self.agent.resume(self.agent.settle(effect))
            elif isinstance(effect, ReadClock):
                effect = self.agent.resume(ClockReading(self.clock_us))
            elif isinstance(effect, DrawToken):
                self.tokens += 1
                effect = self.agent.resume(DrawnToken(f"{self.tokens:0{2 * effect.random_bytes}x}"))
            elif isinstance(effect, SILENT):
                if isinstance(effect, Tell):
                    self.told.append(effect.envelope)
                effect = self.agent.resume(self.tells if isinstance(effect, Tell) else Done())
            else:
                break
        self.effect = effect


def as_bytes(document: object) -> bytes:
    return b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
