"""A client that is nothing but a socket: it sends the bytes it is given and shows the bytes that come."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Self

LIMIT_S = 20.0


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


class Peer:
    """`get`, `send`, `answer`, `rest`: all block, for `LIMIT_S` at most."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say_no_more(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def get(self, target: str = "/") -> Answer:
        self.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        return self.answer()

    def answer(self, method: str = "GET") -> Answer:
        """Reads one answer by its Content-Length."""
        head = self.until(b"\r\n\r\n")
        status = int(head[9:12])
        length = 0 if method == "HEAD" else int(Answer(status, head, b"").header("Content-Length") or 0)
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return Answer(status, head, body)

    def until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found + mark

    def rest(self) -> bytes:
        """Everything until the other side closes. Raises ConnectionResetError after a RST."""
        while data := self.socket.recv(1 << 16):
            self._read += data
        data, self._read = self._read, b""
        return data

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError(f"closed after {self._read!r}")
        self._read += data


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it waited to be accepted while the listener was being closed
        return False
    return False
