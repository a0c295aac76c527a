"""A Hono device whose every answer a test gives: no driver, no server, no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity, UserPassword
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttSuback, MqttSubscribe
from fleetrig.simulator.effects import Ask, Connect, Reply
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import HonoSettings
from tests.simulator.flows.scripted import ScriptedDevice

HTTP, HTTPS, MQTT, MQTTS, COAPS = (
    f"{scheme}://acme.hono.test:{port}"
    for scheme, port in (("http", 8080), ("https", 8443), ("mqtt", 1883), ("mqtts", 8883), ("coaps", 5684))
)
LOGIN = UserPassword("sensor1@acme", "hono-secret")
ENROLLED = {"stage": "enrolled"}
CONNACKS = {401: 4, 403: 5, 503: 3}


class HonoHand(ScriptedDevice):
    """Our device, and its server's answers in the words of HTTP, over any transport."""

    def __init__(
        self,
        url: str = HTTPS,
        login: UserPassword | None = None,
        remembered: Mapping[str, Json] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(Agent(DeviceIdentity("dev-1"), HonoDevice(HonoSettings(url, **settings), login)), remembered)

    def body(self) -> Any:
        match self.request:
            case HttpRequest(body=bytes(body)) | CoapRequest(payload=body) | MqttPublish(payload=body):
                return json.loads(body)
            case other:
                raise AssertionError(f"{other!r} has no body")

    def suback(self, *codes: int) -> None:
        assert isinstance(self.request, MqttSubscribe), self.effect
        self.give(Reply(MqttSuback(1, codes), 0.01))

    def accept(self) -> None:
        """Lets it in, and takes what it says."""
        if isinstance(self.effect, Connect):
            self.connack()
        if isinstance(self.effect, Ask) and isinstance(self.request, MqttSubscribe):
            self.suback(*(one.qos for one in self.request.subscriptions))
        match self.request:
            case HttpRequest():
                self.http(202)
            case CoapRequest():
                self.coap("2.04")
            case _:
                self.puback()

    def refuse(self, status: int) -> None:
        """Does not let it in."""
        match self.effect:
            case Connect():
                self.connack(CONNACKS[status])
            case Ask(request=HttpRequest()):
                self.http(status)
            case _:
                self.coap(f"{status // 100}.{status % 100:02}")
