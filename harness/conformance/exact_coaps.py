"""An exact CoAP client over DTLS 1.2: a datagram socket that shakes hands first."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from time import monotonic

from fleetrig.harness.conformance.exact_coap import DATAGRAM_BYTES, ExactCoap
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.identity import TlsCredential
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.dtls_client import DtlsClient


class NoSession(Exception):
    """Neither a session nor an alert came in time. `has_answered`: somebody has begun to shake hands."""

    def __init__(self, within_s: float, *, has_answered: bool) -> None:
        super().__init__(f"neither a DTLS session nor an alert within {within_s:g} s")
        self.has_answered = has_answered


def exact_coaps(place: tuple[str, int], shown: TlsCredential | None, within_s: float, server_name: str) -> ExactCoap:
    """A client after its handshake. `server_name`: what is asked for (SNI), empty for nothing.

    Raises HandshakeRefused, NoSession after `within_s`, BrokenBench when nobody listens.
    """
    link = DtlsSocket(place, shown, server_name)
    try:
        link.shake_hands(within_s)
    except BaseException:
        link.close()
        raise
    return ExactCoap(*place, link=link)


class DtlsSocket:
    """As much of a connected datagram socket as an ExactCoap uses."""

    def __init__(self, place: tuple[str, int], shown: TlsCredential | None, server_name: str) -> None:
        host, port = place
        tls = ClientTls(any_certificate()).of(shown)
        self._client = DtlsClient(tls, server_name or "127.0.0.1")  # no name is asked for where there is an address
        self._came: deque[bytes] = deque()
        self._within_s = 0.0
        self._has_answered = False
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.connect((host, port))
        except OSError as error:
            self._socket.close()
            raise BrokenBench(f"{host}:{port} (CoAP over DTLS): {system_said(error)}") from None

    def shake_hands(self, within_s: float) -> None:
        """Raises HandshakeRefused, NoSession, BrokenBench."""
        ends_s = monotonic() + within_s
        try:
            self._client.start()
            while not self._client.is_open:
                self._turn(ends_s)
        except TimeoutError:
            raise NoSession(within_s, has_answered=self._has_answered) from None
        except ssl.SSLError as error:
            raise HandshakeRefused(str(error)) from None
        except OSError as error:
            raise BrokenBench(f"nobody listens for CoAP over DTLS: {system_said(error)}") from None
        self._flush()

    def _turn(self, ends_s: float) -> None:
        """Sends what is to be sent, and takes a datagram, if one comes before something is to be sent again.

        Raises TimeoutError."""
        self._flush()
        left_s, due_s = ends_s - monotonic(), self._client.due_in_s()
        if left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s if due_s is None else max(0.001, min(left_s, due_s)))
        try:
            datagram = self._socket.recv(DATAGRAM_BYTES)
        except TimeoutError:
            self._client.advance()
        else:
            self._has_answered = True
            self._came.extend(self._client.take(datagram))

    def _flush(self) -> None:
        for datagram in self._client.outgoing():
            self._socket.send(datagram)

    def settimeout(self, within_s: float) -> None:
        self._within_s = within_s

    def send(self, data: bytes) -> None:
        self._client.send(data)
        self._flush()

    def recv(self, _: int) -> bytes:
        """Raises TimeoutError, and OSError once the server has ended the session."""
        ends_s = monotonic() + self._within_s
        while not self._came:
            try:
                self._turn(ends_s)
            except EOFError as goodbye:
                raise OSError(str(goodbye)) from None
        return self._came.popleft()

    def close(self) -> None:
        if self._client.is_open:
            self._client.say_goodbye()
            self._flush()
        self._socket.close()
