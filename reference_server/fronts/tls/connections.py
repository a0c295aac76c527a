"""The TLS connections of a listener that no front knows of: they are counted, and ended with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fleetrig.reference_server.fronts.tls.engine import TlsEngine
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement
from fleetrig.simulator.contract.handshake import ShownCertificate

if TYPE_CHECKING:
    from fleetrig.reference_server.fronts.tls.connection import TlsConnection

EngineMaker = Callable[[ShownCertificate, CertificateJudgement], TlsEngine]


class TlsConnections:
    """From one opening of the listener to the next."""

    def __init__(self, listener: str, handshakes: Handshakes, make_engine: EngineMaker) -> None:
        self.listener = listener
        self.handshakes = handshakes
        self.make_engine = make_engine
        self.is_stopped = False
        self._waiting: dict[TlsConnection, None] = {}
        """Those that shake hands or end, the oldest first."""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, connection: TlsConnection) -> None:
        if len(self._waiting) >= self.handshakes.limits.at_once:
            next(iter(self._waiting)).give_up("too many handshakes are under way")
        self._waiting[connection] = None

    def remove(self, connection: TlsConnection) -> None:
        self._waiting.pop(connection, None)

    def stop(self) -> None:
        """Ends them. Others no longer wait for the goodbye of their peers."""
        self.is_stopped = True
        for connection in list(self._waiting):
            connection.drop()
