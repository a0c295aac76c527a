"""Accepts connections on one socket, and rests while the system has no file left for another.

asyncio's own loop tries a thousand times in that case, and writes a traceback each time. Its public way to a transport,
`connect_accepted_socket`, takes a task and a future for each connection, as long as the transport itself takes.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

BACKLOG: Final = 1024
"""A fleet comes back all at once after an outage."""

AT_ONCE: Final = 16
"""So many are accepted before others have their turn: each costs half a millisecond with its first packet."""

REST_S: Final = 0.25
FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

ProtocolFactory = Callable[[], asyncio.Protocol]


class Acceptor:
    """Listens from the start until `close`. Raises OSError when the port is taken by now."""

    def __init__(
        self,
        sock: socket.socket,
        make: ProtocolFactory,
        on_full: Callable[[OSError], None],
    ) -> None:
        self._sock = sock
        self._make = make
        self._on_full = on_full
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        sock.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Connections that were accepted stay."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _resume(self) -> None:
        self._rest = None
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in FULL:
                    self._pause(error)
                    return
                continue  # that client has gone
            accepted.setblocking(False)
            with suppress(OSError):  # that client has gone
                self._loop._make_socket_transport(accepted, self._make())  # type: ignore[attr-defined] # noqa: SLF001

    def _pause(self, error: OSError) -> None:
        """Clients wait in the queue of the socket meanwhile."""
        self._loop.remove_reader(self._sock)
        self._rest = self._loop.call_later(REST_S, self._resume)
        self._on_full(error)
