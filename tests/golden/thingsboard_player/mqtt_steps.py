"""The MQTT steps of a recording: several connections, and bytes on bare ones."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.simulator.contract.clock import US_PER_S, to_s, to_us
from tests.golden.mqtt_client import CHUNK_BYTES, LIMIT_S, Event, MqttClient
from tests.golden.payloads import payload_bytes
from tests.golden.served import Served
from tests.golden.thingsboard_player.certificates import Certificates
from tests.golden.thingsboard_player.recording import Step
from tests.golden.thingsboard_player.values import Differs

QUIET_S: Final = 15.0
"""How long a step waits, unless it says otherwise."""
ENDED_S: Final = 3.0

Arguments = dict[str, Any]


def _subscribe(client: MqttClient, arguments: Arguments) -> None:
    client.subscribe([(topic_filter, qos) for topic_filter, qos in arguments["filters"]])


def _unsubscribe(client: MqttClient, arguments: Arguments) -> None:
    client.unsubscribe(arguments["topic"])


def _listen(client: MqttClient, arguments: Arguments) -> None:
    """`await` says nothing."""


SAID: Final[Mapping[str, Callable[[MqttClient, Arguments], None]]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "publish": MqttClient.publish,
    "await": _listen,
}
"""What a client says in steps that then take the next packet."""


class MqttSteps:
    def __init__(self, served: Served, certificates: Certificates) -> None:
        self._served = served
        self._certificates = certificates
        self._clients: dict[str, MqttClient] = {}

    def close_all(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def perform(self, step: Step, arguments: Arguments) -> Event:
        match step.do:
            case "raw":
                return self._raw(step, arguments)
            case "connect":
                return self._connect(step, arguments)
            case "await_close":
                return self._await_close(self._client(step), arguments["within_s"])
            case "disconnect":
                self._client(step).disconnect()
                return {}
            case "ping":
                self._client(step).ping()
                return self._client(step).hear_one()
            case _ if step.do in SAID:
                return self._say(self._client(step), step.do, arguments)
            case _:
                raise Differs(f"nobody can {step.do}")

    def _client(self, step: Step) -> MqttClient:
        return self._clients[step.connection]

    def _say(self, client: MqttClient, do: str, arguments: Arguments) -> Event:
        SAID[do](client, arguments)
        if do == "publish" and not arguments.get("qos", 0):
            return {}
        return self._next(client, arguments.get("for_s", QUIET_S)) or {"nothing": True}

    def _connect(self, step: Step, arguments: Arguments) -> Event:
        tls = None
        if step.over == "mqtts":
            tls = self._certificates.context(arguments.get("chain", []), arguments.get("key_of"))
        if step.connection in self._clients:
            self._clients.pop(step.connection).close()
        try:
            client = MqttClient(self._served.port(step.over), arguments.get("protocol", "3.1.1"), tls)
        except OSError as refused:
            return {"handshake_failed": True} if tls is not None else {"refused": type(refused).__name__}
        self._clients[step.connection] = client
        client.connect(arguments)
        event = client.hear_one()
        if event.get("connack", 0) == 0:
            return event
        end = self._next(client, ENDED_S) or {}
        return {"connack": event["connack"], "closed": bool(end.get("closed"))}

    def _next(self, client: MqttClient, for_s: float) -> Event | None:
        """The next thing that comes, if need be after moving the clock."""
        until_us = self._served.now_us + to_us(for_s)
        while True:
            event = self._heard(client)
            if event is not None or self._served.now_us >= until_us:
                return event
            self._served.move_to(until_us)

    def _heard(self, client: MqttClient) -> Event | None:
        """What has come, or comes of what is due by now."""
        for listen in (lambda: None, client.hear_all, self._served.do_what_is_due, client.hear_all):
            listen()
            event = client.next_event()
            if event is not None:
                return event
        return None

    def _await_close(self, client: MqttClient, within_s: float) -> Event:
        began_us, seen = self._served.now_us, []
        while (event := self._next(client, within_s - to_s(self._served.now_us - began_us))) is not None:
            if "closed" in event:
                return {**event, "after_s": (self._served.now_us - began_us) / US_PER_S}
            seen.append(event)
        return {"closed": False, "seen": seen}

    def _raw(self, step: Step, arguments: Arguments) -> Event:
        """Bytes as given; what came back, and whether the server closed."""
        with socket.create_connection(("127.0.0.1", self._served.port(step.over)), LIMIT_S) as peer:
            for part in arguments["send"]:
                peer.sendall(payload_bytes(part))
                self._served.settle()
            self._served.wait(arguments.get("for_s", ENDED_S))
            self._served.settle()
            received, is_closed = _what_lies_there(peer)
        return {"received": received.hex(), "closed": is_closed}


def _what_lies_there(peer: socket.socket) -> tuple[bytes, bool]:
    received = b""
    peer.setblocking(False)
    while True:
        try:
            data = peer.recv(CHUNK_BYTES)
        except BlockingIOError:
            return received, False
        except ConnectionError:
            return received, True
        if not data:
            return received, True
        received += data
