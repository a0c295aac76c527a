"""A device's MQTT connection under gevent: paho-mqtt's codec on gevent's sockets.

A device waits for one thing at a time, and it reads by itself: nothing runs beside it. What comes while it does
something else stays with the kernel until its next `Ask` or `Await`, which puts it into the inbox.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.drivers.load.stream import BLOCK_BYTES, Dialler, Stream
from fleetrig.simulator.transports.inbox import Inbox
from fleetrig.simulator.transports.paho_codec import PahoCodec

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class MqttLine:
    """An open connection. All calls raise OSError, EOFError, and ValueError for bytes that are no packet."""

    __slots__ = ("_codec", "_dropped", "_ended", "_inbox", "_stream")

    def __init__(self, stream: Stream, dropped: Callable[[Envelope], None]) -> None:
        """`dropped` gets what the inbox had no room for."""
        self._stream = stream
        self._codec = PahoCodec()
        self._inbox = Inbox()
        self._dropped = dropped
        self._ended: Exception | None = None

    @property
    def has_ended(self) -> bool:
        """True when the server, or an error, has ended it."""
        return self._ended is not None

    def tell(self, envelope: Envelope) -> None:
        """Sends an envelope that has no answer."""
        if self._ended is not None:
            raise self._ended
        self._stream.sendall(self._codec.encode(self._inbox.numbered(envelope)))

    def ask(self, request: Envelope, sent: Callable[[], None]) -> Envelope:
        """The answer to a request. Raises ModelError for a request that has none."""
        numbered = self._inbox.numbered(request)
        self._inbox.want_answer(numbered)
        try:
            self.tell(numbered)
            sent()
            return self._wanted()
        finally:
            self._inbox.want_nothing()

    def wait_for(self, patterns: tuple[str, ...]) -> Envelope:
        """The oldest envelope in the inbox that fits, or the next that comes."""
        found = self._inbox.want_fitting(patterns)
        try:
            return self._wanted() if found is None else found
        finally:
            self._inbox.want_nothing()

    def close(self) -> None:
        """The device ends it."""
        self._stream.close()

    def _wanted(self) -> Envelope:
        """Reads until what is waited for has come. What came before an end counts."""
        while True:
            came = self._codec.came
            while came:
                envelope = came.popleft()
                if self._inbox.is_wanted(envelope):
                    return envelope
                if (lost := self._inbox.keep(envelope)) is not None:
                    self._dropped(lost)
            if self._ended is not None:
                raise self._ended
            self._read()

    def _read(self) -> None:
        try:
            data = self._stream.recv(BLOCK_BYTES)
            if not data:
                raise EOFError("the server has closed the connection")
            self._codec.feed(data)
        except (OSError, EOFError, ValueError) as error:
            self._ended = error


def open_line(where: str, dialler: Dialler, tls: ssl.SSLContext, dropped: Callable[[Envelope], None]) -> MqttLine:
    """Connects to `mqtt://host:1883` or `mqtts://host:8883`. Raises OSError, ValueError for an address that is none."""
    url = urlsplit(where)
    if not url.hostname:
        raise ValueError(f"{where} names no host")
    context = tls if url.scheme == "mqtts" else None
    return MqttLine(dialler.open(url.hostname, url.port or PORTS[url.scheme], context), dropped)
