"""An MQTT client that says exactly what it is told and hears every packet in the order in which it came.

It acknowledges nothing, pings nobody and waits no longer than a row says: what a library would do by itself would hide
what a server does.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from time import monotonic

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.expect import Mismatch, expect
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.mqtt_bytes import CLOSED, Heard
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench, system_said

CHUNK_BYTES = 65_536
PACKET_ID = 7


class ExactMqtt:
    """One connection. `level`: 4 is MQTT 3.1.1, 5 is 5. Raises BrokenBench when nobody listens."""

    def __init__(
        self,
        host: str,
        port: int,
        level: int = 4,
        tls: ssl.SSLContext | None = None,
        within_s: float = 20.0,
        server_name: str | None = None,
    ) -> None:
        """`server_name`: what TLS asks for (SNI), empty for nothing; the host when it is None."""
        self.level = level
        self.within_s = within_s
        self._data = b""
        self.first = b""
        """The first bytes that came, whatever they are."""
        self.alert = ""
        """What TLS said at the end of the connection: a server of TLS 1.3 refuses certificates after the handshake."""
        try:
            self._socket = socket.create_connection((host, port), within_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each packet for itself
        except OSError as error:
            raise BrokenBench(f"nobody answers at {host}:{port} (MQTT): {system_said(error)}") from None
        if tls is not None:
            self._wrap(tls, host if server_name is None else server_name)

    def _wrap(self, tls: ssl.SSLContext, server_name: str) -> None:
        try:
            self._socket = tls.wrap_socket(self._socket, server_hostname=server_name or None)
        except OSError as error:
            self._socket.close()
            raise HandshakeRefused(str(error)) from None

    def connect(
        self,
        client_id: str = "",
        user_name: str | None = None,
        password: str | None = None,
        *,
        clean: bool = True,
        keep_alive_s: int = 60,
        will: tuple[str, bytes] | None = None,
    ) -> str:
        """The answer to CONNECT. `will`: topic and payload."""
        self.say_connect(client_id, user_name, password, clean=clean, keep_alive_s=keep_alive_s, will=will)
        return self.hear().line

    def say_connect(
        self,
        client_id: str = "",
        user_name: str | None = None,
        password: str | None = None,
        *,
        clean: bool = True,
        keep_alive_s: int = 60,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        """Without hearing the answer: others may say theirs meanwhile."""
        self.send(
            mqtt_bytes.connect(
                self.level, client_id, user_name, password, clean=clean, keep_alive_s=keep_alive_s, will=will
            )
        )

    def subscribe(self, topic_filter: str, qos: int = 1) -> str:
        """The answer to SUBSCRIBE."""
        self.say_subscribe(topic_filter, qos)
        return self.hear().line

    def say_subscribe(self, topic_filter: str, qos: int) -> None:
        self.send(mqtt_bytes.subscribe(self.level, topic_filter, qos, PACKET_ID))

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        self.send(mqtt_bytes.publish(self.level, topic, payload, qos, PACKET_ID))

    def ping(self) -> None:
        self.send(mqtt_bytes.packet(mqtt_bytes.PINGREQ, b""))

    def send(self, data: bytes) -> None:
        """Bytes as they are. That the server has gone is heard when what came before has been read."""
        try:
            self._socket.sendall(data)
        except (ConnectionError, ssl.SSLError):
            return

    def hear(self, within_s: float | None = None) -> Heard:
        """The next packet, or `CLOSED`. Raises Mismatch when neither comes in time, or what comes is no packet.

        An acknowledgement of another packet than ours says so: `PUBACK for packet 9`.
        """
        within_s = self.within_s if within_s is None else within_s
        ends_s = monotonic() + within_s
        while True:
            try:
                found = mqtt_bytes.take_packet(self._data)
                if found is not None:
                    kind, flags, body, self._data = found
                    return _ours(mqtt_bytes.read(kind, flags, body, self.level))
            except (ValueError, IndexError) as wrong:
                raise Mismatch(Finding("an MQTT packet", f"{self._data[:40].hex()} ({wrong})")) from None
            if not self._read(ends_s, within_s):
                return self._ended()

    def _ended(self) -> Heard:
        """Raises Mismatch when the connection has ended within a packet."""
        if self._data:
            raise Mismatch(Finding("a whole MQTT packet", f"{self._data[:40].hex()}, then the end of the connection"))
        return CLOSED

    def _read(self, ends_s: float, within_s: float) -> bool:
        """False when the connection has ended."""
        left_s = ends_s - monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            data = self._socket.recv(CHUNK_BYTES)
        except TimeoutError:
            raise Mismatch(Finding(f"a packet or the end within {within_s:g} s", "nothing")) from None
        except OSError as error:
            self.alert = str(error.reason or "") if isinstance(error, ssl.SSLError) else ""
            data = b""
        self.first = self.first or data
        self._data += data
        return bool(data)

    def expect_heard(self, what: str, *lines: str) -> list[Heard]:
        """These packets come next, in this order."""
        heard = []
        for line in lines:
            heard.append(self.hear())
            expect(f"{what}: packet {len(heard)}", line, heard[-1].line)
        return heard

    def expect_open(self, what: str) -> None:
        """A ping is answered, and nothing else comes before."""
        self.ping()
        self.expect_heard(f"{what}: the connection stays open, a ping is answered", "PINGRESP")

    def close(self) -> None:
        self._socket.close()


def _ours(heard: Heard) -> Heard:
    if not heard.packet_id or heard.packet_id == PACKET_ID or heard.line.startswith("PUBLISH"):
        return heard
    return replace(heard, line=f"{heard.line} for packet {heard.packet_id}")
