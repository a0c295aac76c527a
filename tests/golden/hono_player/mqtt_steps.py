"""The MQTT steps of a row: several connections."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from fleetrig.simulator.contract.clock import to_us
from tests.golden.hono_player.certificates import Certificates, alert_in
from tests.golden.mqtt_client import Event, MqttClient
from tests.golden.served import Served

VERSIONS: Final = {4: "3.1.1", 5: "5"}
QUIET_S: Final = 12.0
"""How long a step waits, unless it says otherwise."""
PAYLOAD: Final = {"temp": 5}
NUMBERS: Final = count(1)


class MqttSteps:
    def __init__(self, served: Served, certificates: Certificates) -> None:
        self._served = served
        self._certificates = certificates
        self._clients: dict[str | None, MqttClient] = {}

    def close_all(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def connect(self, request: dict[str, Any]) -> Event:
        """A connection without a name stays open too, until the next one without."""
        tls = None
        if request.get("clientCert"):
            tls = self._certificates.context(request["clientCert"], request.get("chain"))
        port = self._served.port("mqtts" if tls else "mqtt")
        try:
            client = MqttClient(port, VERSIONS[request["protocol"]], tls, request.get("sni"))
        except ssl.SSLError as refused:
            return {"connack": None, "tls_alert": alert_in(refused).replace(" ", "_")}
        name = request.get("session")
        if name in self._clients:
            self._clients.pop(name).close()
        self._clients[name] = client
        client.connect(
            {
                "client_id": request.get("clientId") or f"player-{next(NUMBERS)}",
                "username": request.get("user"),
                "password": request.get("password"),
            }
        )
        event = client.hear_one()
        if "connack" not in event:
            return outcome_of(event)
        return {"connack": event["connack"], "session_present": int(event["session_present"])}

    def connect_at_once(self, how_many: int, certificate: str) -> list[Event]:
        """All have shaken hands before the first says CONNECT, and all have said it before the first is heard."""
        tls = self._certificates.context(certificate, None)
        clients = [MqttClient(self._served.port("mqtts"), "3.1.1", tls, None) for _ in range(how_many)]
        for number, client in enumerate(clients):
            client.connect({"client_id": f"racer-{number}"})
        events = [client.hear_one() for client in clients]
        for client in clients:
            client.close()
        return events

    def subscribe(self, request: dict[str, Any]) -> Event:
        client = self._clients[request["session"]]
        client.subscribe([(request["topic"], 0)])
        event = self._first(client, lambda event: "suback" in event)
        return {"suback": event["suback"][0]} if "suback" in event else outcome_of(event)

    def publish(self, request: dict[str, Any]) -> Event:
        client = self._clients[request["session"]]
        client.publish({"topic": request["topic"], "qos": request["qos"], "payload": PAYLOAD})
        return outcome_of(self._first(client, lambda event: True))

    def wait(self, request: dict[str, Any]) -> Event:
        client = self._clients[request["session"]]
        return outcome_of(self._first(client, lambda event: True, request["seconds"]))

    def _first(self, client: MqttClient, is_it: Callable[[Event], bool], for_s: float = QUIET_S) -> Event:
        """The first of what comes that is it, or the end; if need be after moving the clock."""
        until_us = self._served.now_us + to_us(for_s)
        while True:
            for listen in (client.hear_all, self._served.do_what_is_due, client.hear_all):
                listen()
                while (event := client.next_event()) is not None:
                    if is_it(event) or "closed" in event:
                        return event
            if self._served.now_us >= until_us:
                return {}
            self._served.move_to(until_us)


def outcome_of(event: Event) -> Event:
    match event:
        case {"publish": {"topic": topic, "payload": payload}}:
            said = json.loads(payload) if isinstance(payload, str) else payload
            code = said.get("code") if isinstance(said, dict) else None
            return {"outcome": "message", "topic": topic, "code": code}
        case {"puback": _}:
            return {"outcome": "puback"}
        case {"closed": True}:
            return {"outcome": "closed"}
        case {}:
            return {"outcome": "nothing"} if not event else {"outcome": next(iter(event))}
