"""DTLS between a UDP socket and a front: the clock and the one timer of its associations."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from fleetrig.reference_server.fronts.datagrams import DatagramReceiver, DatagramSocket, SocketAddress
from fleetrig.reference_server.fronts.dtls.associations import DtlsAssociations, DtlsLimits
from fleetrig.reference_server.fronts.dtls.contexts import CertificateToShow, DtlsContexts
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.platform import coap_rules_of
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Conversation
from fleetrig.simulator.contract.errors import ModelError

COOKIE_SECRET_BYTES = 32


def dtls_carrier(receiver: DatagramReceiver, sock: DatagramSocket, server: Server, tools: FrontTools) -> DtlsCarrier:
    """For a `DatagramListener`. It shows what TLS listeners would."""
    if sock.tls is None:
        raise ModelError(f"the listener {sock.listener} speaks DTLS and has no certificate to show")
    rules = coap_rules_of(server.platform)
    limits = DtlsLimits(flight_s=rules.flight_timeout_us / US_PER_S)
    return DtlsCarrier(receiver, sock, server, tools, sock.tls.certificate_of, limits)


class DtlsCarrier:
    """A `DatagramCarrier`."""

    def __init__(
        self,
        receiver: DatagramReceiver,
        sock: DatagramSocket,
        server: Conversation,
        tools: FrontTools,
        to_show: CertificateToShow,
        limits: DtlsLimits | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_bug = tools.on_bug
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._associations = DtlsAssociations(
            receiver, sock, server, tools, DtlsContexts(to_show), secrets.token_bytes(COOKIE_SECRET_BYTES),
            limits or DtlsLimits(),
        )  # fmt: skip

    def datagram(self, data: bytes, address: SocketAddress) -> None:
        self._try(lambda now_s: self._associations.datagram(data, address, now_s))
        self._set_timer()

    def close(self) -> None:
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._associations.close()

    def _advance(self) -> None:
        self._timer = None
        self._try(self._associations.advance)
        self._set_timer()

    def _try(self, step: Callable[[float], None]) -> None:
        try:
            step(self._loop.time())
        except Exception as bug:  # noqa: BLE001 (a bug must not end the server)
            self._on_bug(None, bug)

    def _set_timer(self) -> None:
        """One that is set already comes soon enough, or was set when nobody shook hands."""
        due_in_s = None if self._is_closed else self._associations.due_in_s()
        if due_in_s is None:
            return
        due_s = self._loop.time() + due_in_s
        if self._timer is None or self._timer.when() > due_s:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(due_s, self._advance)
