"""A ThingsBoard device whose every answer a test gives: no driver, no server, no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleetrig.simulator.agent import Agent, effect_name
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
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
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from fleetrig.simulator.transports.inbox import fits

MQTT, MQTTS, HTTP, COAP, COAPS = (
    f"{scheme}://tb.test:{port}"
    for scheme, port in (("mqtt", 1883), ("mqtts", 8883), ("http", 8080), ("coap", 5683), ("coaps", 5684))
)
KEY = ProvisionKey("a-provision-key", "a-provision-secret")
TOKEN = "oTgXy2K3pQ9vLw7Zr1Bd"
RESPONSE = "/provision/response"
SUCCESS = {"credentialsValue": TOKEN, "credentialsType": "ACCESS_TOKEN", "status": "SUCCESS"}
NOT_FOUND = {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}
FAILURE = {"errorMsg": "Failed to provision device!", "status": "FAILURE"}
SILENT = (Tell, Disconnect)


class Hand:
    """Stops at every effect that needs an answer; what goes without one is noted in `log` and in `told`."""

    def __init__(
        self,
        url: str = MQTT,
        own: Credentials | None = None,
        key: ProvisionKey | None = KEY,
        remembered: Mapping[str, Json] | None = None,
        **settings: Any,
    ) -> None:
        self.agent = Agent(DeviceIdentity("dev-1"), ThingsBoardDevice(ThingsBoardSettings(url, **settings), key, own))
        if remembered is not None:
            self.agent.settle(Remember(remembered))
        self.log: list[str] = []
        self.told: list[Envelope] = []
        self.entered: list[tuple[str, str]] = []
        """Stage and why."""
        self.effect: Effect | None = None
        self.tells: Outcome = Done()
        """What becomes of all that has no answer."""
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

    def document(self) -> Any:
        """What it asks for: the last request, over any transport."""
        if isinstance(self.effect, Ask) and isinstance(self.request, HttpRequest):
            assert isinstance(self.request.body, bytes)
            return json.loads(self.request.body)
        if isinstance(self.effect, Ask) and isinstance(self.request, CoapRequest):
            return json.loads(self.request.payload)
        (publish,) = [one for one in self.told if isinstance(one, MqttPublish)]
        return json.loads(publish.payload)

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

    def publish(self, document: object, topic: str = RESPONSE, qos: int = 1) -> None:
        assert isinstance(self.effect, Await), self.effect
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.give(Reply(MqttPublish(topic, body, qos, packet_id=7 if qos else 0), 0.01))

    def puback(self, code: int = 0) -> None:
        assert isinstance(self.request, MqttPublish), self.effect
        self.give(Reply(MqttPublishAck(PublishAckKind.PUBACK, 1, code), 0.01))

    def pong(self) -> None:
        assert isinstance(self.request, MqttPingreq), self.effect
        self.give(Reply(MqttPingresp(), 0.01))

    def http(self, status: int = 200, document: object = None) -> None:
        assert isinstance(self.request, HttpRequest), self.effect
        self.give(Reply(HttpResponse(status, (), _bytes(document)), 0.01))

    def coap(self, code: str, document: object = None) -> None:
        assert isinstance(self.request, CoapRequest), self.effect
        self.give(Reply(CoapResponse(code, _bytes(document)), 0.01))

    def waited(self) -> None:
        self.give(Done(self.pause.at_least_s))

    def answered(self, document: object) -> None:
        """Takes the device from where it asks to the answer of the server, over any transport."""
        if self.name == "provision-connect":
            self.connack()
        match self.effect:
            case Await():
                self.publish(document)
            case Ask(request=HttpRequest()):
                self.http(200, document)
            case _:
                is_good = isinstance(document, dict) and document.get("status") == "SUCCESS"
                self.coap("2.01" if is_good else "4.00", document)

    def _settle(self, effect: Effect | None) -> None:
        while effect is not None:
            self.log.append(effect_name(effect))
            if isinstance(effect, Remember | Enter):
                if isinstance(effect, Enter):
                    self.entered.append((effect.stage.value, effect.why))
                effect = self.agent.resume(self.agent.settle(effect))
            elif isinstance(effect, SILENT):
                if isinstance(effect, Tell):
                    self.told.append(effect.envelope)
                effect = self.agent.resume(self.tells if isinstance(effect, Tell) else Done())
            else:
                break
        self.effect = effect


def _bytes(document: object) -> bytes:
    return b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
