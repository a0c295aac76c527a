"""A ThingsBoard device whose every answer a test gives: no driver, no server, no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.effects import Ask, Await
from fleetrig.simulator.flows.thingsboard.credentials import Credentials, ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.simulator.flows.scripted import ScriptedDevice

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


class Hand(ScriptedDevice):
    """Our device, and the documents of provisioning."""

    def __init__(
        self,
        url: str = MQTT,
        own: Credentials | None = None,
        key: ProvisionKey | None = KEY,
        remembered: Mapping[str, Json] | None = None,
        **settings: Any,
    ) -> None:
        behaviour = ThingsBoardDevice(ThingsBoardSettings(url, **settings), key, own)
        super().__init__(Agent(DeviceIdentity("dev-1"), behaviour), remembered)

    def document(self) -> Any:
        """What it asks for: the last request, over any transport."""
        if isinstance(self.effect, Ask) and isinstance(self.request, HttpRequest):
            assert isinstance(self.request.body, bytes)
            return json.loads(self.request.body)
        if isinstance(self.effect, Ask) and isinstance(self.request, CoapRequest):
            return json.loads(self.request.payload)
        (publish,) = [one for one in self.told if isinstance(one, MqttPublish)]
        return json.loads(publish.payload)

    def publish(self, document: object, topic: str = RESPONSE, qos: int = 1) -> None:
        self.published(topic, document if isinstance(document, bytes) else json.dumps(document).encode(), qos)

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
