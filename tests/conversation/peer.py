"""A blocking client of the toy front."""

from __future__ import annotations

import socket
import ssl
from typing import Self

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttConnect
from tests.conversation.echo_platform import PASSWORD
from tests.conversation.toy_front import FrameReader, to_frame

LIMIT_S = 20.0


class ToyPeer:
    """`say` sends, `hear` waits for the next envelope, for `LIMIT_S` at most."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._frames = FrameReader()
        self._heard: list[Envelope] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def connect(self, client_id: str) -> str:
        self.say(MqttConnect(client_id, password=PASSWORD.encode()))
        return self.hear().line

    def say(self, envelope: Envelope) -> None:
        self.socket.sendall(to_frame(envelope))

    def hear(self) -> Envelope:
        """Raises EOFError when the server closes, ConnectionResetError when it resets."""
        while not self._heard:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError("closed")
            self._heard += self._frames.feed(data)
        return self._heard.pop(0)
