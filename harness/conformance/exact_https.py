"""An exact client for HTTPS that shows a certificate and asks for a name of its own choice (SNI)."""

from __future__ import annotations

import http.client
import ssl
from typing import Final

from fleetrig.harness.conformance.exact_client import TIMEOUT_S, ExactClient
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.timed_response import timed
from fleetrig.simulator.contract.errors import BrokenBench

NO_NAME: Final = ""
"""No name is asked for, not even that of the host."""


class ExactHttps(ExactClient):
    """`server_name`: what is asked for, whatever the host is called. Calls raise HandshakeRefused for an alert."""

    def __init__(
        self, place: tuple[str, int], context: ssl.SSLContext, server_name: str = NO_NAME, within_s: float = TIMEOUT_S
    ) -> None:
        host, port = place
        super().__init__(f"https://{f'[{host}]' if ':' in host else host}:{port}", context, within_s=within_s)
        self._place, self._context, self._server_name = place, context, server_name

    def _connect(self) -> http.client.HTTPConnection:
        connection = _NamedConnection(*self._place, timeout=self._deadline.within_s)
        connection.context, connection.server_name = self._context, self._server_name
        connection.response_class = timed(self._deadline)  # type: ignore[assignment]
        return connection

    def _broken(self, method: str, path: str, error: Exception) -> BrokenBench:
        if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
            raise HandshakeRefused(error.reason)
        return super()._broken(method, path, error)


class _NamedConnection(http.client.HTTPConnection):
    """HTTPSConnection always asks for the host that it connects to."""

    default_port = http.client.HTTPS_PORT
    context: ssl.SSLContext
    server_name: str

    def connect(self) -> None:
        super().connect()
        self.sock = self.context.wrap_socket(self.sock, server_hostname=self.server_name or None)
