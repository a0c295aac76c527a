"""A blocking peer of a CoAP server, with a socket of its own: datagrams out, messages in."""

from __future__ import annotations

import socket
from typing import Self

import aiocoap  # type: ignore[import-untyped]

from tests.coap.bench import line

LIMIT_S = 20.0


class CoapPeer:
    """`hear` waits for `LIMIT_S` at most. Raises ConnectionRefusedError when nobody listens on the port."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(LIMIT_S)
        self.socket.connect((host, port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, datagram: bytes) -> None:
        self.socket.send(datagram)

    def hear(self) -> bytes:
        return self.socket.recv(65_536)

    def ask(self, datagram: bytes) -> str:
        """The next that comes, as a line."""
        self.say(datagram)
        return line(self.hear())

    def read(self, datagram: bytes) -> aiocoap.Message:
        self.say(datagram)
        return aiocoap.Message.decode(self.hear())
