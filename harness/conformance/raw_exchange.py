"""HTTP by hand over a bare socket: what `http.client` would tidy up before sending it."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
from collections.abc import Iterable, Iterator

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.verdict import Finding

HEAD_LIMIT_BYTES = 64 * 1024
FIRST_WORD_S = 0.5
"""How long a server may take to refuse a body by what the head says of it."""


class RawExchange:
    """One request of our own spelling, in as many pieces as needed, and what comes back."""

    def __init__(self, connection: socket.socket, method: str) -> None:
        self._connection = connection
        self._method = method

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def send_until_answered(self, pieces: Iterable[bytes]) -> None:
        """Stops as soon as the server says something, or hangs up: one that refuses a body does not read it."""
        wait_s = FIRST_WORD_S
        for piece in pieces:
            if select.select([self._connection], [], [], wait_s)[0]:
                return
            wait_s = 0.0
            try:
                self._connection.sendall(piece)
            except OSError:
                return

    def interim(self, within_s: float) -> str:
        """The status line of an answer that is all head (`HTTP/1.1 100`). Raises Mismatch when none comes in time."""
        self._connection.settimeout(within_s)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                piece = self._connection.recv(1)
            except TimeoutError:
                raise Mismatch(Finding(f"an interim answer within {within_s:g} s", "none")) from None
            if not piece or len(head) > HEAD_LIMIT_BYTES:
                raise Mismatch(Finding("an interim answer", head.decode("latin-1") or "the connection was closed"))
            head += piece
        return head.split(b"\r\n")[0].decode("latin-1")

    def answer(self) -> Answer:
        """The final answer. Raises Mismatch when there is none that can be read."""
        response = http.client.HTTPResponse(self._connection, method=self._method)
        try:
            response.begin()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            got = f"{type(error).__name__} {error}"
            raise Mismatch(Finding(f"an answer to a {self._method} written by hand", got)) from None
        return Answer(response.status, tuple(response.headers.items()), body, f"{self._method} written by hand")


@contextlib.contextmanager
def raw_exchange(client: ExactClient, method: str) -> Iterator[RawExchange]:
    """A separate connection for one exchange."""
    connection = client.bare_socket()
    try:
        yield RawExchange(connection, method)
    finally:
        connection.close()
