"""MQTT in real time: a device's connection, over TCP or TLS, on the event loop that runs."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.paho_codec import PahoCodec
from fleetrig.simulator.transports.stream_socket import StreamSocket, open_stream

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


async def open_mqtt(where: str, tls: DeviceTls, *, source_address: str = "") -> MqttWire:
    """An `Opener` for `mqtt://host:1883` and `mqtts://host:8883`; `source_address` as for `open_stream`.

    Raises OSError, and ValueError for an address that is none.
    """
    url = urlsplit(where)
    if not url.hostname:
        raise ValueError(f"{where} names no host")
    context = tls.context if url.scheme == "mqtts" else None
    port = url.port or PORTS[url.scheme]
    return MqttWire(await open_stream(url.hostname, port, context, source_address=source_address))


class MqttWire:
    """A `Wire`: the packets of the flow and those of the server, in their order, and nothing besides."""

    __slots__ = ("_codec", "_flaw", "_stream")

    def __init__(self, stream: StreamSocket) -> None:
        self._stream = stream
        self._codec = PahoCodec()
        self._flaw: ValueError | None = None

    async def send(self, envelope: Envelope) -> None:
        await self._stream.send(self._codec.encode(envelope))

    async def receive(self) -> Envelope:
        """What came before the end, or before bytes that are no packet, comes first."""
        while not self._codec.came:
            if self._flaw is not None:
                raise self._flaw
            data = await self._stream.recv()
            if not data:
                raise EOFError("the server has closed the connection")
            try:
                self._codec.feed(data)
            except ValueError as error:
                self._flaw = error
        return self._codec.came.popleft()

    def give_up(self, request: Envelope) -> None:
        """Nothing is repeated here, so nothing has to end."""

    async def close(self) -> None:
        self._stream.close()
