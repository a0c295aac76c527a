"""One MQTT 3.1.1 connection to a broker, whose packets are read as they stand on the wire.

Nothing waits in real time for what does not come: a PINGREQ is answered after all that the broker had to say.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from fleetrig.simulator.contract.mqtt import MqttPacket, MqttPingreq, MqttPingresp, MqttVersion
from tests.reference_server.mqtt_codec.client_wire import ServerBytes, to_server

LIMIT_S: Final = 20.0
CHUNK_BYTES: Final = 65_536


class Peer:
    """It acknowledges nothing by itself."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = ServerBytes(b"", MqttVersion.V311)
        self._waiting: list[MqttPacket] = []
        self.is_over = False
        """The broker has ended the connection."""

    def say(self, packet: MqttPacket) -> None:
        with suppress(ConnectionError):  # the end is heard when what came before it has been read
            self._socket.sendall(to_server(packet))

    def hear_all(self) -> list[MqttPacket]:
        """What has come since the last time, and all that the broker still had to say."""
        heard: list[MqttPacket] = []
        self.say(MqttPingreq())
        while not self.is_over:
            heard += self._read()
            if any(isinstance(packet, MqttPingresp) for packet in heard):
                break
        return [packet for packet in heard if not isinstance(packet, MqttPingresp)]

    def hear_one(self) -> MqttPacket | None:
        """The next packet, which must come; None at the end of the connection."""
        heard: list[MqttPacket] = []
        while not heard and not self.is_over:
            heard = self._read()
        assert len(heard) <= 1, heard
        return heard[0] if heard else None

    def hear_next(self) -> MqttPacket | None:
        """The next packet, whenever it comes; None at the end of the connection."""
        while not self._waiting and not self.is_over:
            self._waiting += self._read()
        return self._waiting.pop(0) if self._waiting else None

    def hears_the_end(self) -> bool:
        """Whether the broker has ended the connection after a DISCONNECT."""
        while not self.is_over and not self._read():
            pass
        return self.is_over

    def end(self) -> None:
        """Also for who waits for a packet in another thread."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> list[MqttPacket]:
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            self.is_over = True
            return []
        self._wire.data += data
        return self._wire.packets()
