"""A listening address that can be closed for an outage and opened again on the same port."""

from __future__ import annotations

from collections.abc import Callable

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.accepting import Acceptor, ProtocolFactory
from fleetrig.reference_server.fronts.binding import bind, bind_error
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls


class Listener:
    """Holds its port from the start, but accepts only between `open` and `close`, and not during outages."""

    def __init__(
        self,
        name: str,
        address: Address,
        tls: ServerTls | None = None,
        on_full: Callable[[OSError], None] = lambda _: None,
    ) -> None:
        """`on_full` is told when the system gives no socket for a connection; it waits until there is one.

        Raises BrokenBench or UsageError when the port is not available."""
        self._on_full = on_full
        self.name = name
        """`http`, `https`, `mqtt` …; see `Session.listener`."""
        self._sockets = bind(address)
        self._tls = tls
        self._acceptors: list[Acceptor] = []
        self._make: ProtocolFactory | None = None
        self.address = Address(address.host, self._sockets[0].getsockname()[1])
        """Where it listens: with the real port in place of port 0."""

    def judge_by(self, handshakes: Handshakes) -> None:
        """Who is asked while peers shake hands, if this listener speaks TLS: before it opens."""
        if self._tls is not None:
            self._tls.judge_by(handshakes)

    async def open(self, make: ProtocolFactory) -> None:
        """Raises BrokenBench when another program listens on the port by now."""
        self._make = make
        around = make if self._tls is None else self._tls.around(self.name, make)
        try:
            while self._sockets:
                self._acceptors.append(Acceptor(self._sockets[0], around, self._on_full))
                self._sockets.pop(0)
        except OSError as error:
            self.close()
            raise bind_error(self.address, error) from error

    def refuse(self) -> None:
        """Connecting is refused from now on. The port stays ours: bound, but not listening."""
        self._stop_accepting()
        if not self._sockets:
            self._sockets = bind(self.address)

    async def accept_again(self) -> None:
        if self._make is not None and not self._acceptors:
            await self.open(self._make)

    def close(self) -> None:
        self._stop_accepting()
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _stop_accepting(self) -> None:
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors.clear()
        if self._tls is not None:
            self._tls.stop()
