"""What really speaks at a port where the protocol that was expected got no sensible answer."""

from __future__ import annotations

import socket
import ssl
from typing import Final

WITHIN_S: Final = 3.0
FIRST_BYTES: Final = 16
CONNECT: Final = b"\x10\x17\x00\x04MQTT\x04\x82\x00\x0a\x00\x00\x00\x09provision"
"""MQTT 3.1.1, clean session, ten seconds of keep-alive, no client id, a user name (OASIS MQTT 3.1.1 §3.1). Where such a
name opens a session for provisioning, that does nothing without a request; elsewhere it is refused."""
OPENINGS: Final = (
    ("HTTP", b"GET / HTTP/1.0\r\n\r\n", b"HTTP/"),
    ("MQTT", CONNECT, b"\x20\x02"),
)
"""Name, what is sent, how the answer begins."""


def spoken_at(host: str, port: int, within_s: float = WITHIN_S) -> str:
    """`TLS`, `HTTP` or `MQTT`; empty when it is none of them."""
    within_s = min(within_s, WITHIN_S)
    if _shakes_hands(host, port, within_s):
        return "TLS"
    return next((name for name, sent, begins in OPENINGS if _answer(host, port, sent, within_s).startswith(begins)), "")


def _shakes_hands(host: str, port: int, within_s: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), within_s) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def _answer(host: str, port: int, sent: bytes, within_s: float) -> bytes:
    try:
        with socket.create_connection((host, port), within_s) as connection:
            connection.sendall(sent)
            return connection.recv(FIRST_BYTES)
    except OSError:
        return b""
