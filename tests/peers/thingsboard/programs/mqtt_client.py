"""What the four programs over MQTT share: ask with paho-mqtt as the page does, then log in and send a temperature."""

from __future__ import annotations

import json
from queue import Queue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

HOST = "127.0.0.1"
ANSWER_WITHIN_S = 30.0
SENDS = json.dumps({"temperature": 21.5})


def provision(client: Client, port: str, request: dict[str, str]) -> dict[str, Any]:
    """The reply, after the session has been left. Raises SystemExit unless it says SUCCESS."""
    replies: Queue[bytes] = Queue()

    def asks(*_: object) -> None:
        client.subscribe("/provision/response")
        client.publish("/provision/request", json.dumps(request))

    def hears(_client: Client, _data: object, message: MQTTMessage) -> None:
        replies.put(bytes(message.payload))

    client.on_connect, client.on_message = asks, hears
    client.username_pw_set("provision")
    client.connect(HOST, int(port))
    client.loop_start()
    reply: dict[str, Any] = json.loads(replies.get(timeout=ANSWER_WITHIN_S))
    client.disconnect()
    client.loop_stop()
    print(json.dumps(reply), flush=True)
    if reply["status"] != "SUCCESS":
        raise SystemExit(reply["status"])
    return reply


def send_temperature(client: Client, port: str) -> None:
    """Logs in and waits until the server has acknowledged what it was sent."""
    client.connect(HOST, int(port))
    client.loop_start()
    client.publish("v1/devices/me/telemetry", SENDS, qos=1).wait_for_publish(ANSWER_WITHIN_S)
    client.disconnect()
    client.loop_stop()


def new_client(client_id: str = "") -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id)
